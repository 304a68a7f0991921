//! Every operator against finite differences, in two element types, on several numbers of threads; then
//! what each promises beside its gradient.

use candle_core::{DType, Device, Tensor, Var};

use super::testing::{hold, off, random};
use super::*;

#[test]
fn linear_layers() {
    let args = [random(1, &[3, 5, 7]), random(2, &[4, 7]), random(3, &[4])];
    hold(&args, |a| linear(&a[0], &a[1], Some(&a[2])));
    hold(&args[..2], |a| linear(&a[0], &a[1], None));
    hold(&[random(4, &[150, 33]), random(5, &[70, 33])], |a| {
        linear(&a[0], &a[1], None)
    });
    assert!(linear(&args[0], &args[2].reshape((2, 2)).unwrap(), None).is_err());
}

#[test]
fn convolutions() {
    for (window, stride, padding) in [
        ([1, 1], [1, 1], [0, 0]),
        ([3, 3], [1, 1], [1, 1]),
        ([3, 3], [2, 2], [1, 1]),
        ([7, 7], [2, 2], [3, 3]),
        ([1, 1], [2, 2], [0, 0]),
        ([2, 3], [1, 2], [0, 2]),
        ([5, 1], [3, 1], [4, 0]),
    ] {
        let x = random(6, &[3, 9, 6, 4]);
        let args = [x, random(7, &[5, window[0], window[1], 4]), random(8, &[5])];
        for relu in [false, true] {
            let conv = Conv {
                stride,
                padding,
                relu,
            };
            hold(&args, |a| conv2d(&a[0], &a[1], &a[2], conv));
        }
    }
    // Several pieces of rows, several pictures to a thread, several pieces of the sum.
    let args = [
        random(9, &[40, 5, 5, 16]),
        random(10, &[6, 3, 3, 16]),
        random(11, &[6]),
    ];
    hold(&args, |a| conv2d(&a[0], &a[1], &a[2], Conv::square(3, 1)));
    let args = [
        random(12, &[1, 70, 64, 3]),
        random(13, &[2, 3, 3, 3]),
        random(14, &[2]),
    ];
    hold(&args, |a| conv2d(&a[0], &a[1], &a[2], Conv::square(3, 1)));
}

/// Written as it is defined, with the channels in front as candle has them.
#[test]
fn convolutions_are_those_of_candle() {
    let (x, w, bias) = (
        random(15, &[2, 8, 8, 3]),
        random(16, &[4, 3, 3, 3]),
        random(17, &[4]),
    );
    let ours = conv2d(&x, &w, &bias, Conv::square(3, 2)).unwrap();
    let (x, w) = (
        x.permute((0, 3, 1, 2)).unwrap(),
        w.permute((0, 3, 1, 2)).unwrap(),
    );
    let theirs = x.conv2d(&w, 1, 2, 1, 1).unwrap();
    let theirs = theirs
        .broadcast_add(&bias.reshape((1, 4, 1, 1)).unwrap())
        .unwrap();
    let theirs = theirs.permute((0, 2, 3, 1)).unwrap();
    assert!(off(&ours, &theirs) < 1e-12);
}

#[test]
fn an_image_needs_no_gradient() {
    let x = random(18, &[1, 4, 4, 2]);
    let w = Var::from_tensor(&random(19, &[3, 3, 3, 2])).unwrap();
    let bias = Var::from_tensor(&random(20, &[3])).unwrap();
    let out = conv2d(&x, &w, &bias, Conv::square(3, 1)).unwrap();
    let grads = out.sum_all().unwrap().backward().unwrap();
    assert!(grads.get(&w).is_some() && grads.get(&bias).is_some() && grads.get(&x).is_none());
}

#[test]
fn windows_that_do_not_fit_are_refused() {
    let (x, w, bias) = (
        random(21, &[1, 2, 2, 1]),
        random(22, &[1, 3, 3, 1]),
        random(23, &[1]),
    );
    let bare = Conv {
        padding: [0, 0],
        ..Conv::square(3, 1)
    };
    assert!(conv2d(&x, &w, &bias, bare).is_err());
    let still = Conv {
        stride: [0, 1],
        ..Conv::square(3, 1)
    };
    assert!(conv2d(&x, &w, &bias, still).is_err());
    assert!(conv2d(&x, &w, &random(23, &[2]), Conv::square(3, 1)).is_err());
    assert!(max_pool(&x, Window::square(2, 1, 2)).is_err());
}

#[test]
fn pooling() {
    for window in [
        Window::square(3, 2, 1),
        Window::square(2, 2, 0),
        Window::square(3, 1, 1),
        Window {
            size: [1, 4],
            stride: [2, 3],
            padding: [0, 2],
            ceil: true,
        },
        Window::square(2, 2, 0).ceil(),
        Window::square(4, 3, 1).ceil(),
    ] {
        let x = random(24, &[2, 7, 6, 5]);
        hold(std::slice::from_ref(&x), |a| max_pool(&a[0], window));
        hold(&[x], |a| avg_pool(&a[0], window));
    }
}

#[test]
fn of_equals_the_first_has_the_gradient() {
    let x = Var::from_tensor(&Tensor::ones((1, 2, 2, 1), DType::F32, &Device::Cpu).unwrap());
    let x = x.unwrap();
    let out = max_pool(&x, Window::square(2, 2, 0)).unwrap();
    let grads = out.sum_all().unwrap().backward().unwrap();
    let grad: Vec<f32> = grads
        .get(&x)
        .unwrap()
        .flatten_all()
        .unwrap()
        .to_vec1()
        .unwrap();
    assert_eq!(grad, [1.0, 0.0, 0.0, 0.0]);
}

#[test]
fn weight_standardisation() {
    let args = [random(25, &[6, 3, 3, 4]), random(26, &[6])];
    hold(&args, |a| standardise(&a[0], &a[1], 1.7 / 6.0, 1e-5));
    let w = standardise(
        &args[0],
        &Tensor::ones(6, DType::F64, &Device::Cpu).unwrap(),
        0.5,
        0.0,
    );
    for row in w
        .unwrap()
        .flatten_from(1)
        .unwrap()
        .to_vec2::<f64>()
        .unwrap()
    {
        let n = row.len() as f64;
        let mean = row.iter().sum::<f64>() / n;
        let variance = row.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
        assert!(mean.abs() < 1e-12 && (variance - 0.25).abs() < 1e-12);
    }
}

#[test]
fn layer_norms() {
    for n in [1, 7, 16, 50] {
        let args = [random(27, &[4, 3, n]), random(28, &[n]), random(29, &[n])];
        hold(&args, |a| layer_norm(&a[0], &a[1], &a[2], 1e-3));
    }
}

#[test]
fn units() {
    let x = random(30, &[5, 400]);
    hold(std::slice::from_ref(&x), |a| relu(&a[0], 1.7));
    hold(&[(&x * 3.0).unwrap()], |a| gelu(&a[0]));
    hold(&[x, random(31, &[5, 400])], |a| mix(&a[0], 0.2, &a[1]));
    let zero = Var::from_tensor(&Tensor::zeros(3, DType::F32, &Device::Cpu).unwrap()).unwrap();
    let grads = relu(&zero, 1.0)
        .unwrap()
        .sum_all()
        .unwrap()
        .backward()
        .unwrap();
    assert_eq!(
        grads.get(&zero).unwrap().to_vec1::<f32>().unwrap(),
        [0.0; 3]
    );
}

/// The number of queries crosses the size of a block.
#[test]
fn attention_to_itself() {
    for length in [1, 9, 70] {
        let qkv = [random(32, &[3, length, 3 * 8])];
        let some = [length as u32, 0, length.div_ceil(2) as u32];
        for keys in [Keys::all(), Keys::causal(), Keys::first(some)] {
            hold(&qkv, |a| self_attention(&a[0], 2, keys.clone()));
            let both = Keys {
                causal: true,
                ..keys
            };
            hold(&qkv, |a| self_attention(&a[0], 4, both.clone()));
        }
    }
}

#[test]
fn attention_to_others() {
    for (queries, keys) in [(1, 5), (5, 1), (67, 66), (3, 130)] {
        let args = [random(33, &[2, queries, 6]), random(34, &[2, keys, 12])];
        hold(&args, |a| cross_attention(&a[0], &a[1], 3, Keys::all()));
        let first = Keys::first([keys as u32, 1]);
        hold(&args, |a| cross_attention(&a[0], &a[1], 1, first.clone()));
        if queries <= keys {
            hold(&args, |a| cross_attention(&a[0], &a[1], 2, Keys::causal()));
        } else {
            assert!(cross_attention(&args[0], &args[1], 2, Keys::causal()).is_err());
        }
    }
}

/// As the formula says, with candle's own products and softmax by hand.
#[test]
fn attention_is_what_it_says() {
    let (batch, length, heads, head) = (2, 5, 2, 3);
    let qkv = random(35, &[batch, length, 3 * heads * head]);
    let ours = self_attention(&qkv, heads, Keys::causal()).unwrap();
    let split = |which: usize| {
        let part = qkv.narrow(2, which * heads * head, heads * head).unwrap();
        let part = part.reshape((batch, length, heads, head)).unwrap();
        part.transpose(1, 2).unwrap().contiguous().unwrap()
    };
    let (q, k, v) = (split(0), split(1), split(2));
    let scores = (q.matmul(&k.t().unwrap()).unwrap() / (head as f64).sqrt()).unwrap();
    let seen = Tensor::tril2(length, DType::F64, &Device::Cpu).unwrap();
    let weights = scores.exp().unwrap().broadcast_mul(&seen).unwrap();
    let sums = weights.sum_keepdim(3).unwrap();
    let out = weights.broadcast_div(&sums).unwrap().matmul(&v).unwrap();
    let out = out.transpose(1, 2).unwrap().flatten_from(2).unwrap();
    assert!(off(&ours, &out) < 1e-12);
}

#[test]
fn large_scores_overflow_nothing() {
    let qkv = (random(36, &[1, 6, 12]) * 1e4)
        .unwrap()
        .to_dtype(DType::F32)
        .unwrap();
    let out = self_attention(&qkv, 2, Keys::all()).unwrap();
    let out: Vec<f32> = out.flatten_all().unwrap().to_vec1().unwrap();
    assert!(out.iter().all(|v| v.is_finite()));
    let rows = Rows {
        targets: vec![1],
        weights: vec![1.0],
        legal: None,
    };
    let scores = Tensor::new(&[[1e4f32, -1e4]], &Device::Cpu).unwrap();
    let loss: f32 = cross_entropy(&scores, rows).unwrap().to_scalar().unwrap();
    assert_eq!(loss, 2e4);
}

#[test]
fn rows_of_tables() {
    hold(&[random(37, &[6, 3])], |a| embed(&a[0], [0, 5, 5, 2, 0]));
    hold(&[random(38, &[6, 3])], |a| embed(&a[0], [1]));
    assert!(embed(&random(38, &[6, 3]), [6]).is_err());
}

#[test]
fn bags_of_rows() {
    let table = random(39, &[6, 3]);
    let bags = Bags {
        ends: vec![3, 3, 4, 8],
        rows: vec![5, 0, 5, 2, 0, 1, 2, 3],
        weights: vec![0.5, -1.0, 0.25, 1.0, 2.0, 0.5, 0.125, 0.0],
    };
    hold(std::slice::from_ref(&table), |a| bag(&a[0], bags.clone()));
    let out: Vec<Vec<f64>> = bag(&table, bags.clone()).unwrap().to_vec2().unwrap();
    let rows: Vec<Vec<f64>> = table.to_vec2().unwrap();
    assert_eq!(out[1], [0.0; 3]);
    assert_eq!(out[2], rows[2]);
    assert_eq!(out[0][1], 0.75 * rows[5][1] - rows[0][1]);
    let refused = |bags: Bags| assert!(bag(&table, bags).is_err());
    let with = |ends: &[u32], rows: &[u32], weights: &[f32]| Bags {
        ends: ends.to_vec(),
        rows: rows.to_vec(),
        weights: weights.to_vec(),
    };
    refused(with(&[1], &[6], &[1.0]));
    refused(with(&[1], &[1, 2], &[1.0, 1.0]));
    refused(with(&[2, 1, 2], &[1, 2], &[1.0, 1.0]));
    refused(with(&[2], &[1, 2], &[1.0]));
    refused(with(&[], &[1], &[1.0]));
}

#[test]
fn choices_among_sets_of_options() {
    let scores = random(40, &[9]);
    let options = Options {
        ends: vec![1, 4, 4, 6, 9],
        weights: vec![1.0, 0.5, 0.0, 1.5, 0.0, 0.0, 0.25, 0.25, 0.0],
    };
    let of = |a: &[Tensor]| choice(&a[0].affine(4.0, 0.0)?, options.clone());
    hold(std::slice::from_ref(&scores), of);
    // Scores of any size, and sets that do not count.
    let far = scores.affine(1e4, 0.0).unwrap();
    let loss: f64 = choice(&far, options.clone()).unwrap().to_scalar().unwrap();
    assert!(loss.is_finite() && loss > 0.0, "{loss}");
    let none = Options {
        ends: vec![9],
        weights: vec![0.0; 9],
    };
    let loss: f64 = choice(&scores, none).unwrap().to_scalar().unwrap();
    assert_eq!(loss, 0.0);
    let refused = |ends: &[u32], weights: &[f32]| {
        let (ends, weights) = (ends.to_vec(), weights.to_vec());
        assert!(choice(&scores, Options { ends, weights }).is_err());
    };
    refused(&[8], &[0.0; 9]);
    refused(&[9], &[0.0; 8]);
    refused(&[4, 3, 9], &[0.0; 9]);
    refused(&[9], &[-1.0; 9]);
    refused(&[9], &[f32::NAN; 9]);
}

#[test]
fn a_choice_with_one_right_option_is_a_cross_entropy() {
    let scores = random(41, &[3, 4]);
    let rows = Rows {
        targets: vec![2, 0, 3],
        weights: vec![1.0, 0.5, 2.0],
        legal: None,
    };
    let mut weights = vec![0.0; 12];
    for (row, (target, weight)) in rows.targets.iter().zip(&rows.weights).enumerate() {
        weights[4 * row + *target as usize] = *weight;
    }
    let options = Options {
        ends: vec![4, 8, 12],
        weights,
    };
    let flat = scores.flatten_all().unwrap();
    let ours = choice(&flat, options).unwrap();
    assert!(off(&ours, &cross_entropy(&scores, rows).unwrap()) < 1e-12);
}

fn some_rows() -> Rows {
    Rows {
        targets: vec![0, 3, 2, 4],
        weights: vec![1.0, 0.5, 0.0, 2.0],
        legal: None,
    }
}

#[test]
fn cross_entropies() {
    let scores = [random(39, &[4, 5])];
    hold(&scores, |a| cross_entropy(&a[0], some_rows()));
    let legal = (0..20)
        .map(|i| i % 5 == [0, 3, 2, 4][i / 5] || i % 2 == 0)
        .collect();
    let masked = Rows {
        legal: Some(legal),
        ..some_rows()
    };
    hold(&scores, |a| cross_entropy(&a[0], masked.clone()));
    // What is not allowed has no say and no gradient.
    let var = Var::from_tensor(&scores[0]).unwrap();
    let loss = cross_entropy(&var, masked).unwrap();
    let grads = loss.backward().unwrap();
    let grad: Vec<f64> = grads
        .get(&var)
        .unwrap()
        .flatten_all()
        .unwrap()
        .to_vec1()
        .unwrap();
    assert!(grad[1] == 0.0 && grad[2] != 0.0 && grad[10..15].iter().all(|g| *g == 0.0));
    // One choice alone costs nothing.
    let forced = Rows {
        legal: Some((0..20).map(|i| i % 5 == [0, 3, 2, 4][i / 5]).collect()),
        ..some_rows()
    };
    let loss = cross_entropy(&scores[0], forced).unwrap();
    assert_eq!(loss.to_scalar::<f64>().unwrap(), 0.0);
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let scores = random(40, &[4, 5]);
    let with = |change: &dyn Fn(&mut Rows)| {
        let mut rows = some_rows();
        change(&mut rows);
        cross_entropy(&scores, rows)
    };
    assert!(with(&|_| ()).is_ok());
    assert!(with(&|rows| rows.targets[0] = 5).is_err());
    assert!(with(&|rows| rows.targets[2] = 5).is_ok());
    assert!(with(&|rows| rows.weights[0] = f32::NAN).is_err());
    assert!(with(&|rows| rows.weights[0] = -1.0).is_err());
    assert!(with(&|rows| rows.weights.push(1.0)).is_err());
    assert!(with(&|rows| rows.legal = Some(vec![false; 20])).is_err());
    assert!(with(&|rows| rows.legal = Some(vec![true; 19])).is_err());
    let none = with(&|rows| rows.weights.fill(0.0)).unwrap();
    assert_eq!(none.to_scalar::<f64>().unwrap(), 0.0);
}

/// Two workers with half of a batch each take the step of one with the whole batch.
#[test]
fn two_workers_are_one_with_twice_the_batch() {
    let (x, w) = (random(41, &[8, 6]), random(42, &[3, 6]));
    let x = x.to_dtype(DType::F32).unwrap();
    let train = |mut worker: Box<dyn AllReduce>, x: Tensor| {
        let w = Var::from_tensor(&w.to_dtype(DType::F32).unwrap()).unwrap();
        let mut adam = Adam::new(w.elem_count(), AdamOptions::default());
        let mut flat = Vec::new();
        for _ in 0..5 {
            let out = gelu(&linear(&x, &w, None).unwrap()).unwrap();
            let loss = (out.sqr().unwrap().sum_all().unwrap() / 8.0).unwrap();
            let grads = loss.backward().unwrap();
            flatten(std::slice::from_ref(&w), &grads, &mut flat).unwrap();
            worker.sum(&mut flat).unwrap();
            adam.step(std::slice::from_ref(&w), &mut flat, 0.01)
                .unwrap();
        }
        w.flatten_all().unwrap().to_vec1::<f32>().unwrap()
    };
    let one = train(Box::new(Alone), x.clone());
    let train = &train;
    let halves: Vec<Vec<f32>> = std::thread::scope(|scope| {
        let workers: Vec<_> = group(2)
            .into_iter()
            .map(|member| {
                let x = x.narrow(0, 4 * member.rank(), 4).unwrap();
                scope.spawn(move || train(Box::new(member), x))
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .collect()
    });
    assert_eq!(halves[0], halves[1]);
    for (a, b) in halves[0].iter().zip(&one) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
}

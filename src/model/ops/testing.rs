//! How operators are tested: gradients against finite differences, both element types against each
//! other, different numbers of threads against each other.

use candle_core::{DType, Device, Result, Tensor, Var};

use crate::sample::{seeded, unit};

/// Numbers between -1 and 1, the same for a seed.
pub(crate) fn random(seed: u64, shape: &[usize]) -> Tensor {
    let mut rng = seeded(seed);
    let count = shape.iter().product();
    let values: Vec<f64> = (0..count).map(|_| 2.0 * unit(&mut rng) - 1.0).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).expect("as many as the shape has")
}

/// A number that depends on all of a result, each element in its own way.
fn weigh(out: &Tensor) -> Result<Tensor> {
    let weights = random(99, out.dims()).to_dtype(out.dtype())?;
    (out * weights)?.sum_all()
}

/// The result and the gradients of all arguments, in one element type.
fn run(
    args: &[Tensor],
    dtype: DType,
    of: &dyn Fn(&[Tensor]) -> Result<Tensor>,
) -> (Tensor, Vec<Tensor>) {
    let vars: Vec<Var> = args
        .iter()
        .map(|arg| Var::from_tensor(&arg.to_dtype(dtype).unwrap()).unwrap())
        .collect();
    let tensors: Vec<Tensor> = vars.iter().map(|var| var.as_tensor().clone()).collect();
    let out = of(&tensors).unwrap();
    let grads = weigh(&out).unwrap().backward().unwrap();
    let grads = vars
        .iter()
        .map(|var| grads.get(var).expect("a gradient").clone());
    (out, grads.collect())
}

fn flat(tensor: &Tensor) -> Vec<f64> {
    let wide = tensor.to_dtype(DType::F64).unwrap();
    wide.flatten_all().unwrap().to_vec1().unwrap()
}

/// The greatest difference, relative to the greatest element.
pub(crate) fn off(got: &Tensor, want: &Tensor) -> f64 {
    assert_eq!(got.dims(), want.dims());
    let (got, want) = (flat(got), flat(want));
    let most = want
        .iter()
        .fold(1e-30f64, |most, value| most.max(value.abs()));
    let pairs = got.iter().zip(&want);
    pairs.fold(0f64, |worst, (a, b)| worst.max((a - b).abs())) / most
}

/// Holds an operator to its gradient: in `f64` against central differences at up to 60 places of each
/// argument, in `f32` against `f64`, and bit for bit on 1, 2 and 5 threads.
pub(crate) fn hold(args: &[Tensor], of: impl Fn(&[Tensor]) -> Result<Tensor> + Sync) {
    const STEP: f64 = 1e-5;
    let (out, grads) = run(args, DType::F64, &of);
    let loss = |args: &[Tensor]| {
        let out = of(args).unwrap();
        weigh(&out).unwrap().to_scalar::<f64>().unwrap()
    };
    for (which, (arg, grad)) in args.iter().zip(&grads).enumerate() {
        assert_eq!(arg.dims(), grad.dims());
        let (values, grad) = (flat(arg), flat(grad));
        let stride = values.len().div_ceil(60).max(1);
        for at in (0..values.len()).step_by(stride) {
            let moved = |by: f64| {
                let mut values = values.clone();
                values[at] += by;
                let mut args = args.to_vec();
                args[which] = Tensor::from_vec(values, arg.dims(), &Device::Cpu).unwrap();
                loss(&args)
            };
            let slope = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
            let error = (slope - grad[at]).abs();
            assert!(
                error < 1e-6 * (1.0 + slope.abs()),
                "argument {which} at {at}: {} but differences say {slope}",
                grad[at]
            );
        }
    }
    let single = run(args, DType::F32, &of);
    assert!(off(&single.0, &out) < 1e-5, "{}", off(&single.0, &out));
    for (got, want) in single.1.iter().zip(&grads) {
        assert!(off(got, want) < 1e-5, "{}", off(got, want));
    }
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let again = pool.build().unwrap().install(|| run(args, DType::F32, &of));
        let bits = |tensor: &Tensor| {
            let values: Vec<f32> = tensor.flatten_all().unwrap().to_vec1().unwrap();
            values.iter().map(|v| v.to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(bits(&again.0), bits(&single.0), "{threads} threads");
        for (a, b) in again.1.iter().zip(&single.1) {
            assert_eq!(bits(a), bits(b), "{threads} threads");
        }
    }
}

//! Operators: results and gradients of all arguments.

use candle_core::{Result, Tensor};
use tdc::model::ops::{
    Adam, AdamOptions, Conv, Keys, Rows, Window, avg_pool, conv2d, cross_attention, cross_entropy,
    gelu, layer_norm, linear, max_pool, self_attention, standardise,
};

use crate::fixture::{Fixture, close};

fn hold(fixture: &Fixture, name: &str, of: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let args = fixture.args(name);
    assert!(!args.is_empty(), "{name}");
    let tensors: Vec<Tensor> = args.iter().map(|var| var.as_tensor().clone()).collect();
    let result = of(&tensors).unwrap();
    close(name, &result, fixture.get(&format!("{name}.result")), 1e-5);
    let weights = fixture
        .get(&format!("{name}.weights"))
        .reshape(result.shape());
    let loss = (result * weights.unwrap()).unwrap().sum_all().unwrap();
    let grads = loss.backward().unwrap();
    for (i, arg) in args.iter().enumerate() {
        let want = fixture.get(&format!("{name}.grad.{i}"));
        let got = grads.get(arg).expect("a gradient");
        assert_eq!(got.dims(), want.dims());
        close(&format!("{name}, gradient {i}"), got, want, 1e-5);
    }
}

#[test]
fn operators_are_those_of_pytorch() {
    let f = Fixture::load("operators");
    let square = |size, stride, padding| Conv {
        padding: [padding; 2],
        ..Conv::square(size, stride)
    };
    for (name, conv) in [
        ("conv", square(3, 2, 1)),
        ("conv1", square(1, 1, 0)),
        ("conv7", square(7, 2, 3)),
    ] {
        hold(&f, name, |a| conv2d(&a[0], &a[1], &a[2], conv));
    }
    hold(&f, "max", |a| max_pool(&a[0], Window::square(3, 2, 1)));
    hold(&f, "avg", |a| {
        avg_pool(&a[0], Window::square(2, 2, 0).ceil())
    });
    let scale = 1.713_958_859_443_664_6 / 27f64.sqrt();
    hold(&f, "standardise", |a| {
        standardise(&a[0], &a[1], scale, 1e-5)
    });
    hold(&f, "norm", |a| layer_norm(&a[0], &a[1], &a[2], 1e-5));
    hold(&f, "gelu", |a| gelu(&a[0]));
    hold(&f, "linear", |a| linear(&a[0], &a[1], Some(&a[2])));
    hold(&f, "causal", |a| self_attention(&a[0], 2, Keys::causal()));
    hold(&f, "padded", |a| {
        self_attention(&a[0], 2, Keys::first([7, 4]))
    });
    hold(&f, "cross", |a| {
        cross_attention(&a[0], &a[1], 2, Keys::all())
    });
    let targets = vec![0, 3, 2, 4];
    let legal = (0..20).map(|at| {
        let (i, j) = (at / 5, at % 5);
        (i + j) % 3 != 0 || j as u32 == targets[i]
    });
    let rows = Rows {
        legal: Some(legal.collect()),
        weights: vec![1.0, 0.5, 0.0, 2.0],
        targets: targets.clone(),
    };
    hold(&f, "entropy", |a| cross_entropy(&a[0], rows.clone()));
}

#[test]
fn steps_of_adam_are_those_of_pytorch() {
    let f = Fixture::load("operators");
    let var = candle_core::Var::from_tensor(f.get("adam.before")).unwrap();
    let options = AdamOptions {
        decay: 0.1,
        clip: Some(2.0),
        ..AdamOptions::default()
    };
    let mut adam = Adam::new(6, options);
    for step in 0..4 {
        let mut grads: Vec<f32> = f.get("adam.grads").get(step).unwrap().to_vec1().unwrap();
        adam.step(std::slice::from_ref(&var), &mut grads, 0.01)
            .unwrap();
        let want = f.get("adam.after").get(step).unwrap();
        close(&format!("step {step}"), &var, &want, 1e-5);
    }
}

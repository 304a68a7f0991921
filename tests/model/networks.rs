//! Networks: results, what stages give, gradients of all weights.

use candle_core::{DType, Tensor, Var};
use tdc::model::config::{Config, DecoderConfig, EncoderConfig, Preset, StageConfig};
use tdc::model::net::{Net, Purpose};

use crate::fixture::{Fixture, close, flat, hashed};

/// A model whose weights are those of the script.
fn filled(config: &Config, purpose: Purpose) -> Net {
    let net = Net::seeded(config, purpose, 0).unwrap();
    for (name, var) in net.weights.names().iter().zip(net.weights.vars()) {
        let (part, name) = name.split_once('.').unwrap();
        let (scale, shift) = match part {
            "encoder" if name.ends_with("gain") => (0.5, 1.0),
            "encoder" if name.ends_with("bias") || var.rank() == 2 => (0.1, 0.0),
            "encoder" => (1.0, 0.0),
            "decoder" if name.contains("norm") && name.ends_with("weight") => (0.4, 1.0),
            "decoder" => (0.4, 0.0),
            _ => (0.8, 0.0),
        };
        var.set(&hashed(name, var.dims(), scale, shift)).unwrap();
    }
    net
}

fn config(channels: [usize; 4], stem: usize, outputs: usize) -> Config {
    let stage = |channels| StageConfig {
        blocks: 2,
        channels,
    };
    Config {
        encoder: EncoderConfig {
            shrink: 1,
            stem,
            stages: channels.map(stage).to_vec(),
            outputs,
        },
        ..Preset::Tiny.config()
    }
}

/// The gradients of a result weighted as the script weighs it.
fn backward(result: &Tensor) -> candle_core::backprop::GradStore {
    let weights = hashed("weights", result.dims(), 1.0, 0.0);
    (result * weights)
        .unwrap()
        .sum_all()
        .unwrap()
        .backward()
        .unwrap()
}

fn hold_gradients(
    f: &Fixture,
    net: &Net,
    part: &str,
    grads: &candle_core::backprop::GradStore,
    show: impl Fn(&Tensor) -> Tensor,
) {
    let mut seen = 0;
    for (name, var) in net.weights.names().iter().zip(net.weights.vars()) {
        let Some(name) = name.strip_prefix(part) else {
            continue;
        };
        let got = grads
            .get(var)
            .unwrap_or_else(|| panic!("{name} has no gradient"));
        close(name, &show(got), f.get(&format!("grad.{name}")), 1e-4);
        seen += 1;
    }
    assert!(seen > 3, "{part}: {seen} weights");
}

#[test]
fn the_encoder_is_timms() {
    let f = Fixture::load("encoder");
    let purpose = Purpose {
        planes: 3,
        vocabulary: 4,
    };
    let net = filled(&config([32, 32, 64, 64], 8, 5), purpose);
    let x = hashed("input", &[2, 38, 52, 3], 1.0, 0.0);
    let mut stage = 0;
    let hold = |got: &Tensor| {
        close(
            &format!("stage {stage}"),
            got,
            f.get(&format!("stage.{stage}")),
            1e-4,
        );
        stage += 1;
    };
    net.encoder.features(&x, hold).unwrap();
    assert_eq!(stage, 5);
    let result = net.encoder.forward(&x).unwrap();
    close("result", &result, f.get("result"), 1e-4);
    hold_gradients(&f, &net, "encoder.", &backward(&result), Tensor::clone);
}

/// The one of the paper, by sums, for all of its numbers would be many.
#[test]
fn the_papers_encoder_is_timms() {
    let f = Fixture::load("encoder_full");
    let purpose = Purpose {
        planes: 9,
        vocabulary: 4,
    };
    let paper = Preset::Paper.config();
    let config = Config {
        encoder: paper.encoder,
        ..Preset::Tiny.config()
    };
    let net = filled(&config, purpose);
    let own = |name: &String| name.starts_with("encoder.");
    let weights = net.weights.names().iter().zip(net.weights.vars());
    let own = weights
        .filter(|(name, _)| own(name))
        .map(|(_, var)| var.elem_count());
    assert_eq!(own.sum::<usize>(), 14_489_536);
    let x = hashed("input", &[1, 64, 96, 9], 1.0, 0.0);
    let mut stage = 0;
    let hold = |got: &Tensor| {
        close(
            &format!("stage {stage}"),
            &sums(got),
            f.get(&format!("stage.{stage}")),
            1e-4,
        );
        stage += 1;
    };
    net.encoder.features(&x, hold).unwrap();
    let result = net.encoder.forward(&x).unwrap();
    close("result", &result, f.get("result"), 1e-4);
    hold_gradients(&f, &net, "encoder.", &backward(&result), sums);
}

/// The sum, the sum of absolute values, the norm.
fn sums(tensor: &Tensor) -> Tensor {
    let all = flat(tensor);
    let sums = [
        all.iter().sum::<f64>(),
        all.iter().map(|v| v.abs()).sum(),
        all.iter().map(|v| v * v).sum::<f64>().sqrt(),
    ];
    Tensor::new(&sums, tensor.device())
        .unwrap()
        .to_dtype(DType::F32)
        .unwrap()
}

#[test]
fn the_transformer_is_that_of_pytorch() {
    let f = Fixture::load("decoder");
    let decoder = DecoderConfig {
        layers: 2,
        heads: 4,
        width: 16,
        prefix: 4,
        context: 10,
    };
    let config = Config {
        decoder,
        ..config([32, 32, 64, 64], 8, 6)
    };
    let net = filled(
        &config,
        Purpose {
            planes: 3,
            vocabulary: 13,
        },
    );
    let image = Var::from_tensor(&hashed("image", &[2, 6], 1.0, 0.0)).unwrap();
    let ids = [1, 5, 2, 12, 0, 7, 3, 3, 9, 4, 4, 11, 6, 8, 0, 0, 0, 10];
    let hidden = net.decoder.forward(&image, &ids, 9).unwrap();
    let scores = net.decoder.scores(&hidden, (0..18).collect()).unwrap();
    let result = scores.reshape((2, 9, 13)).unwrap();
    close("result", &result, f.get("result"), 1e-4);
    let grads = backward(&result);
    close(
        "image",
        grads.get(&image).unwrap(),
        f.get("grad.image"),
        1e-4,
    );
    hold_gradients(&f, &net, "decoder.", &grads, Tensor::clone);
    assert!(net.decoder.forward(&image, &ids[..17], 9).is_err());
    assert!(net.decoder.forward(&image, &[0; 22], 11).is_err());
    assert!(net.decoder.forward(&image, &[13; 18], 9).is_err());
}

#[test]
fn the_value_head_is_that_of_pytorch() {
    let f = Fixture::load("value");
    let config = Config {
        value: vec![8, 8],
        ..config([32, 32, 64, 64], 8, 6)
    };
    let net = filled(
        &config,
        Purpose {
            planes: 3,
            vocabulary: 4,
        },
    );
    let image = Var::from_tensor(&hashed("image", &[3, 6], 1.0, 0.0)).unwrap();
    let result = net.value.forward(&image).unwrap();
    close("result", &result, f.get("result"), 1e-4);
    let grads = backward(&result);
    close(
        "image",
        grads.get(&image).unwrap(),
        f.get("grad.image"),
        1e-4,
    );
    hold_gradients(&f, &net, "value.", &grads, Tensor::clone);
}

/// With random gains: at the beginning those of last convolutions are 0, which hides what is before them.
#[test]
fn every_weight_has_a_gradient() {
    for preset in [Preset::Tiny, Preset::Small] {
        let net = Net::seeded(
            &preset.config(),
            Purpose {
                planes: 3,
                vocabulary: 9,
            },
            3,
        )
        .unwrap();
        for (name, var) in net.weights.names().iter().zip(net.weights.vars()) {
            if name.ends_with("gain") {
                var.set(&hashed(name, var.dims(), 0.5, 1.0)).unwrap();
            }
        }
        let x = hashed("input", &[2, 128, 128, 3], 1.0, 0.0);
        let image = net.encoder.forward(&x).unwrap();
        let length = net.config.decoder.context;
        let ids: Vec<u32> = (0..2 * length as u32).map(|i| i % 9).collect();
        let hidden = net.decoder.forward(&image, &ids, length).unwrap();
        let scores = net
            .decoder
            .scores(&hidden, (0..2 * length as u32).collect())
            .unwrap();
        let value = net.value.forward(&image).unwrap();
        let weighed = |t: &Tensor| (t * hashed("w", t.dims(), 1.0, 0.0)).unwrap().sum_all();
        let loss = (weighed(&scores).unwrap() + weighed(&value).unwrap()).unwrap();
        let grads = loss.backward().unwrap();
        for (name, var) in net.weights.names().iter().zip(net.weights.vars()) {
            let grad = grads
                .get(var)
                .unwrap_or_else(|| panic!("{name} has no gradient"));
            assert!(
                flat(grad).iter().any(|v| *v != 0.0),
                "{name} has gradient 0"
            );
        }
    }
}

#[test]
fn a_seed_gives_the_same_model() {
    let purpose = Purpose {
        planes: 3,
        vocabulary: 9,
    };
    let of = |seed| {
        let net = Net::seeded(&Preset::Tiny.config(), purpose, seed).unwrap();
        net.weights.to_bytes(&Default::default()).unwrap()
    };
    assert_eq!(of(5), of(5));
    assert_ne!(of(5), of(6));
    let stored = tdc::model::weights::Stored::from_bytes(&of(5)).unwrap();
    let again = Net::stored(&Preset::Tiny.config(), purpose, stored).unwrap();
    assert_eq!(again.weights.to_bytes(&Default::default()).unwrap(), of(5));
    let other = tdc::model::weights::Stored::from_bytes(&of(5)).unwrap();
    let more = Purpose {
        planes: 9,
        vocabulary: 9,
    };
    assert!(Net::stored(&Preset::Tiny.config(), more, other).is_err());
}

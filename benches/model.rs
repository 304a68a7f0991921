//! A training step of the paper's model: NF-ResNet-26 on 128 x 128 pixels, 8 layers of 256 channels, 32
//! examples, 128 tokens, on all threads.
//!
//!     cargo bench --bench model -- [preset] [steps]
//!
//! Prints seconds a step, by parts, and examples a second. `tests/fixtures/model/step.py` takes the same step
//! with PyTorch, for comparison.

use std::time::Instant;

use candle_core::{Device, Tensor};
use tdc::model::config::Preset;
use tdc::model::net::{Net, Purpose};
use tdc::model::ops::{Adam, AdamOptions, Rows, cross_entropy, flatten};

const BATCH: usize = 32;
/// Tokens of a sequence, or as many as the model takes.
const TOKENS: usize = 128;
const VOCABULARY: usize = 200;

fn main() {
    // `cargo bench` adds flags of its own.
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with('-'));
    let preset = args.next().and_then(|name| Preset::named(&name));
    let preset = preset.unwrap_or(Preset::Paper);
    let steps: u32 = args.next().and_then(|n| n.parse().ok()).unwrap_or(5);

    let purpose = Purpose {
        planes: 9,
        vocabulary: VOCABULARY,
    };
    let net = Net::seeded(&preset.config(), purpose, 1).expect("a model");
    let vars = net.weights.vars();
    let mut adam = Adam::new(net.weights.count(), AdamOptions::default());
    let mut flat = Vec::new();
    println!(
        "{}: {} weights, {} threads",
        preset.name(),
        net.weights.count(),
        rayon_threads()
    );
    let pixels: Vec<f32> = (0..BATCH * 128 * 128 * 9)
        .map(|i| (i % 17) as f32 / 8.0 - 1.0)
        .collect();
    let planes = Tensor::from_vec(pixels, (BATCH, 128, 128, 9), &Device::Cpu).expect("planes");
    let length = TOKENS.min(net.config.decoder.context);
    let count = BATCH * length;
    let tokens: Vec<u32> = (0..count).map(|i| (i * 31 % VOCABULARY) as u32).collect();
    let rows = std::sync::Arc::new(Rows {
        targets: tokens.iter().map(|t| (t + 1) % VOCABULARY as u32).collect(),
        weights: vec![1.0; count],
        legal: None,
    });
    let mut parts = [0f64; 4];
    for step in 0..=steps {
        let mut marks = vec![Instant::now()];
        let image = net.encoder.forward(&planes).expect("an embedding");
        marks.push(Instant::now());
        let hidden = net
            .decoder
            .forward(&image, &tokens, length)
            .expect("a result");
        let scores = net
            .decoder
            .scores(&hidden, (0..count as u32).collect())
            .expect("scores");
        let loss = cross_entropy(&scores, rows.clone()).expect("a loss");
        let value = net.value.forward(&image).expect("a value");
        let loss = (loss + value.sqr().expect("square").mean_all().expect("mean")).expect("a sum");
        marks.push(Instant::now());
        let grads = loss.backward().expect("gradients");
        marks.push(Instant::now());
        flatten(vars, &grads, &mut flat).expect("gradients of all");
        let report = adam.step(vars, &mut flat, 3e-4).expect("a step");
        marks.push(Instant::now());
        let loss: f32 = loss.to_scalar().expect("a number");
        let seconds: Vec<f64> = marks
            .windows(2)
            .map(|m| (m[1] - m[0]).as_secs_f64())
            .collect();
        println!(
            "step {step}: loss {loss:.4}, norm {:.3}, {seconds:.3?}",
            report.norm
        );
        // The first step fills caches and finds out about the processor.
        if step > 0 {
            parts
                .iter_mut()
                .zip(&seconds)
                .for_each(|(sum, s)| *sum += s / f64::from(steps));
        }
    }
    let [encoder, transformer, backward, update] = parts;
    let whole: f64 = parts.iter().sum();
    println!(
        "{whole:.3} s a step: encoder {encoder:.3}, transformer {transformer:.3}, backward {backward:.3}, \
         update {update:.3}"
    );
    println!("{:.1} examples/s", BATCH as f64 / whole);
}

fn rayon_threads() -> usize {
    rayon::current_num_threads()
}

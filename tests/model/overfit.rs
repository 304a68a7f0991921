//! A tiny model learns a batch by heart: tokens, pictures, networks, losses and Adam work together.

use candle_core::Tensor;
use tdc::Compiled;
use tdc::model::config::Preset;
use tdc::model::net::{Net, Purpose};
use tdc::model::ops::{Adam, AdamOptions, cross_entropy, flatten};
use tdc::model::tokens::batch::{Batcher, planes};
use tdc::model::tokens::mask::{Bounds, Walk};
use tdc::model::tokens::{END, Vocabulary};
use tdc::train::{Example, Maker, Options};

const EXAMPLES: u64 = 8;
const STEPS: usize = 400;

/// The tokens that the model thinks best, one after another.
fn greedy(net: &Net, v: &Vocabulary<'_>, bounds: &Bounds, image: &Tensor, e: &Example) -> Vec<u32> {
    let mut walk = Walk::edit(v, bounds, &e.start, 40);
    let (mut tokens, mut chosen) = (Vec::new(), Vec::new());
    v.encode(&e.start, &mut tokens);
    while !walk.is_done() {
        let legal = walk.legal();
        let best = if legal.len() == 1 {
            legal[0]
        } else {
            let hidden = net.decoder.forward(image, &tokens, tokens.len()).unwrap();
            let last = tokens.len() as u32 - 1;
            let scores = net.decoder.scores(&hidden, vec![last]).unwrap();
            let scores: Vec<f32> = scores.flatten_all().unwrap().to_vec1().unwrap();
            let of = |token: &u32| scores[*token as usize];
            legal
                .into_iter()
                .max_by(|a, b| of(a).total_cmp(&of(b)))
                .unwrap()
        };
        walk.push(best).unwrap();
        tokens.push(best);
        chosen.push(best);
    }
    chosen
}

#[test]
fn a_tiny_model_learns_a_batch_by_heart() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/grammars/csg2d.tdg");
    let csg2d = Compiled::load(path).unwrap();
    let config = Preset::Tiny.config();
    let context = config.decoder.context;
    let v = Vocabulary::new(&csg2d, context as u32);
    let options = Options::of(&csg2d);
    let bounds = Bounds::new(&v, options.mutate.small);
    let mut maker = Maker::new(&csg2d, options).unwrap();
    let examples: Vec<_> = (0..EXAMPLES).map(|i| maker.make(i).unwrap()).collect();
    let batcher = Batcher {
        vocabulary: &v,
        bounds: &bounds,
        context,
    };
    let batch = batcher
        .edits(examples.iter().map(|e| (&e.start, &e.edit)))
        .unwrap();
    let rows = batch.rows();
    let pictures = examples
        .iter()
        .map(|e| (&e.target_picture.data[..], &e.start_picture.data[..]));
    let planes = planes([128, 128, 1], pictures).unwrap();
    let distances: Vec<f32> = examples.iter().map(|e| e.distance as f32).collect();
    let distances = Tensor::new(distances, planes.device()).unwrap();

    let purpose = Purpose {
        planes: 3,
        vocabulary: v.len(),
    };
    let net = Net::seeded(&config, purpose, 1).unwrap();
    let options = AdamOptions {
        clip: Some(1.0),
        ..AdamOptions::default()
    };
    let mut adam = Adam::new(net.weights.count(), options);
    let (mut flat, mut losses) = (Vec::new(), Vec::new());
    for step in 0..STEPS {
        let image = net.encoder.forward(&planes).unwrap();
        let hidden = net
            .decoder
            .forward(&image, &batch.tokens, batch.length)
            .unwrap();
        let scores = net.decoder.scores(&hidden, batch.rows.clone()).unwrap();
        let policy = cross_entropy(&scores, rows.clone()).unwrap();
        let off = (net.value.forward(&image).unwrap() - &distances).unwrap();
        let value = off.sqr().unwrap().mean_all().unwrap();
        losses = [&policy, &value]
            .map(|loss| loss.to_scalar::<f32>().unwrap())
            .to_vec();
        if losses.iter().all(|loss| *loss < 0.01) {
            println!("{step} steps");
            break;
        }
        let loss = (policy + (value * 0.1).unwrap()).unwrap();
        flatten(net.weights.vars(), &loss.backward().unwrap(), &mut flat).unwrap();
        assert!(
            adam.step(net.weights.vars(), &mut flat, 2e-3)
                .unwrap()
                .taken
        );
    }
    assert!(losses.iter().all(|loss| *loss < 0.01), "{losses:?}");
    // What it has learnt is what it writes.
    let image = net.encoder.forward(&planes).unwrap();
    for (i, example) in examples.iter().enumerate() {
        let own = image.narrow(0, i, 1).unwrap();
        let mut label = Vec::new();
        let from = v
            .encode_edit(&example.start, &example.edit, &mut label)
            .unwrap();
        let chosen = greedy(&net, &v, &bounds, &own, example);
        assert_eq!(chosen, label[from..], "example {i}");
        assert_eq!(chosen.last(), Some(&END));
    }
}

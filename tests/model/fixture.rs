//! A fixture's tensors, and how far off a tensor is.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor, Var};

/// The tensors of a file in `tests/fixtures/model`.
pub struct Fixture(BTreeMap<String, Tensor>);

impl Fixture {
    pub fn load(name: &str) -> Fixture {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/model");
        let path = format!("{folder}/{name}.safetensors");
        let all = candle_core::safetensors::load(path, &Device::Cpu).expect("a fixture");
        Fixture(all.into_iter().collect())
    }

    pub fn get(&self, name: &str) -> &Tensor {
        self.0
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in the fixture"))
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The arguments of a case, in order.
    pub fn args(&self, name: &str) -> Vec<Var> {
        let names = (0..).map(|i| format!("{name}.{i}"));
        let own = names.take_while(|name| self.has(name));
        own.map(|name| Var::from_tensor(self.get(&name)).unwrap())
            .collect()
    }
}

/// The numbers that `hashed` of the script makes, in the shape that a variable has.
pub fn hashed(name: &str, shape: &[usize], scale: f64, shift: f64) -> Tensor {
    let salt = name.bytes().fold(2_166_136_261u32, |salt, byte| {
        (salt ^ u32::from(byte)).wrapping_mul(16_777_619)
    });
    let count = shape.iter().product::<usize>() as u32;
    let values = (0..count).map(|i| {
        let x = i.wrapping_mul(2_654_435_761).wrapping_add(salt);
        let x = (x ^ (x >> 15)).wrapping_mul(2_246_822_519);
        let x = (x ^ (x >> 13)) % (1 << 24);
        ((f64::from(x) / f64::from(1 << 23) - 1.0) * scale + shift) as f32
    });
    Tensor::from_vec(values.collect(), shape, &Device::Cpu).unwrap()
}

pub fn flat(tensor: &Tensor) -> Vec<f64> {
    let wide = tensor.to_dtype(DType::F64).unwrap();
    wide.flatten_all().unwrap().to_vec1().unwrap()
}

/// Holds a tensor to the one that is wanted: no element further off than this share of the greatest.
pub fn close(name: &str, got: &Tensor, want: &Tensor, within: f64) {
    let (got, want) = (flat(got), flat(want));
    assert_eq!(got.len(), want.len(), "{name}");
    let most = want
        .iter()
        .fold(1e-12f64, |most, value| most.max(value.abs()));
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        let off = (got - want).abs() / most;
        assert!(
            off <= within,
            "{name}, element {i}: {got}, not {want}: {off:.1e} off"
        );
    }
}

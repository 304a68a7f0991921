//! What a model is made of: sizes, and the presets that have names.
//!
//! In: a preset's name, or a configuration out of a checkpoint. Out: [`Config`]. Afterwards a model can be built
//! from it and a vocabulary alone.

use serde::{Deserialize, Serialize};

/// Sizes of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The encoder of pictures.
    pub encoder: EncoderConfig,
    /// The transformer.
    pub decoder: DecoderConfig,
    /// Units of the value head's layers, the last of which one more layer brings to a number.
    pub value: Vec<usize>,
}

/// A normaliser-free residual network with bottlenecks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderConfig {
    /// Pixels of the picture that become one of the network's, each way; their mean is taken.
    pub shrink: usize,
    /// Channels after the first convolution.
    pub stem: usize,
    /// What follows it; each stage but the first halves the picture.
    pub stages: Vec<StageConfig>,
    /// Length of the picture's embedding.
    pub outputs: usize,
}

/// Residual blocks of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageConfig {
    /// How many.
    pub blocks: usize,
    /// Channels of their results; a quarter of them within.
    pub channels: usize,
}

/// A decoder-only transformer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecoderConfig {
    /// Layers.
    pub layers: usize,
    /// Heads of attention in each.
    pub heads: usize,
    /// Channels.
    pub width: usize,
    /// Tokens in front that stand for the pictures.
    pub prefix: usize,
    /// Most tokens behind them.
    pub context: usize,
}

/// Models that have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// The paper's (appendix G).
    Paper,
    /// For two cores: it trains and searches in reasonable time without a GPU.
    Small,
    /// For tests: it learns a batch by heart in seconds.
    Tiny,
}

impl Preset {
    /// All of them.
    pub const ALL: [Preset; 3] = [Preset::Paper, Preset::Small, Preset::Tiny];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Paper => "paper",
            Preset::Small => "small",
            Preset::Tiny => "tiny",
        }
    }

    /// The preset of a name.
    pub fn named(name: &str) -> Option<Preset> {
        Preset::ALL.into_iter().find(|preset| preset.name() == name)
    }

    /// Its sizes.
    pub fn config(self) -> Config {
        let model = |shrink, stem, channels: [usize; 4], blocks, decoder: DecoderConfig| {
            let stages = channels.map(|channels| StageConfig { blocks, channels });
            Config {
                encoder: EncoderConfig {
                    shrink,
                    stem,
                    stages: stages.to_vec(),
                    outputs: decoder.width,
                },
                decoder,
                value: vec![128, 128],
            }
        };
        let decoder = |layers, heads, width, context| DecoderConfig {
            layers,
            heads,
            width,
            prefix: 4,
            context,
        };
        match self {
            Preset::Paper => model(1, 64, [256, 512, 1024, 2048], 2, decoder(8, 16, 256, 512)),
            Preset::Small => model(2, 32, [64, 128, 256, 512], 1, decoder(4, 4, 128, 256)),
            Preset::Tiny => Config {
                value: vec![32, 32],
                ..model(4, 8, [32, 32, 64, 64], 1, decoder(2, 2, 48, 96))
            },
        }
    }
}

/// What is wrong with sizes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Something that must be there is not.
    #[error("a model needs at least one of its {0}")]
    None(&'static str),
    /// Heads that do not divide the channels.
    #[error("{width} channels cannot be shared by {heads} heads")]
    Heads {
        /// Channels.
        width: usize,
        /// Heads.
        heads: usize,
    },
    /// Channels that have no quarter.
    #[error("a stage of {0} channels: the number must be a multiple of 4")]
    Channels(usize),
    /// More than any machine holds.
    #[error("{what} of {is}: at most {most}")]
    Large {
        /// Of what.
        what: &'static str,
        /// How many.
        is: usize,
        /// The limit.
        most: usize,
    },
}

impl Config {
    /// Whether a model can be made of it. What comes out of a file is checked before anything is
    /// built.
    ///
    /// # Errors
    ///
    /// With the first thing that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        const MOST: usize = 1 << 14;
        let (e, d) = (&self.encoder, &self.decoder);
        let mut sizes = vec![
            ("shrink", e.shrink),
            ("stem channels", e.stem),
            ("stages", e.stages.len()),
            ("outputs", e.outputs),
            ("layers", d.layers),
            ("heads", d.heads),
            ("channels", d.width),
            ("prefix tokens", d.prefix),
            ("tokens", d.context),
        ];
        sizes.extend(e.stages.iter().map(|s| ("blocks", s.blocks)));
        sizes.extend(e.stages.iter().map(|s| ("channels", s.channels)));
        sizes.extend(self.value.iter().map(|units| ("units", *units)));
        for (what, is) in sizes {
            if is == 0 {
                return Err(ConfigError::None(what));
            }
            if is > MOST {
                return Err(ConfigError::Large {
                    what,
                    is,
                    most: MOST,
                });
            }
        }
        if !d.width.is_multiple_of(d.heads) {
            return Err(ConfigError::Heads {
                width: d.width,
                heads: d.heads,
            });
        }
        let odd = e.stages.iter().find(|s| !s.channels.is_multiple_of(4));
        odd.map_or(Ok(()), |stage| Err(ConfigError::Channels(stage.channels)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_check_and_have_names() {
        for preset in Preset::ALL {
            assert_eq!(preset.config().check(), Ok(()));
            assert_eq!(Preset::named(preset.name()), Some(preset));
            let text = serde_json::to_string(&preset.config()).unwrap();
            assert_eq!(
                serde_json::from_str::<Config>(&text).unwrap(),
                preset.config()
            );
        }
        assert_eq!(Preset::named("huge"), None);
    }

    #[test]
    fn sizes_that_make_no_model_are_refused() {
        let wrong = |change: &dyn Fn(&mut Config)| {
            let mut config = Preset::Tiny.config();
            change(&mut config);
            config.check().unwrap_err()
        };
        assert_eq!(
            wrong(&|c| c.decoder.layers = 0),
            ConfigError::None("layers")
        );
        assert_eq!(
            wrong(&|c| c.encoder.stages.clear()),
            ConfigError::None("stages")
        );
        let heads = ConfigError::Heads {
            width: 48,
            heads: 5,
        };
        assert_eq!(wrong(&|c| c.decoder.heads = 5), heads);
        assert_eq!(
            wrong(&|c| c.encoder.stages[0].channels = 6),
            ConfigError::Channels(6)
        );
        let large = wrong(&|c| c.decoder.context = usize::MAX);
        assert!(matches!(large, ConfigError::Large { what: "tokens", .. }));
    }
}

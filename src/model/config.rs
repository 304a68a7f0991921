//! What a model is made of: sizes, and the presets that have names.
//!
//! In: a preset's name, or a configuration out of a checkpoint. Out: [`Config`]. Afterwards a model can be built
//! from it and a vocabulary alone.

use serde::{Deserialize, Serialize};

use super::learner::Predicts;

/// A model's architecture and its sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// The paper's.
    Paper(Config),
    /// A network that reads programs node by node; for policies.
    Nodes(NodesConfig),
}

impl From<Config> for Architecture {
    fn from(config: Config) -> Architecture {
        Architecture::Paper(config)
    }
}

impl From<NodesConfig> for Architecture {
    fn from(config: NodesConfig) -> Architecture {
        Architecture::Nodes(config)
    }
}

impl Architecture {
    /// The most that a model takes: tokens, or nodes of programs.
    pub fn context(&self) -> usize {
        match self {
            Architecture::Paper(config) => config.decoder.context,
            Architecture::Nodes(config) => config.context,
        }
    }

    /// Whether a model can be made of it.
    ///
    /// # Errors
    ///
    /// As [`Config::check`].
    pub fn check(&self) -> Result<(), ConfigError> {
        match self {
            Architecture::Paper(config) => config.check(),
            Architecture::Nodes(config) => config.check(),
        }
    }
}

/// A network that reads programs node by node (`nodes`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodesConfig {
    /// Most pixels on a side of the pictures that convolutions see; larger ones are averaged down.
    pub pixels: usize,
    /// Channels of the first two convolutions; the third has the width.
    pub channels: [usize; 2],
    /// Channels of everything else.
    pub width: usize,
    /// Heads of attention.
    pub heads: usize,
    /// Layers over nodes.
    pub layers: usize,
    /// Layers over tokens of replacements.
    pub writers: usize,
    /// Most nodes of a program.
    pub context: usize,
    /// Most tokens of a replacement.
    pub tokens: usize,
}

impl NodesConfig {
    /// Whether a model can be made of it.
    ///
    /// # Errors
    ///
    /// With the first thing that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        let [first, second] = self.channels;
        check_sizes([
            ("pixels", self.pixels),
            ("channels", first),
            ("channels", second),
            ("channels", self.width),
            ("heads", self.heads),
            ("layers", self.layers),
            ("layers of the writer", self.writers),
            ("nodes", self.context),
            ("tokens", self.tokens),
        ])?;
        check_heads(self.width, self.heads)
    }
}

/// The paper's sizes.
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

    /// What predicts that. Policies of the smaller presets read programs node by node; all else is as the paper
    /// has it, in the preset's sizes.
    pub fn architecture(self, predicts: Predicts) -> Architecture {
        match (self, predicts) {
            (Preset::Small, Predicts::Policy) => Architecture::Nodes(NodesConfig {
                pixels: 64,
                channels: [32, 64],
                width: 128,
                heads: 4,
                layers: 4,
                writers: 2,
                context: 256,
                tokens: 48,
            }),
            (Preset::Tiny, Predicts::Policy) => Architecture::Nodes(NodesConfig {
                pixels: 32,
                channels: [8, 16],
                width: 48,
                heads: 2,
                layers: 2,
                writers: 1,
                context: 96,
                tokens: 32,
            }),
            _ => Architecture::Paper(self.config()),
        }
    }

    /// Its sizes as the paper has them.
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
    /// Another architecture than the one that is built.
    #[error("these are not the sizes of the architecture `{0}`")]
    Other(&'static str),
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
        check_sizes(sizes)?;
        check_heads(d.width, d.heads)?;
        let odd = e.stages.iter().find(|s| !s.channels.is_multiple_of(4));
        odd.map_or(Ok(()), |stage| Err(ConfigError::Channels(stage.channels)))
    }
}

fn check_sizes(sizes: impl IntoIterator<Item = (&'static str, usize)>) -> Result<(), ConfigError> {
    const MOST: usize = 1 << 14;
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
    Ok(())
}

fn check_heads(width: usize, heads: usize) -> Result<(), ConfigError> {
    match width.is_multiple_of(heads) {
        true => Ok(()),
        false => Err(ConfigError::Heads { width, heads }),
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

//! Networks: operators, tokens, the encoder of pictures, the transformer that edits programs.
//!
//! In: a compiled language, pictures as bytes, programs. Out: scores of edits and of states, and
//! gradients. Afterwards nothing here knows where examples come from or how a search is run; a seed
//! gives the same weights, and the same weights the same bytes, for every number of threads of one
//! kind of processor.
//!
//! Tensors and the order of the backward pass are candle's. What it lacks or does slowly is in [`ops`].

pub mod checkpoint;
mod choose;
pub mod config;
pub mod decode;
pub mod decoder;
pub mod encoder;
pub mod learner;
pub mod net;
pub mod nodes;
pub mod open;
pub mod ops;
pub mod paper;
pub mod tokens;
pub mod value;
pub mod weights;

//! Operators and networks against PyTorch and timm: `tests/fixtures/model/make.py` made the fixtures.

mod fixture;
mod networks;
mod operators;
mod overfit;

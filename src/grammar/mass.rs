//! Weights that neither overflow nor underflow.
//!
//! The total weight of all programs of a size grows or shrinks exponentially with the size, for
//! depth even twice exponentially, so `f64` alone would lose it. A [`Mass`] is an `f64` mantissa
//! with a 64-bit exponent; sums and products are as exact as those of `f64`. Only additions,
//! multiplications and divisions are used, so results are the same on every machine.

use std::ops::{Add, AddAssign, Mul};

/// A number that is not negative: `mantissa * 2^exponent`, the mantissa in `1..2`, or 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mass {
    mantissa: f64,
    exponent: i64,
}

impl Mass {
    /// Nothing.
    pub const ZERO: Mass = Mass {
        mantissa: 0.0,
        exponent: 0,
    };
    /// One.
    pub const ONE: Mass = Mass {
        mantissa: 1.0,
        exponent: 0,
    };

    /// From a finite number; what is negative or not a number counts as 0.
    pub fn new(value: f64) -> Mass {
        Mass::normal(value, 0)
    }

    #[inline]
    fn normal(value: f64, exponent: i64) -> Mass {
        if value.is_nan() || value <= 0.0 {
            return Mass::ZERO;
        }
        if value < f64::MIN_POSITIVE {
            return Mass::normal(value * pow2(64), exponent - 64);
        }
        let bits = value.to_bits();
        let raised = ((bits >> 52) & 0x7ff) as i64 - 1023;
        Mass {
            mantissa: f64::from_bits((bits & !(0x7ff << 52)) | (1023 << 52)),
            exponent: exponent + raised,
        }
    }

    /// Whether it is 0.
    #[inline]
    pub fn is_zero(self) -> bool {
        self.mantissa == 0.0
    }

    /// The binary exponent; 0 for 0.
    pub fn exponent(self) -> i64 {
        self.exponent
    }

    /// As an `f64`: 0 or infinite when it does not fit.
    pub fn to_f64(self) -> f64 {
        if self.exponent > 1023 {
            f64::INFINITY
        } else if self.exponent < -1022 {
            // Below the normal numbers the power itself would be 0 already.
            self.mantissa * pow2(-1022) * pow2(self.exponent + 1022)
        } else {
            self.mantissa * pow2(self.exponent)
        }
    }

    /// `self / whole`, 0 when `whole` is 0.
    #[inline]
    pub fn share(self, whole: Mass) -> f64 {
        if whole.is_zero() || self.is_zero() {
            return 0.0;
        }
        let shift = self.exponent - whole.exponent;
        if shift > 1023 {
            return f64::INFINITY;
        }
        self.mantissa / whole.mantissa * pow2(shift)
    }
}

/// `2^exponent` for exponents up to 1023; 0 far below.
#[inline]
fn pow2(exponent: i64) -> f64 {
    if exponent >= -1022 {
        f64::from_bits(((exponent.min(1023) + 1023) as u64) << 52)
    } else {
        0.0
    }
}

impl Mul for Mass {
    type Output = Mass;

    #[inline]
    fn mul(self, other: Mass) -> Mass {
        if self.is_zero() || other.is_zero() {
            return Mass::ZERO;
        }
        Mass::normal(
            self.mantissa * other.mantissa,
            self.exponent + other.exponent,
        )
    }
}

impl Add for Mass {
    type Output = Mass;

    #[inline]
    fn add(self, other: Mass) -> Mass {
        if self.is_zero() {
            return other;
        }
        if other.is_zero() {
            return self;
        }
        let (big, small) = if self.exponent >= other.exponent {
            (self, other)
        } else {
            (other, self)
        };
        let shifted = small.mantissa * pow2(small.exponent - big.exponent);
        Mass::normal(big.mantissa + shifted, big.exponent)
    }
}

impl AddAssign for Mass {
    #[inline]
    fn add_assign(&mut self, other: Mass) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Mass {
    fn sum<I: Iterator<Item = Mass>>(iter: I) -> Mass {
        iter.fold(Mass::ZERO, Mass::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_f64_where_that_fits() {
        for &a in &[0.0, 1e-300, 0.3, 1.0, 7.25, 1e200, 5e-324] {
            for &b in &[0.0, 1e-5, 0.7, 2.0, 1e100] {
                let (x, y) = (Mass::new(a), Mass::new(b));
                assert_eq!((x + y).to_f64(), a + b);
                if a > 1e-200 {
                    assert_eq!((x * y).to_f64(), a * b);
                }
                if b > 0.0 && a > 1e-200 {
                    assert_eq!(x.share(y), a / b);
                }
            }
        }
    }

    #[test]
    fn powers_past_the_range_of_f64_keep_their_ratio() {
        let mut huge = Mass::ONE;
        let mut tiny = Mass::ONE;
        for _ in 0..10_000 {
            huge = huge * Mass::new(1e5);
            tiny = tiny * Mass::new(1e-5);
        }
        assert_eq!(huge.to_f64(), f64::INFINITY);
        assert_eq!(tiny.to_f64(), 0.0);
        let one = (huge * tiny).to_f64();
        assert!((one - 1.0).abs() < 1e-9, "{one}");
        assert_eq!((huge + huge).share(huge), 2.0);
    }
}

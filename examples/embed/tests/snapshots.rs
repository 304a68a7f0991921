//! What the generated samplers and mutators do, for people to review: `cargo insta review`.

use embed::badge::LANGUAGE;

#[test]
fn badges_at_random() {
    tdc::assert_samples!(LANGUAGE.compiled().unwrap(), seed = 7, count = 5);
}

#[test]
fn every_mutator_of_badges() {
    tdc::assert_mutators!(LANGUAGE.compiled().unwrap(), seed = 7, count = 1);
}

//! Names that are not fine in Rust.

use crate::hostile_names::{
    I64, Option as Opt, OptionSome, Self_, SelfBox, Sign, Some as So, String as Word,
};

#[test]
fn they_are_called_otherwise() {
    let word = Word::new("abc").expect("a word");
    let option: Opt = OptionSome { value: word }.into();
    assert_eq!(option.to_string(), "some abc");
    let of = SelfBox {
        r#fn: Sign::LessEquals,
        crate_: I64::MIN,
    };
    let of = Self_::Box(of);
    assert_eq!(of.to_string(), "box <= -1000000");
    assert_eq!(Self_::parse("box <= -1000000").expect("its text"), of);
    assert_eq!(So.to_string(), "so");
    assert_eq!(Sign::ALL.len(), 7);
    assert_eq!(Sign::Self_.as_str(), "Self");
    assert_eq!(Sign::Self2.as_str(), "self");
}

//! Typed trees as their users handle them.

use std::thread;

use tdc::typed::{Edit, Error, MAX_DEPTH, seeded};

use crate::csg2d::visit::{Visit, VisitMut, walk_circle, walk_shape_mut};
use crate::csg2d::{Angle, Circle, Combine, Coord, Op, Shape};
use crate::{arith, imp, json, mandala, street, tinysvg};

fn coord(value: i64) -> Coord {
    Coord::new(value).expect("on the grid")
}

fn disc(r: i64, x: i64, y: i64) -> Shape {
    let (r, x, y) = (coord(r), coord(x), coord(y));
    Circle { r, x, y }.into()
}

fn cut(a: Shape, b: Shape) -> Shape {
    let (a, b) = (Box::new(a), Box::new(b));
    Combine { op: Op::Sub, a, b }.into()
}

#[test]
fn trees_are_built_and_written() {
    let donut = cut(disc(6, 8, 8), disc(3, 8, 8));
    assert_eq!(donut.to_string(), "(- (Circle 6 8 8) (Circle 3 8 8))");
    assert_eq!(donut.to_string().parse::<Shape>().expect("its text"), donut);
    assert_eq!(format!("{:>20}", disc(1, 2, 3)), "      (Circle 1 2 3)");
    assert_eq!(donut.size(), 2);
    assert!(donut.to_svg().expect("a picture").starts_with("<svg"));
    assert_eq!(
        format!("{:?}", disc(1, 2, 3)),
        "Circle(Circle { r: Coord(1), x: Coord(2), y: Coord(3) })"
    );
}

#[test]
fn values_are_those_of_the_token() {
    assert_eq!(Coord::new(15), Some(Coord::MAX));
    assert_eq!(Coord::new(16), None);
    assert_eq!(Coord::new(-1), None);
    assert_eq!(Angle::new(45).map(Angle::get), Some(45));
    assert_eq!(Angle::new(44), None);
    assert_eq!("315".parse::<Angle>().expect("a value"), Angle::MAX);
    let said = Coord::try_from(99).expect_err("too large").to_string();
    assert_eq!(said, "`99` is not a Coord (0..=15)");
    let said = "8x".parse::<Coord>().expect_err("not a number").to_string();
    assert_eq!(said, "`8x` is not a Coord (0..=15)");

    let half = mandala::Away::new(0.5).expect("on the grid");
    assert_eq!(half.to_string(), "0.5");
    assert_eq!(format!("{half:?}"), "Away(0.5)");
    assert!(mandala::Away::new(0.25).is_none() && mandala::Away::new(f64::NAN).is_none());
    assert!((mandala::Away::MAX.get() - 52.0).abs() < f64::EPSILON);
    assert!(mandala::Away::MIN < mandala::Away::MAX);

    assert_eq!(tinysvg::Sign::ALL.map(tinysvg::Sign::as_str), ["+", "-"]);
    assert_eq!(
        "-".parse::<tinysvg::Sign>().expect("a value"),
        tinysvg::Sign::Minus
    );
    assert_eq!(
        "orange".parse::<tinysvg::Paint>().expect("a value"),
        tinysvg::Paint::Orange
    );
    assert!("pink".parse::<tinysvg::Paint>().is_err());

    assert!(imp::Name::new("x1").is_ok());
    for wrong in ["", "X", "1x", "while", "x y", " x", "x ", "x\n"] {
        assert!(imp::Name::new(wrong).is_err(), "{wrong:?}");
    }
    assert!(json::Text::new("\"\\u00e9\"").is_ok() && json::Text::new("bare").is_err());
}

#[test]
fn mistakes_are_explained() {
    let said = |error: Error| error.to_string();
    let wrong = Shape::parse("(Circle 3 4 16)").expect_err("out of range");
    assert_eq!(said(wrong), "at byte 12: `16` is not a Coord (0..=15)");
    let wrong = Op::parse("*").expect_err("no such operator");
    assert_eq!(
        said(wrong),
        "at byte 0: no word of the language begins with `*`"
    );
    let wrong = Op::parse("+ +").expect_err("too much");
    assert_eq!(
        said(wrong),
        "at byte 2: expected the end of the program, found `+`"
    );

    let lit = |n: i64| arith::Lit {
        value: arith::Number::new(n).expect("a number"),
    };
    let sum = arith::Add {
        left: Box::new(lit(1).into()),
        right: Box::new(lit(2).into()),
    };
    let product = arith::Mul {
        left: Box::new(sum.into()),
        right: Box::new(lit(3).into()),
    };
    let product: arith::Expr = product.into();
    assert_eq!(product.to_string(), "1 + 2 * 3");
    assert_eq!(
        said(product.to_program().expect_err("brackets are missing")),
        "`Add` cannot stand as an operand that binds like `Mul` or tighter (Expr) without brackets: \
         its text would be read as another tree"
    );
    let mut tree = product.clone();
    tree.mutate(&mut seeded(1)).expect_err("it is no program");
    assert_eq!(tree, product);

    let empty = imp::Program { body: Vec::new() };
    assert_eq!(
        said(empty.to_program().expect_err("it is empty")),
        "a list of one Stmt or more has none"
    );
    assert_eq!(empty.to_string(), "");

    let other = Shape::sample(&mut seeded(1), 2..=8)
        .expect("a shape")
        .to_program()
        .expect("a program");
    assert_eq!(
        said(json::Value::from_program(&other).expect_err("another language")),
        "the program is not a Value of this language"
    );
    let said_of_sizes = said(Shape::sample(&mut seeded(1), 0..=0).expect_err("too small"));
    assert_eq!(
        said_of_sizes,
        "no `Shape` has a size in 0..=0; sizes that exist: 1..=8"
    );
}

#[test]
fn edits_that_do_not_fit_change_nothing() {
    let donut = cut(disc(6, 8, 8), disc(3, 8, 8));
    let shape = disc(1, 1, 1).to_program().expect("a program");
    let op = Op::Add.to_program().expect("a program");
    for (position, replacement, fits) in [
        (0, &shape, true),
        (1, &shape, false),
        (1, &op, true),
        (0, &op, false),
        (3, &shape, false),
        (6, &shape, true),
        (10, &shape, false),
        (usize::MAX, &shape, false),
    ] {
        let mut tree = donut.clone();
        let edit = Edit {
            position,
            replacement: replacement.clone(),
        };
        let done = tree.apply(&edit);
        assert_eq!(done.is_ok(), fits, "{position}");
        if let Ok(inverse) = done {
            tree.apply(&inverse).expect("it fits");
        }
        assert_eq!(tree, donut);
    }
}

#[test]
fn visitors_find_and_change() {
    #[derive(Default)]
    struct Reach(i64);
    impl Visit for Reach {
        fn visit_circle(&mut self, node: &Circle) {
            self.0 = self.0.max(node.x.get() + node.r.get());
            walk_circle(self, node);
        }
    }
    struct Swap;
    impl VisitMut for Swap {
        fn visit_shape_mut(&mut self, node: &mut Shape) {
            walk_shape_mut(self, node);
        }
        fn visit_op_mut(&mut self, node: &mut Op) {
            *node = Op::Add;
        }
        fn visit_coord_mut(&mut self, node: &mut Coord) {
            *node = Coord::new(node.get() / 2).expect("smaller");
        }
    }
    let mut donut = cut(disc(6, 8, 8), disc(3, 4, 8));
    let mut reach = Reach::default();
    reach.visit_shape(&donut);
    assert_eq!(reach.0, 14);
    Swap.visit_shape_mut(&mut donut);
    assert_eq!(donut.to_string(), "(+ (Circle 3 4 4) (Circle 1 2 4))");
}

/// On a thread with the stack that Rust gives to threads.
fn with_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(2 << 20).spawn(work);
    thread
        .expect("a thread")
        .join()
        .expect("it does not overflow");
}

#[test]
fn what_is_too_deep_is_refused_and_what_is_not_fits_the_stack() {
    with_small_stack(|| {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let deep = json::Value::parse(&nested(MAX_DEPTH)).expect("not too deep");
        let copy = deep.clone();
        assert_eq!(copy, deep);
        assert!(format!("{deep:?}").len() > MAX_DEPTH);
        assert_eq!(deep.to_string(), nested(MAX_DEPTH));
        let again = json::Value::from_program(&deep.to_program().expect("a program"));
        assert_eq!(again.expect("not too deep"), deep);
        for depth in [MAX_DEPTH + 1, 100_000] {
            let error = json::Value::parse(&nested(depth)).expect_err("too deep");
            assert!(matches!(error, Error::TooDeep), "{error}");
        }
        // An edit that would go too deep is refused as well.
        let mut deep = deep;
        let mut rng = seeded(1);
        let small = json::Value::parse("[[]]")
            .expect("a value")
            .to_program()
            .expect("a program");
        let inmost = 2 * MAX_DEPTH - 2;
        let edit = Edit {
            position: inmost,
            replacement: small,
        };
        assert!(matches!(deep.apply(&edit), Err(Error::TooDeep)));
        assert_eq!(deep, copy);
        for _ in 0..200 {
            // Now and then it would go too deep; never does it overflow.
            let _ = deep.mutate(&mut rng);
        }
        // Built by hand it can be deeper than what is read.
        let mut tree = copy;
        for _ in 0..5 {
            tree = json::Array { items: vec![tree] }.into();
        }
        assert!(matches!(tree.to_program(), Err(Error::TooDeep)));
        assert!(!tree.to_string().is_empty());
    });
    with_small_stack(|| {
        let text = format!("x := {}1;", "not ".repeat(MAX_DEPTH - 3));
        let deep = imp::Program::parse(&text).expect("not too deep");
        let copy = deep.clone();
        assert_eq!(copy.to_string(), text);
        assert!(format!("{deep:?}").len() > MAX_DEPTH);
        let text = format!("x := {}1;", "not ".repeat(MAX_DEPTH + 1));
        assert!(matches!(imp::Program::parse(&text), Err(Error::TooDeep)));
        // A statement within a block within a statement: more of the stack for each level.
        let text = format!(
            "{}x := 1; {}",
            "while x { ".repeat(MAX_DEPTH - 20),
            "}".repeat(MAX_DEPTH - 20)
        );
        let mut deep = imp::Program::parse(&text).expect("not too deep");
        assert!(!format!("{:?}", deep.clone()).is_empty());
        assert_eq!(
            imp::Program::parse(&deep.to_string()).expect("its text"),
            deep
        );
        let done = deep.mutate(&mut seeded(2)).expect("something changes");
        deep.apply(&done.inverse).expect("it fits");
        let ifs = "if x { } else ".repeat(MAX_DEPTH - 3);
        let deep = imp::Program::parse(&format!("{ifs}{{ }}")).expect("not too deep");
        assert_eq!(deep.clone(), deep);
    });
}

#[test]
fn lists_may_be_long() {
    with_small_stack(|| {
        let text = format!("[{}0]", "0, ".repeat(100_000));
        let mut long = json::Value::parse(&text).expect("a list");
        assert_eq!(long.to_string(), text);
        let done = long.mutate(&mut seeded(3)).expect("something changes");
        long.apply(&done.inverse).expect("it fits");
        assert_eq!(long.to_string(), text);
    });
}

#[test]
fn threads_share_a_language() {
    let texts: Vec<String> = thread::scope(|scope| {
        let handles: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut rng = seeded(5);
                    let mut street = street::Street::random(&mut rng).expect("a street");
                    street.mutate(&mut rng).expect("a change");
                    street.to_string()
                })
            })
            .collect();
        handles
            .into_iter()
            .map(|handle| handle.join().expect("a text"))
            .collect()
    });
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]));
}

//! The Rust of the book's chapter on generated code runs, word for word.

use tdc::typed::{Error, seeded};

use crate::csg2d::{Circle, Combine, Coord, Op, Shape};

fn types() -> Option<()> {
    let disc = |r, x, y| -> Option<Shape> {
        let (r, x, y) = (Coord::new(r)?, Coord::new(x)?, Coord::new(y)?);
        Some(Circle { r, x, y }.into())
    };
    let donut: Shape = Combine {
        op: Op::Sub,
        a: Box::new(disc(6, 8, 8)?),
        b: Box::new(disc(3, 8, 8)?),
    }
    .into();
    assert_eq!(donut.to_string(), "(- (Circle 6 8 8) (Circle 3 8 8))");
    assert_eq!(donut.to_string().parse::<Shape>().ok()?, donut);
    Some(())
}

fn operators() -> Result<(), Error> {
    let mut rng = seeded(7);
    let mut shape = Shape::sample(&mut rng, 2..=8)?;
    let before = shape.clone();

    // A small change, as `mutate` in the grammar says, and back.
    let done = shape.mutate(&mut rng)?;
    shape.apply(&done.inverse)?;
    assert_eq!(shape, before);

    // A small change by name.
    if let Ok(done) = Circle::mutate_r(&mut shape, &mut rng) {
        shape.apply(&done.inverse)?;
    }

    // Small changes that lead to another shape.
    let other = Shape::parse("(+ (Circle 1 2 3) (Quad 4 5 6 7 45))")?;
    for step in shape.edit_path(&other, &mut rng)? {
        shape.apply(&step.edit)?;
    }
    assert_eq!(shape, other);
    assert_eq!(shape.size(), 2);
    let picture = shape.to_svg()?;
    assert!(picture.starts_with("<svg"));
    Ok(())
}

#[test]
fn the_chapter_is_true() {
    types().expect("values in range");
    operators().expect("no error");
    let page = include_str!("../../book/src/generated.md");
    let tested = include_str!("book.rs");
    let blocks: Vec<&str> = page.split("```rust\n").skip(1).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let (block, _) = block.split_once("```").expect("a block ends");
        let indented: String = block
            .lines()
            .map(|line| match line {
                "" => "\n".to_owned(),
                line => format!("    {line}\n"),
            })
            .collect();
        assert!(tested.contains(&indented), "not run:\n{block}");
    }
}

//! Languages for tests: every shipped one that draws, and two that use what those do not.

use crate::Compiled;

/// Ink, centred; groups under maps, text that is counted, lists of shapes.
const PLATES: &str = "\
language plates
use std.shape.{disc, rounded_box, segment, regular, everything, union_of}
use std.transform.{shift, turn, scale, mirror_x}
use std.math.{count}
start Plate
canvas 96 x 80 ink, centred
goal iou >= 0.95
sample size 2..=9
mutate small 2
token Len = 2..=40
token Off = real -30..=30 step 0.25
token Deg = 0..=330 step 30
token Name = /[a-z]{1,6}/ length 1..=6
sort Plate {
    @primitive Disc  = \"disc\" r:Len
    @primitive Plank = \"plank\" w:Len h:Len round:Len?
    @primitive Rod   = \"rod\" x:Off y:Off w:Len
    @primitive Word  = \"word\" name:Name
    @weight(0.2) Put   = \"put\" of:Plate \"at\" x:Off y:Off
    @weight(0.2) Twist = \"twist\" of:Plate \"by\" by:Deg
    @weight(0.1) Flat  = \"flat\" of:Plate
    Cut  = \"(\" a:Plate \"-\" b:Plate \")\"
    Both = \"(\" a:Plate \"&\" b:Plate \")\"
    @weight(0.15) All  = \"[\" all:Plate+ sep \",\" \"]\"
    @weight(0.05) Not  = \"not\" of:Plate
}
draw Plate -> Region {
    Disc  => disc(r / 2)
    Plank => rounded_box(w, h, round ?? 0)
    Rod   => segment((0, 0), (x, y), w / 4)
    Word  => regular(count(name) + 2, 12)
    Put   => shift(of, x, y)
    Twist => turn(of, by)
    Flat  => scale(mirror_x(of), 1, 0.5)
    Cut   => a - b
    Both  => a & b
    All   => union_of(all)
    Not   => everything() - of
}
";

/// Colour; drawings under maps, drawings used twice, lists, see-through paint.
const FLAGS: &str = "\
language flags
use std.shape.{disc, box, star}
use std.transform.{turn, scale}
use std.paint.{fill, stroke, stack}
use std.layout.{beside, nudge}
use std.color.{alpha}
start Flag
canvas 72 x 100 rgb on #204060, centred
goal pixels within 0.02 share 0.97
sample size 2..=7
mutate small 2
token Len = 1..=30
token Deg = 0..=350 step 10
token Hue = \"red\" -> red | \"sand\" -> #e8d8a0 | \"ink\" -> #101018 | \"none\" -> none
sort Flag {
    @primitive Spot = \"spot\" hue:Hue r:Len
    @primitive Bar  = \"bar\" hue:Hue edge:Hue w:Len h:Len
    @primitive Star = \"star\" hue:Hue r:Len
    @weight(0.15) Lean = \"lean\" of:Flag by:Deg
    @weight(0.1) Twice = \"twice\" of:Flag by:Len
    Next = \"(\" a:Flag \"|\" b:Flag \")\"
    @weight(0.15) Pile = \"{\" all:Flag+ sep \",\" \"}\"
}
draw Flag -> Drawing {
    Spot  => fill(disc(r), alpha(hue, 0.5))
    Bar   => fill(box(w, h), hue) + stroke(box(w, h), 3, edge)
    Star  => fill(star(5, r, r / 2) - disc(r / 4), hue)
    Lean  => turn(of, by)
    Twice => of + nudge(scale(of, 0.5, 0.5), by, by)
    Next  => beside(a, b, 2)
    Pile  => stack(all)
}
";

/// Every language above and every shipped one that draws.
pub(crate) fn pictures() -> Vec<Compiled> {
    let mut all: Vec<Compiled> = [("plates", PLATES), ("flags", FLAGS)]
        .iter()
        .map(|(name, text)| match Compiled::from_text(name, text) {
            Ok(compiled) => compiled,
            Err(error) => panic!("{error}"),
        })
        .collect();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/grammars");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("grammars are there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "tdg"))
        .collect();
    paths.sort();
    for path in paths {
        match Compiled::load(&path) {
            Ok(compiled) if compiled.grammar.canvas.is_some() => all.push(compiled),
            Ok(_) => {}
            Err(error) => panic!("{error}"),
        }
    }
    all
}

//! Texts of snapshots: what they show, how they are set, and that they stay.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::folder::{SnapshotOptions, State, accept, compare, draw, recorded};
use super::lines::{WIDTH, columns};
use super::*;
use crate::sample::Sampler;

fn shipped() -> Vec<Compiled> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir("grammars")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "tdg"))
        .collect();
    paths.sort();
    let load = |path: &PathBuf| Compiled::load(path).unwrap_or_else(|e| panic!("{e}"));
    paths.iter().map(load).collect()
}

fn compiled(text: &str) -> Compiled {
    Compiled::from_text("test", text).unwrap_or_else(|e| panic!("{e}"))
}

/// A program set in lines, and carets under a node.
fn marked(compiled: &Compiled, program: &str, position: usize) -> String {
    let program = compiled.parse(program).unwrap_or_else(|e| panic!("{e:?}"));
    let mut out = String::new();
    Shown::new(compiled, &program).write_marked("  ", position, "here", &mut out);
    out
}

/// Lines and what the carets in them stand under, a character each, put together again.
fn joined(text: &str, margin: usize) -> (String, String) {
    let (mut program, mut under) = (String::new(), String::new());
    let mut last = "";
    let mut first = true;
    for line in text.lines() {
        let carets = line.trim_start();
        if carets.starts_with('^') && carets.split(' ').next().unwrap().chars().all(|c| c == '^') {
            let from = line.find('^').unwrap();
            let count = carets.chars().take_while(|c| *c == '^').count();
            let shown: Vec<char> = last.chars().collect();
            let end = (from + count).min(shown.len());
            under.extend(shown.get(from..end).unwrap_or(&[]));
            continue;
        }
        let own = if first { &line[margin..] } else { carets };
        if !first && !program.ends_with('\\') {
            program.push(' ');
        } else if !first {
            program.pop();
        }
        program.push_str(own);
        last = line;
        first = false;
    }
    (program, under)
}

#[test]
fn a_part_has_carets_and_a_place_without_text_has_one() {
    let imp = Compiled::load("grammars/imp.tdg").unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        marked(&imp, "print 1, 2;", 4),
        "  print 1, 2;\n        ^ here\n"
    );
    // Program, Cons, While, True, Block, Nil: the empty block's list.
    assert_eq!(
        marked(&imp, "while true {}", 5),
        "  while true {}\n              ^ here\n"
    );
    // The end of the program has a place too.
    let last = marked(&imp, "return;", 4);
    assert_eq!(last, "  return;\n         ^ here\n");
    // A position that is not there is shown at the end.
    assert!(marked(&imp, "return;", 99).contains("^ here"));
}

#[test]
fn long_programs_are_set_in_lines_that_can_be_read_back() {
    let (mut wrapped, mut cut) = (0, 0);
    for compiled in shipped() {
        let mut spec = compiled.grammar.sample;
        spec.max = spec.max.max(spec.min + 30);
        let sampler = Sampler::new(&compiled, spec).unwrap();
        for seed in 0..60 {
            let program = sampler.sample(&mut sample::stream(seed, 7));
            let shown = Shown::new(&compiled, &program);
            let (text, spans) =
                crate::tree::print_spans(&compiled.grammar, &compiled.syntax, &program);
            let position = seed as usize * 7 % program.len();
            let mut out = String::new();
            shown.write_marked("12  ", position, "", &mut out);
            for line in out.lines() {
                assert!(columns(line) <= WIDTH, "{line}");
                assert_eq!(line.trim_end(), line);
            }
            let (program_again, under) = joined(&out, 4);
            assert_eq!(program_again, text);
            // Spaces at the end of a line have no caret.
            let part = &text[spans[position].clone()];
            let without = |text: &str| text.replace([' ', '\\'], "");
            if !part.is_empty() {
                assert_eq!(without(&under), without(part), "{out}");
            }
            wrapped += usize::from(out.lines().count() > 2);
            cut += usize::from(out.contains("\\\n"));
        }
    }
    assert!(wrapped > 100, "{wrapped}");
    // A text of thousands of characters without a space.
    let arith = Compiled::load("grammars/arith.tdg").unwrap_or_else(|e| panic!("{e}"));
    let deep = format!("{}1{}", "(".repeat(300), ")".repeat(300));
    let out = marked(&arith, &deep, 150);
    assert!(out.lines().all(|line| columns(line) <= WIDTH), "{out}");
    assert_eq!(joined(&out, 2).0, deep);
    cut += usize::from(out.contains("\\\n"));
    assert!(cut > 0);
}

#[test]
fn lines_break_where_a_program_is_least_deep() {
    let imp = Compiled::load("grammars/imp.tdg").unwrap_or_else(|e| panic!("{e}"));
    let program = imp.parse(
        "while alpha < beta {alpha := alpha + 1; print alpha;} print alpha, beta, gamma, delta; \
         print epsilon, zeta;",
    );
    let mut out = String::new();
    Shown::new(&imp, &program.unwrap()).write("1   ", &mut out);
    assert_eq!(
        out,
        "1   while alpha < beta {alpha := alpha + 1; print alpha;} print alpha, beta, gamma, delta;\n      \
         print epsilon, zeta;\n"
    );
}

#[test]
fn control_characters_and_wide_ones_keep_their_columns() {
    let texts = compiled(
        "language l\nstart S\nsample size 1..=1\ntoken T = /<[^<>]*>/ length 2..=4\n\
         sort S { @primitive S = a:T b:T }",
    );
    let out = marked(&texts, "<a\tb> <c>", 2);
    assert_eq!(out, "  <a\\tb> <c>\n         ^^^ here\n");
    let out = marked(&texts, "<\u{6f22}\u{5b57}> <c>", 2);
    assert_eq!(columns(out.lines().next().unwrap()), 12);
    assert_eq!(out.lines().nth(1), Some("         ^^^ here"));
    // Spaces in a text are its own: no line ends there.
    let long = format!("<{}> <c>", "word ".repeat(40));
    let (again, _) = joined(&marked(&texts, &long, 2), 2);
    assert_eq!(again, long);
}

#[test]
fn samples_are_those_of_tdc_sample() {
    let csg2d = Compiled::load("grammars/csg2d.tdg").unwrap_or_else(|e| panic!("{e}"));
    let text = samples(&csg2d, 7, 3).unwrap();
    let sampler = Sampler::new(&csg2d, csg2d.grammar.sample).unwrap();
    let mut lines = text.lines();
    for index in 0..3 {
        let program = csg2d.print(&sampler.sample(&mut sample::stream(7, index)));
        let first = lines.find(|line| line.starts_with(&format!("{} ", index + 1)));
        assert!(program.starts_with(&first.unwrap()[4..]), "{program}");
    }
    // More of them leaves the others as they were.
    assert!(samples(&csg2d, 7, 9).unwrap().starts_with(&text));
    assert_ne!(samples(&csg2d, 8, 3).unwrap(), text);
}

#[test]
fn every_mutator_of_every_shipped_grammar_is_shown_or_has_a_reason() {
    for compiled in shipped() {
        let grammar = &compiled.grammar;
        let text = mutators(&compiled, 0, 1).unwrap();
        assert_eq!(text, mutators(&compiled, 0, 1).unwrap());
        assert!(!text.contains("finds nothing"), "{}", grammar.name);
        let (shown, never) = text.split_once("Never:\n").unwrap_or((&text, ""));
        let mut names = BTreeSet::new();
        for block in shown.trim_end().split("\n\n") {
            let (name, change) = block.split_once('\n').unwrap();
            let arrow = change
                .lines()
                .filter(|line| line.starts_with(" => "))
                .count();
            let carets = change
                .lines()
                .filter(|line| line.trim_start().starts_with('^'));
            assert!(arrow == 1 && carets.count() >= 2, "{block}");
            assert!(names.insert(name.to_owned()), "{name} twice");
        }
        for line in never.lines() {
            let (name, why) = line.split_once(": ").unwrap();
            assert!(!why.is_empty() && names.insert(name.to_owned()), "{line}");
        }
        let all = NamedMutator::all(grammar).into_iter();
        let all: BTreeSet<String> = all.map(|named| named.name(grammar)).collect();
        assert_eq!(names, all);
    }
}

#[test]
fn a_mutator_without_effect_says_why() {
    let odd = compiled(
        "language odd\nstart Top\nsample size 1..=3\nmutate small 2\ntoken N = 0..=9\n\
         sort Top { Top = \"t\" a:Leaf u:Unit }\n\
         sort Leaf { @primitive Leaf = n:N Pair = \"(\" a:Leaf b:Leaf \")\" }\n\
         sort Unit { Unit = \"u\" }",
    );
    let text = mutators(&odd, 0, 1).unwrap();
    let (_, never) = text.split_once("\n\nNever:\n").unwrap();
    assert_eq!(
        never,
        "Top::mutate_u: there is only one Unit of size 2 or less\n\
         Unit::replace_unit: there is only one Unit of size 2 or less\n"
    );
    let one = mutations_by(&odd, "Unit::replace_unit", 0, 3).unwrap();
    assert_eq!(
        one,
        "Unit::replace_unit never does anything: there is only one Unit of size 2 or less\n"
    );
}

#[test]
fn one_mutator_several_times_gives_different_changes() {
    let csg2d = Compiled::load("grammars/csg2d.tdg").unwrap_or_else(|e| panic!("{e}"));
    let text = mutations_by(&csg2d, "Quad::mutate_theta", 3, 5).unwrap();
    let (title, changes) = text.split_once('\n').unwrap();
    assert_eq!(title, "Quad::mutate_theta");
    let blocks: BTreeSet<&str> = changes.trim_end().split("\n\n").collect();
    assert_eq!(blocks.len(), 5);
    assert!(blocks.iter().all(|block| block.contains(", Angle\n")));
    // It shows there what it shows among the others.
    let all = mutators(&csg2d, 3, 5).unwrap();
    assert!(all.contains(&text), "{all}");
    // A language with two programs has two changes.
    let coin = compiled(
        "language coin\nstart C\nsample size 1..=1\ntoken T = \"heads\" | \"tails\"\n\
         sort C { @primitive C = side:T }",
    );
    let text = mutations_by(&coin, "C::mutate_side", 0, 9).unwrap();
    assert_eq!(text.matches(" => ").count(), 2, "{text}");
}

#[test]
fn paths_arrive() {
    for compiled in shipped() {
        let text = paths(&compiled, 4, 3).unwrap();
        for block in text.trim_end().split("\n\n") {
            let (title, steps) = block.split_once('\n').unwrap();
            let count: usize = title.split(' ').nth(1).unwrap().parse().unwrap();
            let programs = steps
                .lines()
                .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
            assert_eq!(programs.count(), count + 1, "{block}");
            // Every program but the last has its carets.
            assert_eq!(block.matches("node ").count(), count, "{block}");
        }
    }
}

#[test]
fn wrong_requests_are_errors() {
    let csg2d = Compiled::load("grammars/csg2d.tdg").unwrap_or_else(|e| panic!("{e}"));
    let json = Compiled::load("grammars/json.tdg").unwrap_or_else(|e| panic!("{e}"));
    for count in [0, MAX_COUNT + 1, u32::MAX] {
        let error = samples(&csg2d, 0, count).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("a count of {count} is out of range: a snapshot shows 1 to 1000")
        );
        assert!(mutations(&csg2d, 0, count).is_err());
        assert!(mutators(&csg2d, 0, count).is_err());
        assert!(paths(&csg2d, 0, count).is_err());
        assert!(pictures(&csg2d, 0, count).is_err());
        assert!(drawings(&csg2d, 0, count).is_err());
    }
    assert!(samples(&csg2d, u64::MAX, 1).is_ok());
    let error = mutations_by(&csg2d, "Circle::mutate_R", 0, 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`csg2d` has no mutator `Circle::mutate_R`; `Circle::mutate_r` is near"
    );
    let error = pictures(&json, 0, 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`json` has no `canvas`, so its programs have no pictures"
    );
}

#[test]
fn pictures_show_what_the_solver_sees() {
    let plain = Compiled::load("grammars/csg2d.tdg").unwrap_or_else(|e| panic!("{e}"));
    let sketch = Compiled::load("grammars/csg2d_sketch.tdg").unwrap_or_else(|e| panic!("{e}"));
    let (plain, sketched) = (
        pictures(&plain, 0, 2).unwrap(),
        pictures(&sketch, 0, 2).unwrap(),
    );
    assert_eq!(plain.matches("<svg").count(), 2);
    assert_eq!(sketched.matches("<svg").count(), 2);
    assert!(sketched.contains("stroke-linecap") && !plain.contains("stroke-linecap"));
    let all = examples(&sketch).unwrap();
    assert_eq!(all.len(), sketch.grammar.examples.len());
    assert!(all[0].pixels().unwrap().data.iter().any(|ink| *ink > 100));
}

#[test]
fn a_folder_is_compared_accepted_and_cleared() {
    let text = std::fs::read_to_string("grammars/tinysvg.tdg").unwrap();
    let before = compiled(&text);
    // Ellipses are drawn half as wide.
    let drawn = text.replace("ellipse(steps(w) / 2,", "ellipse(steps(w) / 4,");
    assert_ne!(drawn, text);
    let after = compiled(&drawn);
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("snapshots/tinysvg");
    let options = SnapshotOptions { seed: 5, count: 4 };
    let all = |compiled| draw(compiled, options, &mut |_, _| true).unwrap();
    assert_eq!(recorded(&folder), None);

    let found = compare(&folder, &all(&before)).unwrap();
    assert_eq!(found.len(), 4 + 3 + 4);
    assert!(found.iter().all(|finding| finding.state == State::Missing));
    accept(&found).unwrap();
    assert_eq!(recorded(&folder), Some(options));
    let found = compare(&folder, &all(&before)).unwrap();
    assert!(found.iter().all(|finding| finding.state == State::Same));

    // Another picture of the same programs.
    let found = compare(&folder, &all(&after)).unwrap();
    let mut panels = Vec::new();
    for finding in &found {
        match &finding.state {
            State::Changed {
                before,
                pixels,
                panels: Some(Ok(panel)),
            } => {
                assert_ne!(Some(before), finding.text.as_ref());
                assert!(pixels.as_ref().unwrap().contains("% of its pixels"));
                assert!(panel.is_file() && panel.to_string_lossy().ends_with(".diff.png"));
                panels.push(panel.clone());
            }
            state => assert_eq!(*state, State::Same, "{}", finding.name),
        }
    }
    assert!(panels.len() >= 2, "{found:?}");
    assert!(
        panels
            .iter()
            .any(|path| path.ends_with("pictures/example-ball.diff.png"))
    );
    accept(&found).unwrap();
    assert!(panels.iter().all(|panel| !panel.exists()));

    // Fewer of them: what is left over is stale, what is somebody's own is not.
    std::fs::write(folder.join("notes.txt"), "mine").unwrap();
    std::fs::write(folder.join("pictures/sample-of-mine.svg"), "mine").unwrap();
    let fewer = SnapshotOptions { seed: 5, count: 3 };
    let few = draw(&after, fewer, &mut |_, _| true).unwrap();
    let found = compare(&folder, &few).unwrap();
    let stale: Vec<&str> = found
        .iter()
        .filter(|finding| finding.state == State::Stale)
        .map(|finding| finding.name.as_str())
        .collect();
    assert_eq!(stale, ["pictures/sample-4.svg"]);
    accept(&found).unwrap();
    assert!(!folder.join("pictures/sample-4.svg").exists());
    assert!(folder.join("notes.txt").exists());
    assert!(folder.join("pictures/sample-of-mine.svg").exists());
    assert_eq!(recorded(&folder), Some(fewer));

    // A kept picture that is no picture any more.
    std::fs::write(folder.join("pictures/sample-1.svg"), "<svg").unwrap();
    std::fs::write(folder.join("pictures/sample-2.svg"), [0xff, 0xfe]).unwrap();
    std::fs::write(folder.join("pictures/sample-3.svg"), "<g>".repeat(500)).unwrap();
    let found = compare(&folder, &few).unwrap();
    let errors = found.iter().filter(|finding| {
        matches!(
            &finding.state,
            State::Changed {
                panels: Some(Err(_)),
                ..
            }
        )
    });
    assert_eq!(errors.count(), 3);
    // Line ends that Git has changed are the same.
    accept(&found).unwrap();
    let samples = folder.join("samples.txt");
    let windows = std::fs::read_to_string(&samples)
        .unwrap()
        .replace('\n', "\r\n");
    std::fs::write(&samples, windows).unwrap();
    let found = compare(&folder, &few).unwrap();
    assert!(found.iter().all(|finding| finding.state == State::Same));
    // A folder where a file should be cannot be read.
    std::fs::remove_file(&samples).unwrap();
    std::fs::create_dir(&samples).unwrap();
    let error = compare(&folder, &few).unwrap_err().to_string();
    assert!(
        error.starts_with("cannot read") && error.contains("samples.txt"),
        "{error}"
    );
}

#[test]
fn names_of_files_differ_in_more_than_case() {
    let text = std::fs::read_to_string("grammars/csg2d.tdg").unwrap();
    let more = compiled(&format!("{text}\nexample Moon = `(Circle 1 2 3)`\n"));
    let options = SnapshotOptions { seed: 0, count: 1 };
    let all = draw(&more, options, &mut |_, _| true).unwrap();
    let names: Vec<&str> = all.iter().map(|snapshot| snapshot.name.as_str()).collect();
    assert!(names.contains(&"pictures/example-moon.svg"), "{names:?}");
    assert!(names.contains(&"pictures/example-Moon-2.svg"), "{names:?}");
}

#[test]
fn drawing_tells_how_far_it_is_and_stops_when_told() {
    let csg2d = Compiled::load("grammars/csg2d.tdg").unwrap_or_else(|e| panic!("{e}"));
    let options = SnapshotOptions { seed: 0, count: 2 };
    let mut last = (0, 0);
    let all = draw(&csg2d, options, &mut |done, total| {
        assert!(done >= last.0 && done <= total, "{done} of {total}");
        last = (done, total);
        true
    });
    assert_eq!(all.unwrap().len(), 4 + 4 + 2);
    assert_eq!(last.0, last.1);
    let stopped = draw(&csg2d, options, &mut |done, _| done < 5);
    assert_eq!(stopped.unwrap_err(), SnapshotError::Stopped);
}

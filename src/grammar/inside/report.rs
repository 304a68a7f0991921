//! What is wrong with weights and sizes, said so that it can be mended.

use std::fmt::Write;

use super::build::{self, Stop, Trouble};
use super::zero::System;
use super::{Inside, MAX_SIZE};
use crate::diag::{Diagnostic, Sink, codes};
use crate::grammar::ids::{NtId, ProdId};
use crate::grammar::ir::{Grammar, NonterminalKind, ProductionKind, SizeMetric};

/// Sizes are looked for up to here when a window has none.
const LOOK: u32 = 64;

/// [`Inside::build`].
pub(super) fn build(grammar: &Grammar, sink: &mut Sink) -> Option<Inside> {
    let sample = &grammar.sample;
    let wanted = sample.max.max(grammar.mutate.small);
    if wanted > MAX_SIZE {
        let big = format!("size {wanted} is past {MAX_SIZE}, the greatest tdc can sample");
        sink.push(Diagnostic::new(codes::E0412, sample.span, big, ""));
        return None;
    }
    let inside = match build::compute(grammar, wanted) {
        Ok(inside) => inside,
        Err(Stop::Infinite(trouble)) => {
            sink.push(infinite(grammar, &trouble));
            return None;
        }
        Err(Stop::TooDeep(depth)) => {
            let what = format!("programs of depth {depth} have millions of nodes");
            sink.push(
                Diagnostic::new(
                    codes::E0412,
                    sample.span,
                    what,
                    "this window reaches too far",
                )
                .note("the number of nodes can double with each step of depth")
                .help(format!("end the window well below {depth}")),
            );
            return None;
        }
    };
    let mut sound = true;
    if (sample.min..=sample.max).all(|size| inside.weight(grammar.start, size).is_zero()) {
        sink.push(empty_window(grammar, &inside));
        sound = false;
    }
    for (nt, production, least) in unreachable_by_mutation(grammar, &inside) {
        if least > grammar.mutate.small {
            sink.push(too_small(grammar, nt, production, least));
            sound = false;
        }
    }
    sound.then_some(inside)
}

/// The least sigma_small with which every program can be mutated into every other one: each
/// production that has an alternative must fit into a replacement. At least 1.
pub fn least_small(grammar: &Grammar) -> u32 {
    let (_, least) = build::least(grammar);
    alternatives(grammar)
        .filter_map(|(_, production)| least[production.index()])
        .fold(1, u32::max)
}

fn unreachable_by_mutation(grammar: &Grammar, inside: &Inside) -> Vec<(NtId, ProdId, u32)> {
    let mut seen = vec![false; grammar.productions.len()];
    alternatives(grammar)
        .filter_map(|(nt, id)| Some((nt, id, inside.least_of(id)?)))
        .filter(|(_, id, _)| !std::mem::replace(&mut seen[id.index()], true))
        .collect()
}

/// Every production that stands beside another one, or has several values.
fn alternatives(grammar: &Grammar) -> impl Iterator<Item = (NtId, ProdId)> + '_ {
    grammar.nonterminal_ids().flat_map(move |nt| {
        let productions = &grammar.nonterminal(nt).productions;
        let several = productions.len() > 1;
        let varied = move |id: &&ProdId| {
            several
                || match grammar.production(**id).kind {
                    ProductionKind::Token(token) => grammar.token(token).domain.count() != Some(1),
                    _ => false,
                }
        };
        productions.iter().filter(varied).map(move |id| (nt, *id))
    })
}

fn too_small(grammar: &Grammar, nt: NtId, id: ProdId, least: u32) -> Diagnostic {
    let small = grammar.mutate.small;
    let name = production_name(grammar, id, nt);
    Diagnostic::new(
        codes::E0413,
        grammar.mutate.span,
        format!("`mutate small {small}` can never bring in {name}, whose least size is {least}"),
        format!("replacements have size {small} at most"),
    )
    .label(
        grammar.production(id).span,
        format!("size {least} at the least"),
    )
    .note("every program must be reachable from every other by mutations")
    .help(format!("write `mutate small {}`", least_small(grammar)))
}

fn empty_window(grammar: &Grammar, inside: &Inside) -> Diagnostic {
    let sample = &grammar.sample;
    let (min, max) = (sample.min, sample.max);
    let from = inside.least(grammar.start).unwrap_or(0);
    let far = from.saturating_add(LOOK).max(max).min(MAX_SIZE);
    let wider = Inside::grown(grammar, far);
    let table = wider.as_ref().unwrap_or(inside);
    let sizes: Vec<u32> = table.sizes(grammar.start).collect();
    let nearest = sizes.iter().copied().min_by_key(|size| size.abs_diff(min));
    let start = grammar.nonterminal_name(grammar.start);
    let window = if min == max {
        format!("size {min}")
    } else {
        format!("a size in {min}..={max}")
    };
    let mut out = Diagnostic::new(
        codes::E0411,
        sample.span,
        format!("no `{start}` has {window}"),
        "nothing to sample",
    )
    .note(match sizes.is_empty() {
        true => format!("no `{start}` has a size up to {}", table.max()),
        false => format!(
            "sizes that exist: {} (looked at up to {})",
            ranges(&sizes),
            table.max()
        ),
    })
    .note(match grammar.size {
        SizeMetric::Primitives => "the size is the number of `@primitive` nodes",
        SizeMetric::Nodes => "the size is the number of nodes",
        SizeMetric::Depth => "the size is the depth of the tree",
    });
    if let Some(nearest) = nearest {
        let to = sizes
            .iter()
            .copied()
            .filter(|s| *s <= nearest + (max - min))
            .max();
        out = out.help(format!(
            "write `sample size {nearest}..={}`",
            to.unwrap_or(nearest)
        ));
    }
    out
}

/// Rising sizes as ranges: `1..=3, 5, 7`; a regular step after the first three as
/// `1, 3, 5, ..., 63`.
pub fn ranges(sizes: &[u32]) -> String {
    let mut out = String::new();
    let mut at = 0;
    while at < sizes.len() {
        let step = sizes.get(at + 1).map_or(0, |next| next - sizes[at]);
        let mut end = at;
        while end + 1 < sizes.len() && sizes[end + 1] - sizes[end] == step {
            end += 1;
        }
        if !out.is_empty() {
            out.push_str(", ");
        }
        // Writing into a String cannot fail.
        let _ = match end - at {
            0 => write!(out, "{}", sizes[at]),
            _ if step == 1 => write!(out, "{}..={}", sizes[at], sizes[end]),
            run if run >= 3 => write!(
                out,
                "{}, {}, {}, ..., {}",
                sizes[at],
                sizes[at + 1],
                sizes[at + 2],
                sizes[end]
            ),
            _ => {
                end = at;
                write!(out, "{}", sizes[at])
            }
        };
        at = end + 1;
    }
    out
}

/// The cycle with the greatest pull: pairs of a nonterminal (by index in the group), the
/// production taken there, and the factor by which the way around it multiplies.
fn cycle(trouble: &Trouble) -> Vec<(usize, ProdId, f64)> {
    let n = trouble.nts.len();
    let matrix = trouble.system.derivative(&trouble.point);
    // Power iteration on I + M, which does not swing, towards the vector that M stretches most.
    let mut pull = vec![1.0; n];
    for _ in 0..100 {
        let image = super::zero::times(&matrix, &pull);
        let next: Vec<f64> = pull.iter().zip(&image).map(|(a, b)| a + b).collect();
        let top = next.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        if !top.is_finite() {
            break;
        }
        pull = next.into_iter().map(|v| v / top).collect();
    }
    let best = |row: usize| {
        let mut best: Option<(usize, ProdId, f64)> = None;
        let mut value = -1.0;
        for term in trouble.system.terms.iter().filter(|term| term.row == row) {
            for (index, child) in term.children.iter().enumerate() {
                let slope = System::slope(term, index, &trouble.point);
                if slope * pull[*child] > value {
                    value = slope * pull[*child];
                    // `A = B B` pulls once through each of its equal children.
                    let equal = term.children.iter().filter(|c| *c == child).count();
                    best = Some((*child, term.production, slope * equal as f64));
                }
            }
        }
        best
    };
    let mut at = (0..n).fold(0, |a, b| if pull[b] > pull[a] { b } else { a });
    let mut seen: Vec<usize> = Vec::new();
    let mut steps = Vec::new();
    while !seen.contains(&at) {
        seen.push(at);
        let Some((child, production, factor)) = best(at) else {
            return steps;
        };
        steps.push((at, production, factor));
        at = child;
    }
    let first = seen.iter().position(|nt| *nt == at).unwrap_or(0);
    steps.split_off(first)
}

fn infinite(grammar: &Grammar, trouble: &Trouble) -> Diagnostic {
    let steps = cycle(trouble);
    let name = |row: usize| grammar.nonterminal_name(trouble.nts[row]);
    let (first, main, _) = steps.first().copied().unwrap_or((0, ProdId(0), 0.0));
    let factor: f64 = steps.iter().map(|step| step.2).product();
    let depth = grammar.size == SizeMetric::Depth;
    let adds = if depth { "depth" } else { "size" };
    let whole = format!(
        "the weights of all {} add up to infinity",
        plural(&name(first))
    );

    let label = match grammar.production(main).kind {
        ProductionKind::Cons => format!(
            "each further element multiplies the weight by {} and adds no {adds}",
            number(factor)
        ),
        _ if steps.len() == 1 => format!(
            "each `{}` around a `{}` multiplies the weight by {} and adds no {adds}",
            grammar.production(main).name,
            name(first),
            number(factor)
        ),
        _ => format!(
            "this way around multiplies the weight by {} and adds no {adds}",
            number(factor)
        ),
    };
    let span = grammar.production(main).span;
    let mut out = Diagnostic::new(codes::E0410, span, whole, label);
    if steps.len() > 1 {
        let mut way = String::new();
        for (row, production, _) in &steps {
            let _ = write!(
                way,
                "{} -> {} -> ",
                name(*row),
                grammar.production(*production).name
            );
        }
        out = out.note(format!("the cycle: {way}{}", name(first)));
        for (_, production, factor) in &steps[1..] {
            out = out.label(
                grammar.production(*production).span,
                format!("and passes here, by {}", number(*factor)),
            );
        }
    }
    if depth && trouble.size > 0 {
        out = out.note(format!("this happens from depth {} on", trouble.size));
    }
    let mut others: Vec<ProdId> = Vec::new();
    for term in &trouble.system.terms {
        let inside = steps.iter().any(|step| step.1 == term.production);
        if !term.children.is_empty() && !inside && !others.contains(&term.production) {
            others.push(term.production);
        }
    }
    if !others.is_empty() {
        let names: Vec<String> = others
            .iter()
            .map(|id| format!("`{}`", grammar.production(*id).name))
            .collect();
        out = out.note(format!("other ways around add to it: {}", names.join(", ")));
    }
    out.help(advice(grammar, trouble, &steps))
}

/// Which weight would do.
fn advice(grammar: &Grammar, trouble: &Trouble, steps: &[(usize, ProdId, f64)]) -> String {
    for (row, id, _) in steps {
        if let Some(limit) = limit(|scale| trouble.finite(|p| if p == *id { scale } else { 1.0 })) {
            let weight = grammar.production(*id).weight * limit;
            let least = number_below(weight);
            let nt = trouble.nts[*row];
            return match grammar.production(*id).kind {
                ProductionKind::Cons => format!(
                    "the sum is finite while each further element weighs less than {least}: write \
                     `@weight({})` behind the list",
                    number_below(0.8 * weight)
                ),
                _ => format!(
                    "the sum is finite while the weight of {} is below {least}: write \
                     `@weight({})` before it",
                    production_name(grammar, *id, nt),
                    number_below(0.8 * weight)
                ),
            };
        }
    }
    match limit(|scale| trouble.finite(|_| scale)) {
        Some(limit) => format!(
            "no single weight mends it; multiply all weights around the cycle by less than {}",
            number_below(limit)
        ),
        None => "let every way around the cycle add to the size".to_string(),
    }
}

/// The greatest factor below 1 up to which `finite` holds, `None` when it holds nowhere above 0.
fn limit(finite: impl Fn(f64) -> bool) -> Option<f64> {
    if !finite(1e-12) {
        return None;
    }
    let (mut lo, mut hi) = (1e-12, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (lo + hi);
        if finite(middle) {
            lo = middle;
        } else {
            hi = middle;
        }
    }
    Some(hi)
}

fn production_name(grammar: &Grammar, id: ProdId, nt: NtId) -> String {
    match grammar.production(id).kind {
        ProductionKind::Cons => format!("an element of a {}", grammar.nonterminal_name(nt)),
        ProductionKind::Some => match grammar.nonterminal(nt).kind {
            NonterminalKind::Optional { item } => {
                format!("an optional `{}`", grammar.nonterminal_name(item))
            }
            _ => format!("`{}`", grammar.production(id).name),
        },
        _ => format!("`{}`", grammar.production(id).name),
    }
}

fn plural(name: &str) -> String {
    match name.strip_prefix("list of ") {
        Some(item) => format!("lists of `{item}`"),
        None => format!("`{name}` programs"),
    }
}

/// Four significant digits.
fn number(value: f64) -> String {
    if !value.is_finite() {
        return "a number past all bounds".to_string();
    }
    trim(value, false)
}

/// The same, rounded down.
fn number_below(value: f64) -> String {
    trim(value, true)
}

fn trim(value: f64, down: bool) -> String {
    if value == 0.0 || !(1e-6..1e15).contains(&value) {
        return format!("{value:.3e}");
    }
    // 10^k by multiplication: the same on every machine.
    let (mut scale, mut probe) = (1.0, value);
    while probe < 1000.0 {
        probe *= 10.0;
        scale *= 10.0;
    }
    // A hair more, so that a limit of 1 found by halving is not shown as 0.9999.
    let digits = value * scale * (1.0 + 1e-7);
    let whole = if down { digits.floor() } else { digits.round() };
    format!("{}", whole / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_listed_as_ranges() {
        assert_eq!(ranges(&[]), "");
        assert_eq!(ranges(&[4]), "4");
        assert_eq!(ranges(&[1, 2, 3, 5, 8]), "1..=3, 5, 8");
        assert_eq!(ranges(&[1, 3, 5, 7, 9]), "1, 3, 5, ..., 9");
        assert_eq!(ranges(&[0, 2, 3, 4]), "0, 2..=4");
        assert_eq!(ranges(&[2, 5]), "2, 5");
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(number(1.2), "1.2");
        assert_eq!(number(2.0 / 3.0), "0.6667");
        assert_eq!(number_below(2.0 / 3.0), "0.6666");
        assert_eq!(number_below(1.0 - 1e-12), "1");
        assert_eq!(number(12345.6), "12346");
    }
}

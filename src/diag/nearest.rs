//! Names that somebody may have meant.
//!
//! In: a name that is not there and those that are. Out: the most alike, when one is alike enough
//! for a slip of the fingers; the choice does not depend on the candidates' order.

/// The candidate most like `name`: at most one change in three letters, swapped neighbours
/// counting as one; case does not count.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody mistypes a name this long, and comparing takes the product of both lengths.
    let short = |name: &str| name.len() <= 128;
    if !short(name) {
        return None;
    }
    let wanted = name.to_lowercase();
    let bound = (wanted.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != name && short(candidate))
        .map(|candidate| {
            let distance = strsim::osa_distance(&wanted, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, candidate)| {
            // One letter is like every other; a change must leave most of a name standing.
            *distance <= bound && *distance < candidate.chars().count().max(1)
        })
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_found() {
        let names = ["disc", "box", "ellipse", "shift"];
        assert_eq!(nearest("dics", names), Some("disc"));
        assert_eq!(nearest("elipse", names), Some("ellipse"));
        assert_eq!(nearest("Shift", names), Some("shift"));
        assert_eq!(nearest("spline", names), None);
        assert_eq!(nearest("q", ["x", "y"]), None);
    }
}

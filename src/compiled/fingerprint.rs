//! Short names for things that must not be mixed up: a language, a set of tasks.
//!
//! In: bytes. Out: 16 hexadecimal digits, the first 64 bits of their SHA-256. Afterwards equal things
//! have equal names on every machine, and different ones different names but for one chance in 2^64.

use sha2::{Digest, Sha256};

use super::Compiled;

/// Digits of a fingerprint.
const DIGITS: usize = 16;

/// A fingerprint under way. Parts are kept apart: `ab`, `c` is not `a`, `bc`.
#[derive(Clone, Debug, Default)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// Of nothing yet.
    pub fn new() -> Fingerprint {
        Fingerprint::default()
    }

    /// Takes in a part.
    pub fn add(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    /// Its digits.
    pub fn finish(self) -> String {
        let hash = self.0.finalize();
        let bytes = hash.iter().take(DIGITS / 2);
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Compiled {
    /// The language's fingerprint: of all that its image holds, so not of comments, layout and the
    /// files it stands in.
    pub fn fingerprint(&self) -> String {
        let mut fingerprint = Fingerprint::new();
        fingerprint.add(self.to_image().as_bytes());
        fingerprint.finish()
    }

    /// The fingerprint of what programs are and what they draw: all that a model depends on. Other rules,
    /// examples, goals, windows and mutations leave it as it is.
    pub fn drawing_fingerprint(&self) -> String {
        let mut fingerprint = Fingerprint::new();
        fingerprint.add(self.drawing_image().as_bytes());
        fingerprint.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(parts: &[&str]) -> String {
        let mut fingerprint = Fingerprint::new();
        for part in parts {
            fingerprint.add(part.as_bytes());
        }
        fingerprint.finish()
    }

    #[test]
    fn parts_are_kept_apart() {
        let all = [of(&[]), of(&[""]), of(&["ab", "c"]), of(&["a", "bc"])];
        for (i, one) in all.iter().enumerate() {
            assert_eq!(one.len(), DIGITS);
            assert!(all[i + 1..].iter().all(|other| other != one));
        }
        // sha256 of the length in eight bytes and the text, as `sha256sum` has it.
        assert_eq!(of(&["abc"]), "ce91dc5eec0139ad");
    }

    #[test]
    fn comments_do_not_count_and_productions_do() {
        let text = |more: &str| {
            format!(
                "language l\nstart S\ncanvas 8 x 8 ink\nuse std.shape.{{disc}}\ntoken R = 1..={more}\n\
                 sort S {{ @primitive D = r:R }}\ndraw S -> Region {{ D => disc(r) }}\n"
            )
        };
        let of = |text: &str| Compiled::from_text("l", text).unwrap().fingerprint();
        assert_eq!(of(&text("4")), of(&text("4 // four\n\n")));
        assert_ne!(of(&text("4")), of(&text("5")));
    }
}

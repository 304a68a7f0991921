//! Golden pictures: PNG files that pictures are compared with, pixel by pixel.
//!
//! In: drawings, and a folder. Out: nothing when they look as they are kept, otherwise what
//! differs. Afterwards a picture that differs has expected, difference and actual side by side in
//! `NAME.diff.png`, and one that does not has no such file. With the environment variable
//! `TDC_UPDATE=1`, or insta's `INSTA_UPDATE=always`, the files are written instead.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Drawing, SnapshotError};
use crate::render::{Picture, image, metric, panels};

/// Pixels agree when no channel is further off: machines may round differently.
const WITHIN: f64 = 2.0 / 255.0;
/// Share of the pixels that agree in pictures that look the same.
const SAME: f64 = 0.999;
/// Longest PNG that is read.
const MAX_BYTES: u64 = 64 << 20;

/// What is not as it was.
#[derive(Debug)]
pub struct GoldenError {
    /// A line each.
    pub findings: Vec<String>,
}

impl fmt::Display for GoldenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "pictures are not as they are kept:")?;
        for finding in &self.findings {
            writeln!(f, "  {finding}")?;
        }
        write!(f, "TDC_UPDATE=1 keeps them as they are now")
    }
}

impl std::error::Error for GoldenError {}

/// Compares drawings with the files `PREFIX-NAME.png` of a folder.
///
/// # Errors
///
/// When one differs, is missing or cannot be read, or a file is left over; all of them are told.
pub fn check(folder: &Path, prefix: &str, drawings: &[Drawing]) -> Result<(), GoldenError> {
    check_or_keep(folder, prefix, drawings, updating())
}

fn check_or_keep(
    folder: &Path,
    prefix: &str,
    drawings: &[Drawing],
    update: bool,
) -> Result<(), GoldenError> {
    let mut findings = Vec::new();
    let mut seen = Vec::new();
    for drawing in drawings {
        let name = format!("{prefix}-{}", drawing.name);
        let path = folder.join(format!("{name}.png"));
        let found = drawing
            .pixels()
            .map_err(|why: SnapshotError| why.to_string())
            .and_then(|picture| match update {
                true => keep(&path, &picture),
                false => compare(&path, &picture),
            });
        if let Err(finding) = found {
            findings.push(finding);
        }
        seen.push(path);
    }
    for path in left_over(folder, prefix, &seen) {
        let shown = path.display();
        match update {
            true => drop(fs::remove_file(&path)),
            false => findings.push(format!("{shown} is left over: no picture has this name")),
        }
    }
    match findings.is_empty() {
        true => Ok(()),
        false => Err(GoldenError { findings }),
    }
}

/// Whether snapshots are to be written rather than compared.
fn updating() -> bool {
    let is = |name: &str, values: &[&str]| {
        std::env::var(name).is_ok_and(|value| values.contains(&value.as_str()))
    };
    is("TDC_UPDATE", &["1", "true", "yes"]) || is("INSTA_UPDATE", &["always", "force"])
}

fn keep(path: &Path, picture: &Picture) -> Result<(), String> {
    let written = write(path, &image::encode_png(picture));
    drop(fs::remove_file(panel_path(path)));
    written.map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn compare(path: &Path, picture: &Picture) -> Result<(), String> {
    let shown = path.display();
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(format!("{shown} is missing"));
        }
        Err(error) => return Err(format!("cannot read {shown}: {error}")),
    };
    let kept = image::decode_png(&bytes).map_err(|error| format!("{shown}: {error}"))?;
    let kept = match picture.channels {
        1 => image::ink(&kept, false),
        _ => image::over(&kept, [255; 3]),
    };
    let share = alike(&kept, picture);
    if share >= SAME {
        drop(fs::remove_file(panel_path(path)));
        return Ok(());
    }
    let panel = panel_path(path);
    let said = match write(&panel, &image::encode_png(&triptych(&kept, picture))) {
        Ok(()) => format!("see {}", panel.display()),
        Err(error) => format!("cannot write {}: {error}", panel.display()),
    };
    Err(format!("{shown} differs {}; {said}", how(&kept, picture)))
}

/// Share of the pixels that agree, 0 for pictures of different shape.
pub(crate) fn alike(kept: &Picture, picture: &Picture) -> f64 {
    match kept.same_shape(picture) {
        true => metric::share_within(kept, picture, WITHIN),
        false => 0.0,
    }
}

/// How pictures differ: `in 3.1 % of its pixels`, `in size: ...`, `in its text only`.
pub(crate) fn how(kept: &Picture, picture: &Picture) -> String {
    if !kept.same_shape(picture) {
        let (kw, kh, w, h) = (kept.width, kept.height, picture.width, picture.height);
        return format!("in size: {kw} x {kh} before, {w} x {h} now");
    }
    match 100.0 * (1.0 - alike(kept, picture)) {
        0.0 => "in its text only, not in its pixels".to_owned(),
        share if share < 0.1 => "in less than 0.1 % of its pixels".to_owned(),
        share => format!("in {share:.1} % of its pixels"),
    }
}

/// Expected, difference and actual side by side.
pub(crate) fn triptych(expected: &Picture, actual: &Picture) -> Picture {
    let difference = panels::spotted(expected, actual);
    panels::side_by_side(&[
        ("expected", expected),
        ("difference", &difference),
        ("actual", actual),
    ])
}

/// Where the panels of a picture go.
pub(crate) fn panel_path(path: &Path) -> PathBuf {
    path.with_extension("diff.png")
}

/// Files of this prefix that no picture has written.
fn left_over(folder: &Path, prefix: &str, seen: &[PathBuf]) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let start = format!("{prefix}-sample-");
    let mut left: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy());
            let number = name.as_ref().and_then(|name| {
                let rest = name.strip_prefix(&start)?;
                rest.strip_suffix(".diff.png")
                    .or_else(|| rest.strip_suffix(".png"))
            });
            number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        })
        .filter(|path| {
            !seen
                .iter()
                .any(|kept| kept == path || panel_path(kept) == *path)
        })
        .collect();
    left.sort();
    left
}

/// A file's bytes, when they are not too many.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path)?;
    io::Read::read_to_end(&mut io::Read::take(file, MAX_BYTES + 1), &mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        let most = MAX_BYTES >> 20;
        let error = format!("it is longer than {most} MiB");
        return Err(io::Error::new(io::ErrorKind::InvalidData, error));
    }
    Ok(bytes)
}

/// Writes a file under a temporary name and renames it; its folder is made.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tdc-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

/// The folder of a test's snapshots and the first part of their names, as insta has them: a folder
/// beside the source file, `crate__module__name`. `function` is the path of a function `here` inside
/// the test, whose name it is without another.
#[doc(hidden)]
pub fn place(
    manifest: &str,
    file: &str,
    function: &str,
    name: Option<&str>,
    folder: &Path,
    with_module: bool,
) -> (PathBuf, String) {
    // `file!()` is relative to the workspace, which is the manifest's folder or one around it.
    let around = Path::new(manifest).ancestors();
    let source = around
        .map(|root| root.join(file))
        .find(|path| path.is_file())
        .unwrap_or_else(|| Path::new(manifest).join(file));
    let folder = source.parent().unwrap_or(Path::new(".")).join(folder);
    let function = function.replace("::{{closure}}", "");
    let function = function.strip_suffix("::here").unwrap_or(&function);
    let (module, own) = function.rsplit_once("::").unwrap_or(("", function));
    let name = name.unwrap_or(own);
    let name = match with_module && !module.is_empty() {
        true => format!("{}__{name}", module.replace("::", "__")),
        false => name.to_owned(),
    };
    (folder, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiled::Compiled;
    use crate::testing::drawings;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn pictures_are_kept_compared_and_shown() {
        let csg2d = Compiled::load("grammars/csg2d.tdg").unwrap_or_else(|e| panic!("{e}"));
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("snapshots");
        let all = drawings(&csg2d, 1, 3).unwrap();
        let error = check_or_keep(&folder, "moon", &all, false).unwrap_err();
        assert_eq!(error.findings.len(), 3);
        assert!(error.to_string().contains("is missing"), "{error}");
        assert!(error.to_string().contains("TDC_UPDATE=1"), "{error}");
        assert!(!folder.exists());

        check_or_keep(&folder, "moon", &all, true).unwrap();
        let kept = [
            "moon-sample-1.png",
            "moon-sample-2.png",
            "moon-sample-3.png",
        ];
        assert_eq!(names(&folder), kept);
        check_or_keep(&folder, "moon", &all, false).unwrap();

        // Other pictures: each has its panels.
        let other = drawings(&csg2d, 2, 2).unwrap();
        let error = check_or_keep(&folder, "moon", &other, false).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("moon-sample-1.diff.png"), "{text}");
        assert!(text.contains("% of its pixels"), "{text}");
        assert!(text.contains("moon-sample-3.png is left over"), "{text}");
        let panel = fs::read(folder.join("moon-sample-1.diff.png")).unwrap();
        let panel = image::decode_png(&panel).unwrap();
        assert!(panel.width > 3 * 128 && panel.height > 128);
        // As they were, the panels go.
        check_or_keep(&folder, "moon", &all, false).unwrap();
        assert_eq!(names(&folder), kept);
        // Accepted, they go too, and so does what is left over; others stay.
        fs::write(folder.join("moon-notes.png"), b"").unwrap();
        fs::write(folder.join("sun-sample-9.png"), b"").unwrap();
        check_or_keep(&folder, "moon", &other, false).unwrap_err();
        check_or_keep(&folder, "moon", &other, true).unwrap();
        let left = [
            "moon-notes.png",
            "moon-sample-1.png",
            "moon-sample-2.png",
            "sun-sample-9.png",
        ];
        assert_eq!(names(&folder), left);

        // What is no picture is said to be none.
        fs::write(folder.join("moon-sample-1.png"), b"GIF").unwrap();
        let error = check_or_keep(&folder, "moon", &other, false).unwrap_err();
        assert!(error.to_string().contains("not a readable PNG"), "{error}");
    }

    #[test]
    fn another_size_is_a_difference() {
        let (a, b) = (Picture::filled(8, 8, 1, 0), Picture::filled(9, 8, 1, 0));
        assert_eq!(alike(&a, &b), 0.0);
        assert_eq!(how(&a, &b), "in size: 8 x 8 before, 9 x 8 now");
        let mut c = Picture::filled(64, 64, 1, 0);
        let d = c.clone();
        assert_eq!(how(&c, &d), "in its text only, not in its pixels");
        c.data[5] = 200;
        assert_eq!(how(&c, &d), "in less than 0.1 % of its pixels");
        c.data[..41].fill(200);
        assert_eq!(how(&c, &d), "in 1.0 % of its pixels");
        assert!(triptych(&a, &b).width > 27);
    }

    #[test]
    fn places_are_insta_s() {
        let manifest = env!("CARGO_MANIFEST_DIR");
        let place = |function, name, module| {
            let folder = Path::new("snapshots");
            place(
                manifest,
                "src/testing/golden.rs",
                function,
                name,
                folder,
                module,
            )
        };
        let (folder, name) = place("krate::shapes::moons::{{closure}}::here", None, true);
        assert!(folder.ends_with("src/testing/snapshots"));
        assert_eq!(name, "krate__shapes__moons");
        assert_eq!(place("krate::moons::here", Some("m"), true).1, "krate__m");
        assert_eq!(place("krate::moons::here", None, false).1, "moons");
    }
}

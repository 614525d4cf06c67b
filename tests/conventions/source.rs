//! The files of the repository, and Rust source without its comments and texts.

use std::fs;
use std::path::{Path, PathBuf};

/// The repository.
pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The text of one file, named as seen from the repository.
pub(super) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Files below `folder` whose names end in one of `endings`, named as seen from the repository, in order.
pub(super) fn files(folder: &str, endings: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    collect(&root().join(folder), endings, &mut found);
    let mut names: Vec<String> = found
        .iter()
        .map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert!(
        !names.is_empty(),
        "{folder} has no {endings:?}: the search is wrong"
    );
    names
}

fn collect(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        // Not ours: what npm and cargo put there.
        if name == "node_modules" || name == "target" {
            continue;
        }
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            collect(&entry.path(), endings, found);
        } else if kind.is_file() && endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(entry.path());
        }
    }
}

/// Rust files of `src/` that are not tests.
pub(super) fn production() -> Vec<String> {
    files("src", &[".rs"])
        .into_iter()
        .filter(|path| !path.ends_with("/tests.rs") && !path.contains("/tests/"))
        .collect()
}

/// All Markdown of the repository's own.
pub(super) fn markdown() -> Vec<String> {
    let mut all = files("docs", &[".md"]);
    all.extend(["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(str::to_owned));
    all
}

/// `source` with comments and the insides of texts blanked out, line by line: what is left is code. Doc comments may
/// then name what code may not use.
pub(super) fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = blank_len(rest).unwrap_or(0);
        if length == 0 {
            // An identifier as a whole, so that `r` at its end does not begin a raw text.
            let word = rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(rest.len())
                .max(first.len_utf8());
            let (word, after) = rest.split_at(word);
            code.push_str(word);
            rest = after;
        } else {
            let (blank, after) = rest.split_at(length);
            code.extend(blank.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = after;
        }
    }
    code
}

/// How long the comment, text or character is that `rest` begins with.
fn blank_len(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(rest.find("*/").map_or(rest.len(), |end| end + 2));
    }
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        rest.strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with('"') || prefix.ends_with('r') && is_raw(rest))
    });
    if let Some(prefix) = prefix {
        let text = &rest[prefix.len()..];
        let length = if prefix.ends_with('r') {
            raw_len(text)
        } else {
            quoted_len(text)
        };
        return Some(prefix.len() + length);
    }
    character_len(rest)
}

fn is_raw(rest: &str) -> bool {
    rest.trim_start_matches('#').starts_with('"')
}

fn raw_len(text: &str) -> usize {
    let hashes = text.len() - text.trim_start_matches('#').len();
    let end = format!("\"{}", "#".repeat(hashes));
    let start = hashes + 1;
    text[start..]
        .find(&end)
        .map_or(text.len(), |at| start + at + end.len())
}

fn quoted_len(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A character literal; a lifetime is none.
fn character_len(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    let length = if first == '\\' {
        // `'\''` and `'\u{2000}'`.
        2 + inside.get(2..)?.find('\'')?
    } else {
        first.len_utf8()
    };
    inside.get(length..)?.starts_with('\'').then_some(length + 2)
}

#[test]
fn comments_and_texts_are_no_code() {
    let source = "a // b\n\"c \\\" d\" e /* f */ 'g' h<'i> '\\'' br#\"j \" k\"# l 'm: for r \"n\" ident";
    let words: Vec<String> = code_only(source).split_whitespace().map(str::to_owned).collect();
    assert_eq!(
        words,
        ["a", "e", "h<'i>", "l", "'m:", "for", "r", "ident"].to_vec()
    );
}

/// Compares with a file of the repository; with `UPDATE_GOLDEN=1` writes it instead.
pub(super) fn golden(path: &str, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(root().join(path), text).unwrap();
        return;
    }
    let kept = read(path);
    let first = kept.lines().zip(text.lines()).find(|(kept, made)| kept != made);
    assert!(
        kept == text,
        "{path} is out of date: {first:?}\nUPDATE_GOLDEN=1 writes it anew; then read the difference"
    );
}

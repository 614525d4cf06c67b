//! The public surface, pinned: what other people's apps may name is a decision, not an accident.
//!
//! Read from the source: the rooms that `src/lib.rs` does not hide, the public items and functions in them, and what the root
//! hands out. Fields and constants are not listed: most of them are keys and problem codes of the configuration, which have
//! lists of their own.

use super::source::{code_only, files, production, read};

#[test]
fn the_public_surface_is_the_one_that_was_decided_on() {
    let found = surface().join("\n");
    let decided = read("tests/conventions/surface.txt");
    assert_eq!(
        decided.trim_end(),
        found,
        "the public surface has changed. Make private what nobody outside needs; what should be public, write down in \
         tests/conventions/surface.txt and in the changelog. As it is now:\n{found}\n"
    );
}

/// What the root promises in its documentation is there, and what is hidden is not promised.
#[test]
fn hidden_rooms_are_told_apart() {
    let (open, hidden) = rooms();
    assert!(open.contains(&"handler".to_owned()) && open.contains(&"config".to_owned()));
    for room in ["session", "renewal", "provider", "gate", "proxy", "agent"] {
        assert!(
            hidden.contains(&room.to_owned()),
            "`{room}` is nobody's business but ours"
        );
    }
}

fn rooms() -> (Vec<String>, Vec<String>) {
    let (mut open, mut hidden) = (Vec::new(), Vec::new());
    let mut is_hidden = false;
    for line in read("src/lib.rs").lines() {
        if let Some(name) = line.strip_prefix("pub mod ") {
            let rooms = if is_hidden { &mut hidden } else { &mut open };
            rooms.push(name.trim_end_matches(';').to_owned());
        }
        is_hidden = line == "#[doc(hidden)]";
    }
    (open, hidden)
}

fn surface() -> Vec<String> {
    let mut lines: Vec<String> = read("src/lib.rs")
        .lines()
        .filter(|line| line.starts_with("pub use "))
        .map(|line| format!("cloakroom: {}", line.trim_end_matches(';')))
        .collect();
    for room in rooms().0 {
        let inside = format!("src/{room}/");
        let root = format!("src/{room}.rs");
        for path in production() {
            if path == root || path.starts_with(&inside) {
                let code = code_only(&read(&path));
                lines.extend(public(&code).map(|item| format!("{room}: {item}")));
            }
        }
    }
    lines.sort();
    lines.dedup();
    assert!(!files("src", &[".rs"]).is_empty() && lines.len() > 30);
    lines
}

/// `pub fn name`, `pub struct Name`, `pub use …`, whatever the indentation.
fn public(code: &str) -> impl Iterator<Item = String> {
    code.lines().filter_map(|line| {
        let rest = line.trim_start().strip_prefix("pub ")?;
        let rest = rest
            .strip_prefix("const fn ")
            .or(rest.strip_prefix("async fn "))
            .map_or_else(|| rest.to_owned(), |name| format!("fn {name}"));
        let (kind, name) = rest.split_once(' ')?;
        if kind == "use" {
            return Some(format!("use {}", name.trim_end_matches(';')));
        }
        if !matches!(kind, "fn" | "struct" | "enum" | "trait" | "type" | "mod") {
            return None;
        }
        let end = name
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(name.len());
        Some(format!("{kind} {}", &name[..end]))
    })
}

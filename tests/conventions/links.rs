//! Every link in the manual leads somewhere.

use super::source::{markdown, read, root};

#[test]
fn every_relative_link_and_anchor_resolves() {
    let mut broken = Vec::new();
    for path in markdown() {
        for target in links(&read(&path)) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = target
                .split_once('#')
                .map_or((&*target, None), |(f, a)| (f, Some(a)));
            let file = if file.is_empty() {
                path.clone()
            } else {
                beside(&path, file)
            };
            if !root().join(&file).exists() {
                broken.push(format!("{path}: {target}: there is no {file}"));
            } else if let Some(anchor) = anchor
                && !anchors(&read(&file)).iter().any(|known| known == anchor)
            {
                broken.push(format!("{path}: {target}: {file} has no heading of that name"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_page_of_the_manual_is_reached_from_the_readme() {
    let mut reached = vec!["README.md".to_owned()];
    let mut next = 0;
    while let Some(path) = reached.get(next).cloned() {
        next += 1;
        for target in links(&read(&path)) {
            let file = target.split('#').next().unwrap_or_default();
            let file = beside(&path, file);
            let is_page = root()
                .join(&file)
                .extension()
                .is_some_and(|ending| ending == "md");
            if is_page && root().join(&file).is_file() && !reached.contains(&file) {
                reached.push(file);
            }
        }
    }
    for page in markdown().into_iter().filter(|path| path.starts_with("docs/")) {
        assert!(
            reached.contains(&page),
            "{page} is linked from nowhere: nobody will find it"
        );
    }
}

/// What `[text](target)` and `![text](target)` point at, outside of code.
fn links(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for line in prose(text) {
        let mut rest = line.as_str();
        while let Some(at) = rest.find("](") {
            rest = &rest[at + 2..];
            let end = rest.find(')').unwrap_or(rest.len());
            targets.push(rest[..end].to_owned());
        }
    }
    targets
}

/// The lines outside of fenced code, without their inline code.
pub(super) fn prose(text: &str) -> Vec<String> {
    let mut inside = false;
    text.lines()
        .filter(|line| {
            let fence = line.trim_start().starts_with("```");
            inside ^= fence;
            !inside && !fence
        })
        .map(without_code)
        .collect()
}

fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        inside ^= line.starts_with("```");
        let heading = line.trim_start_matches('#');
        if inside || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let slug: String = heading
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let earlier = found.iter().filter(|known| **known == slug).count();
        found.push(if earlier == 0 {
            slug
        } else {
            format!("{slug}-{earlier}")
        });
    }
    found
}

/// `target` as seen from the folder of `path`.
fn beside(path: &str, target: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn anchors_are_made_as_github_makes_them() {
    let text = "# One `[a.b]`, two\n```\n# none\n```\n## One ab two\n## x_y — z";
    assert_eq!(anchors(text), ["one-ab-two", "one-ab-two-1", "x_y--z"]);
    assert_eq!(beside("docs/how-to/a.md", "../b.md"), "docs/b.md");
    assert_eq!(links("a [b](c.md#d) `[e](f)`\n```\n[g](h)\n```"), ["c.md#d"]);
}

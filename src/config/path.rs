//! Paths that decide: `agent_path` and route prefixes, written the one way that requests are compared with.
//!
//! The proxy makes a request's path canonical before it matches (contract §5 step 1). A prefix that is not canonical
//! itself would never match, or match what its author did not mean; so it is refused here, not repaired.

use super::check::Check;
use super::problem::Code;
use super::table::{Field, quoted};

/// Reads a prefix: one leading slash, whole segments, no trailing slash. `/` alone only where `root` allows it.
pub(super) fn read(field: &Field<'_>, root: bool, check: &mut Check<'_>) -> Option<Box<str>> {
    let text = field.text()?;
    match fault(text, root) {
        None => Some(text.into()),
        Some(cause) => {
            let problem = check.wrong(
                Code::PATH,
                field,
                format!("{} is not a canonical path prefix", quoted(text)),
            );
            problem.with_cause(cause);
            if let Some(fix) = repaired(text, root) {
                problem.with_fix(format!("write {}", quoted(&fix)));
            }
            None
        }
    }
}

/// Whether `path` is `prefix` or below it, by whole segments. Case is ignored: an upstream or a file system may.
pub(super) fn is_under(path: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.split_at_checked(prefix.len()).is_some_and(|(head, rest)| {
        head.eq_ignore_ascii_case(prefix) && (rest.is_empty() || rest.starts_with('/'))
    })
}

fn fault(text: &str, root: bool) -> Option<&'static str> {
    if text == "/" {
        return (!root).then_some("every path would be below it");
    }
    let Some(rest) = text.strip_prefix('/') else {
        return Some("it does not begin with `/`");
    };
    if rest.ends_with('/') {
        return Some("it ends in `/`: prefixes are whole segments anyway");
    }
    for segment in rest.split('/') {
        let fault = match segment {
            "" => Some("it holds `//`"),
            "." | ".." => Some("it holds `.` or `..`"),
            _ => segment.chars().find_map(|c| match c {
                '?' | '#' => Some("a query or fragment is no part of a path"),
                '%' => Some("requests are compared after decoding; write the characters themselves"),
                ';' => Some("`;` ends a segment when requests are compared"),
                '*' | '{' | '}' => Some("there are no wildcards: a path is a prefix"),
                c if c.is_ascii_alphanumeric() || "-._~!$&'()+,=:@".contains(c) => None,
                _ => Some("it holds a character that a request's path cannot hold"),
            }),
        };
        if fault.is_some() {
            return fault;
        }
    }
    None
}

/// What was probably meant, if that is sure.
fn repaired(text: &str, root: bool) -> Option<String> {
    let text = text.trim_end_matches("/*").trim_end_matches("/**");
    let segments: Vec<_> = text.split('/').filter(|segment| !segment.is_empty()).collect();
    let candidate = format!("/{}", segments.join("/"));
    fault(&candidate, root).is_none().then_some(candidate)
}

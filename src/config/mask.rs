//! What a snippet may show: the line a problem is about, with everything that may be a secret replaced by `***`.
//!
//! 1. Keys are shown. Of values: those of keys that hold no secret, booleans, and references to secrets. Values of
//!    unknown keys are hidden: the most frequent one is a misspelt `client_secret`.
//! 2. Comments are cut off: people keep the old secret there.
//! 3. A text that is not TOML shows only keys and table headers that exist: what the rest of such a line is, nobody
//!    knows.
//! 4. What still equals a secret that was read is replaced at the end.

use std::ops::Range;

use super::check::Check;
use super::document::{Node, Value};
use super::problem::{Place, Problem, Snippet};
use super::schema::{Built, Key, Kind, ROOT};
use super::secret;
use super::table::may_hold_a_secret;

/// Which bytes of the text may be shown.
pub(super) struct Mask {
    /// Of values: where they are and whether they are shown. Of keys: always shown. Sorted.
    known: Vec<(Range<usize>, bool)>,
    readable: bool,
}

impl Mask {
    /// Looks through a tree before overrides are put into it; `readable` says whether the text was TOML throughout.
    pub(super) fn new(root: &Node, readable: bool) -> Self {
        let mut known = Vec::new();
        collect(root, Some(Kind::Table(ROOT)), &mut known);
        known.sort_by_key(|(range, _)| range.start);
        Self { known, readable }
    }

    /// Gives every problem its snippet, and takes out of its words what equals a secret.
    pub(super) fn finish(&self, text: &str, check: &mut Check<'_>) {
        for problem in &mut check.problems {
            if let Place::File(range) = &problem.place {
                problem.snippet = Some(self.snippet(text, range));
            }
            for secret in &check.secrets {
                redact(problem, secret);
            }
        }
    }

    fn snippet(&self, text: &str, range: &Range<usize>) -> Snippet {
        let start = floor(text, range.start.min(text.len()));
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = text.get(line_start..).unwrap_or_default();
        let line_end = line_start + rest.find('\n').unwrap_or(rest.len());
        let line = line_start..line_end;
        let end = floor(text, range.end.clamp(start, line_end.max(start)));
        let column = text.get(line_start..start).unwrap_or_default().chars().count() + 1;
        let mut drawing = Drawing::default();
        if self.readable {
            self.draw(text, &line, &mut drawing);
        } else {
            draw_unreadable(text, &line, &mut drawing);
        }
        drawing.text.truncate(drawing.text.trim_end().len());
        let from = drawing.position(start);
        let (from, to) = visible(&drawing.text, from, drawing.position(end).max(from));
        Snippet {
            line: before.matches('\n').count() + 1,
            column,
            span: from..to,
            text: drawing.text,
        }
    }

    /// Copies what is known of the line: keys, values that may be shown, and the signs between them.
    fn draw(&self, text: &str, line: &Range<usize>, drawing: &mut Drawing) {
        let mut at = line.start;
        for (range, shown) in &self.known {
            if range.end <= at || range.start >= line.end {
                continue;
            }
            if range.start > at && drawing.copy_until_comment(text, at..range.start) {
                return;
            }
            let part = range.start.max(at)..range.end.min(line.end);
            at = part.end;
            if *shown {
                drawing.copy(text, part);
            } else {
                drawing.hide(part);
            }
        }
        drawing.copy_until_comment(text, at..line.end);
    }
}

/// A line in the making, and where its parts came from.
#[derive(Default)]
struct Drawing {
    text: String,
    /// Byte of the file → byte of the drawing, in order.
    origin: Vec<(Range<usize>, Range<usize>)>,
}

impl Drawing {
    fn copy(&mut self, text: &str, range: Range<usize>) {
        let from = self.text.len();
        // A tab would make the caret stand elsewhere; other control characters are the terminal's.
        self.text.extend(
            text.get(range.clone())
                .unwrap_or_default()
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c }),
        );
        self.origin.push((range, from..self.text.len()));
    }

    fn hide(&mut self, range: Range<usize>) {
        let from = self.text.len();
        self.text.push_str(HIDDEN);
        self.origin.push((range, from..self.text.len()));
    }

    /// Copies what stands between keys and values; `true` when a comment ended it.
    fn copy_until_comment(&mut self, text: &str, range: Range<usize>) -> bool {
        let between = text.get(range.clone()).unwrap_or_default();
        let comment = between.find('#');
        let end = range.start + comment.unwrap_or(between.len());
        self.copy(text, range.start..end);
        comment.is_some()
    }

    /// Where a byte of the file came to stand.
    fn position(&self, byte: usize) -> usize {
        for (from, to) in &self.origin {
            if byte <= from.end {
                let offset = byte.saturating_sub(from.start);
                // A hidden part is shorter or longer than what it hides.
                let position = if from.len() == to.len() {
                    to.start + offset
                } else if byte >= from.end {
                    to.end
                } else {
                    to.start
                };
                return floor(&self.text, position.min(self.text.len()));
            }
        }
        self.text.len()
    }
}

fn draw_unreadable(text: &str, line: &Range<usize>, drawing: &mut Drawing) {
    let content = text.get(line.clone()).unwrap_or_default();
    let shown = shown_prefix(content);
    drawing.copy(text, line.start..line.start + shown);
    if !content.get(shown..).unwrap_or_default().trim().is_empty() {
        drawing.hide(line.start + shown..line.end);
    }
}

/// How much of a line is certainly a key with its `=`, or a table's header: only names that exist.
fn shown_prefix(line: &str) -> usize {
    let indent = line.len() - line.trim_start_matches([' ', '\t', '[']).len();
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let rest = line.get(indent..).unwrap_or_default();
    let names = rest.find(|c| !name(c)).unwrap_or(rest.len());
    let all_known = rest
        .get(..names)
        .unwrap_or_default()
        .split('.')
        .all(|name| exists(name, ROOT));
    if !all_known {
        return 0;
    }
    let end = indent + names;
    let tail = line.get(end..).unwrap_or_default();
    end + tail.len() - tail.trim_start_matches([' ', '\t', '=', ']']).len()
}

fn exists(name: &str, keys: &'static [Key]) -> bool {
    keys.iter().any(|key| {
        key.name == name
            || match key.kind {
                Kind::Table(keys) | Kind::Tables(keys) => exists(name, keys),
                _ => false,
            }
    })
}

/// `kind` is what the schema says of `node`; `None` where it says nothing.
fn collect(node: &Node, kind: Option<Kind>, known: &mut Vec<(Range<usize>, bool)>) {
    match &node.value {
        Value::Table(entries) => {
            let keys = match kind {
                Some(Kind::Table(keys) | Kind::Tables(keys)) => keys,
                _ => &[],
            };
            for entry in entries {
                if let Place::File(range) = &entry.key_place {
                    known.push((range.clone(), true));
                }
                let key = keys.iter().find(|key| key.name == entry.key);
                // Of keys that come later only those with a harmless value are known to be no secret.
                let kind = key
                    .filter(|key| !matches!(key.built, Built::Later(None)))
                    .map(|key| key.kind);
                collect(&entry.node, kind, known);
            }
        }
        Value::List(nodes) => nodes.iter().for_each(|node| collect(node, kind, known)),
        Value::Flag(_) => scalar(node, true, known),
        Value::Text(text) => scalar(node, may_show(text, kind), known),
        Value::Other(_) => scalar(node, kind.is_some_and(|kind| !is_secret(kind)), known),
    }
}

fn scalar(node: &Node, shown: bool, known: &mut Vec<(Range<usize>, bool)>) {
    if let Place::File(range) = &node.place {
        known.push((range.clone(), shown));
    }
}

fn may_show(text: &str, kind: Option<Kind>) -> bool {
    match kind {
        Some(kind) if is_secret(kind) => secret::is_presentable(text),
        None | Some(Kind::Table(_) | Kind::Tables(_)) => false,
        Some(_) => !may_hold_a_secret(text),
    }
}

const fn is_secret(kind: Kind) -> bool {
    matches!(kind, Kind::Secret | Kind::Secrets | Kind::Any)
}

/// Short texts are left alone: they are words of ours more often than secrets.
fn redact(problem: &mut Problem, secret: &str) {
    if secret.len() < SHORTEST {
        return;
    }
    let clean = |text: &mut String| {
        if text.contains(secret) {
            *text = text.replace(secret, HIDDEN);
        }
    };
    clean(&mut problem.message);
    clean(&mut problem.path);
    problem.cause.iter_mut().for_each(clean);
    problem.fix.iter_mut().for_each(clean);
    if let Some(snippet) = &mut problem.snippet
        && snippet.text.contains(secret)
    {
        HIDDEN.clone_into(&mut snippet.text);
        snippet.span = 0..HIDDEN.len();
    }
}

/// What the caret points at is at least one character: the next one, or at the end of the line the last.
fn visible(text: &str, from: usize, to: usize) -> (usize, usize) {
    let next = |from: usize| text.get(from..).and_then(|rest| rest.chars().next());
    match next(from) {
        _ if from < to => (from, to),
        Some(c) => (from, from + c.len_utf8()),
        None => (floor(text, from.saturating_sub(1)), from),
    }
}

/// The nearest character boundary at or before `index`.
fn floor(text: &str, index: usize) -> usize {
    (0..=index)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

const HIDDEN: &str = "***";
const SHORTEST: usize = 6;

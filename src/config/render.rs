//! Problems as an operator reads them: code and its page of the manual, place, snippet with a caret, cause, fix.
//!
//! On a terminal words are wrapped at 80 columns, never inside a path or a command; what goes to a file or a pipe keeps
//! one line per sentence, so that it can be searched.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents,
    SourceCode, SourceSpan, SpanContents,
};

use super::problem::{Code, Place, Problem, Problems, Severity, Snippet};

/// How problems are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// ASCII without colour: files, pipes, logs.
    Plain,
    /// Line drawing without colour: a terminal under `NO_COLOR`.
    Lines,
    /// Line drawing and colour: a terminal.
    Colour,
}

impl Problems {
    /// All problems as text, each ended by an empty line.
    pub fn render(&self, look: Look) -> String {
        let theme = match look {
            Look::Plain => GraphicalTheme::none(),
            Look::Lines => GraphicalTheme::unicode_nocolor(),
            Look::Colour => GraphicalTheme::unicode(),
        };
        // One line of context makes the handler ask for the line and for the position separately.
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_context_lines(1)
            .with_width(COLUMNS)
            .with_wrap_lines(look != Look::Plain)
            .with_break_words(false)
            .with_word_separator(textwrap::WordSeparator::AsciiSpace)
            .with_word_splitter(textwrap::WordSplitter::NoHyphenation)
            .with_links(false);
        let handler = match look {
            Look::Colour => handler,
            Look::Plain | Look::Lines => handler.without_syntax_highlighting(),
        };
        let mut text = String::new();
        for problem in self {
            let drawn = Drawn {
                problem,
                file_name: &self.file_name,
                source: problem.snippet.as_ref().map(|snippet| Line {
                    file_name: Arc::clone(&self.file_name),
                    snippet,
                }),
            };
            // Writing to a string does not fail; if drawing does, the words still come through.
            if handler.render_report(&mut text, &drawn).is_err() {
                let _ = writeln!(text, "{}: {drawn}", problem.code);
            }
            text.push('\n');
        }
        text.lines()
            .fold(String::with_capacity(text.len()), |mut all, line| {
                all.push_str(line.trim_end());
                all.push('\n');
                all
            })
    }
}

impl Problem {
    /// Key and message in one line.
    pub(super) fn headline(&self) -> String {
        match (&self.place, self.path.as_str()) {
            (Place::Variable(name), "") => format!("{name}: {}", self.message),
            (Place::Variable(name), path) => format!("{path} (from {name}): {}", self.message),
            (_, "") => self.message.clone(),
            (_, path) => format!("{path}: {}", self.message),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Look::Plain))
    }
}

/// A problem with the line it is about.
#[derive(Debug)]
struct Drawn<'a> {
    problem: &'a Problem,
    file_name: &'a str,
    source: Option<Line<'a>>,
}

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.problem.place == Place::Whole && self.problem.code != Code::FILE {
            write!(f, "{}: ", self.file_name)?;
        }
        f.write_str(&self.problem.headline())
    }
}

impl std::error::Error for Drawn<'_> {}

impl Diagnostic for Drawn<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.problem.code))
    }

    fn url<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.problem.code.manual()))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.problem.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let cause = self.problem.cause().map(|cause| format!("cause: {cause}"));
        let fix = self.problem.fix().map(|fix| format!("fix: {fix}"));
        let lines: Vec<_> = cause.into_iter().chain(fix).collect();
        (!lines.is_empty()).then(|| Box::new(lines.join("\n")) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|line| line as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.source.as_ref()?.snippet.span.clone();
        Some(Box::new(std::iter::once(LabeledSpan::new_primary_with_span(
            None, span,
        ))))
    }
}

/// One line that knows its place in the file, so that the file itself never comes near the drawing.
#[derive(Debug)]
struct Line<'a> {
    file_name: Arc<str>,
    snippet: &'a Snippet,
}

impl SourceCode for Line<'_> {
    fn read_span<'a>(
        &'a self,
        _span: &SourceSpan,
        context_before: usize,
        _context_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // Without context the handler wants to know the position, with context the line.
        let column = if context_before == 0 {
            self.snippet.column - 1
        } else {
            0
        };
        let text = &self.snippet.text;
        Ok(Box::new(MietteSpanContents::new_named(
            self.file_name.to_string(),
            text.as_bytes(),
            (0, text.len()).into(),
            self.snippet.line - 1,
            column,
            1,
        )))
    }
}

/// As wide as a terminal is at least.
const COLUMNS: usize = 80;

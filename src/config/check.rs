//! One reading of a configuration: where problems gather, and what readers may look at besides the tree.

use std::path::Path;

use zeroize::Zeroizing;

use super::problem::{Code, Place, Problem, Severity};
use super::table::Field;
use super::variables::Variables;

/// What one reading has at hand, and what it has found.
pub(super) struct Check<'a> {
    /// The folder of the configuration: relative paths start here.
    pub(super) base_dir: &'a Path,
    pub(super) variables: &'a Variables,
    pub(super) problems: Vec<Problem>,
    /// Every secret seen, so that the words of a problem can be searched for them at the end.
    pub(super) secrets: Vec<Zeroizing<String>>,
    /// Keys that a misspelt key was probably meant to be: not missing, misspelt, and reported as that.
    pub(super) misspelt: Vec<String>,
    /// Client secrets, to tell whether one was pasted as a cookie key.
    pub(super) client_secrets: Vec<Zeroizing<String>>,
}

impl<'a> Check<'a> {
    pub(super) const fn new(base_dir: &'a Path, variables: &'a Variables) -> Self {
        Self {
            base_dir,
            variables,
            problems: Vec::new(),
            secrets: Vec::new(),
            misspelt: Vec::new(),
            client_secrets: Vec::new(),
        }
    }

    /// Reports what stops the start.
    pub(super) fn error(
        &mut self,
        code: Code,
        path: &str,
        place: &Place,
        message: impl Into<String>,
    ) -> &mut Problem {
        self.push(code, Severity::Error, path, place, message.into())
    }

    /// Reports what does not.
    pub(super) fn warning(
        &mut self,
        code: Code,
        path: &str,
        place: &Place,
        message: impl Into<String>,
    ) -> &mut Problem {
        self.push(code, Severity::Warning, path, place, message.into())
    }

    /// Reports what is wrong with one value.
    pub(super) fn wrong(
        &mut self,
        code: Code,
        field: &Field<'_>,
        message: impl Into<String>,
    ) -> &mut Problem {
        self.error(code, &field.path, field.place(), message)
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "the last element of a list that was just pushed to"
    )]
    fn push(
        &mut self,
        code: Code,
        severity: Severity,
        path: &str,
        place: &Place,
        message: String,
    ) -> &mut Problem {
        self.problems.push(Problem {
            code,
            severity,
            path: path.to_owned(),
            place: place.clone(),
            message,
            cause: None,
            fix: None,
            snippet: None,
        });
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }
}

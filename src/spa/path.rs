//! From a request path to the path of a file, or to nothing.

use percent_encoding::percent_decode_str;

#[cfg(test)]
mod tests;

/// The path of a file below some root: plain names, joined by `/`, none of which leads elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FilePath(String);

impl FilePath {
    /// `index.html`
    pub(super) fn index() -> Self {
        Self(INDEX.to_owned())
    }

    /// Reads a request path: decoded once, whole; a trailing slash means the folder's `index.html`. `None` for names
    /// that begin with a dot (`..` among them), hold a separator of any system, or are no text.
    pub(super) fn read(path: &str) -> Option<Self> {
        let mut names = path.strip_prefix('/')?.split('/').peekable();
        let mut file = String::with_capacity(path.len());
        while let Some(name) = names.next() {
            let last = names.peek().is_none();
            let name = match percent_decode_str(name).decode_utf8().ok()? {
                empty if empty.is_empty() && last => INDEX.into(),
                name => name,
            };
            let allowed = !name.is_empty()
                && (!name.starts_with('.') || file.is_empty() && !last && name == WELL_KNOWN)
                && !name.contains(['/', '\\', ':'])
                && !name.chars().any(char::is_control);
            if !allowed {
                return None;
            }
            file.push_str(&name);
            if !last {
                file.push('/');
            }
        }
        Some(Self(file))
    }

    /// Relative, with `/`.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The last name.
    pub(super) fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it is a page by its ending.
    pub(super) fn is_page(&self) -> bool {
        let ending = self.name().rsplit_once('.').map_or("", |(_, ending)| ending);
        ending.eq_ignore_ascii_case("html") || ending.eq_ignore_ascii_case("htm")
    }
}

const INDEX: &str = "index.html";
/// The one folder with a dot that is meant to be seen (RFC 8615).
const WELL_KNOWN: &str = ".well-known";

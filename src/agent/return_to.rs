//! Where the browser may go after a login: the one checker, used when a login starts, again before the target is
//! used, and at load for `error_path` and `post_logout_path` (contract §5a).
//!
//! 1. At most 1 KiB, as written and as a browser would write it; no control characters, no `\` anywhere.
//! 2. Either a path: one leading `/`, resolved on `spa_origin`. Or an absolute `http(s)://` URL without userinfo whose
//!    origin is the app's `origin` or one of `allowed_origins`.
//! 3. The path never holds `//`, neither as written nor after dot segments are gone, and no encoded `/`, `\` or control
//!    character: whoever decodes once more downstream must not find a second target in it.
//! 4. On the app's own origin it is not under `agent_path` or a route: a login ends on a page, not on a call
//!    (a route at `/` is the SPA's own server and forbids nothing; it would forbid everything).
//!
//! What is checked is what is used: the text that leaves here is the parser's, never the one that came in (attack 13).
//! The parser is the one browsers follow (WHATWG URL), so both sides see the same target (L-22, attacks 2 to 13).

use percent_encoding::percent_decode_str;
use url::Url;

use crate::config::{App, Origin};

#[cfg(test)]
mod tests;

/// What targets are held against: parts of an app, so that a configuration can be checked before there is one.
#[derive(Debug, Clone)]
pub struct Rules<'a> {
    /// The app's `origin`.
    pub origin: &'a Origin,
    /// Where paths resolve.
    pub spa_origin: &'a Origin,
    /// The other origins that targets may have.
    pub allowed_origins: &'a [Origin],
    /// `agent_path` and the routes: on the app's own origin, nothing below these is a page.
    pub calls: Vec<&'a str>,
}

impl<'a> Rules<'a> {
    /// The rules of a checked app.
    pub fn of(app: &'a App) -> Self {
        Self {
            origin: &app.origin,
            spa_origin: &app.spa_origin,
            allowed_origins: &app.allowed_origins,
            calls: std::iter::once(&*app.agent_path)
                .chain(app.routes.iter().map(|route| &*route.path))
                .collect(),
        }
    }
}

/// A target that passed the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnTo {
    url: Url,
    on_spa_origin: bool,
    on_own_origin: bool,
}

/// Why a target was refused; the text is for whoever wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// Rule 1.
    #[error("must be at most 1024 bytes long")]
    TooLong,
    /// Rule 1.
    #[error("must not contain control characters or backslashes")]
    Character,
    /// Rule 2.
    #[error("must be a path with one leading slash, or an absolute URL of a listed origin")]
    Form,
    /// Rule 2.
    #[error("must be on the app's origin or on one of its allowed origins")]
    Origin,
    /// Rule 3.
    #[error("must not contain empty path segments or encoded separators")]
    Path,
    /// Rule 4.
    #[error("must be a page, not a path of the agent or of a route")]
    NotAPage,
}

impl ReturnTo {
    /// Checks `text` against `rules`.
    ///
    /// # Errors
    /// [`Rejected`] names the rule that was broken.
    pub fn check(text: &str, rules: &Rules<'_>) -> Result<Self, Rejected> {
        if text.len() > MAX_BYTES {
            return Err(Rejected::TooLong);
        }
        if text.chars().any(|c| c.is_control() || c == '\\') {
            return Err(Rejected::Character);
        }
        let (url, written_path) = read(text, rules.spa_origin)?;
        let origin = url.origin().ascii_serialization();
        let on_own_origin = origin == rules.origin.as_str();
        let on_spa_origin = origin == rules.spa_origin.as_str();
        if !(on_own_origin
            || on_spa_origin
            || rules
                .allowed_origins
                .iter()
                .any(|listed| listed.as_str() == origin))
        {
            return Err(Rejected::Origin);
        }
        // The browser's own writing may be longer (`ü` becomes `%C3%BC`); it travels in a cookie of bounded size.
        if url.as_str().len() > MAX_BYTES + origin.len() {
            return Err(Rejected::TooLong);
        }
        if written_path.contains("//") || url.path().contains("//") || hides_separator(url.path()) {
            return Err(Rejected::Path);
        }
        if on_own_origin && is_call(url.path(), rules) {
            return Err(Rejected::NotAPage);
        }
        Ok(Self {
            url,
            on_spa_origin,
            on_own_origin,
        })
    }

    /// `/` on `spa_origin`: where a login ends that said nothing, or whose target no longer passes.
    pub fn home(rules: &Rules<'_>) -> Self {
        Self {
            url: root_of(rules.spa_origin),
            on_spa_origin: true,
            on_own_origin: rules.spa_origin == rules.origin,
        }
    }

    /// The text that [`Self::check`] reads back to the same target: a path on `spa_origin`, else absolute.
    pub fn stored(&self) -> &str {
        if self.on_spa_origin {
            self.path_and_more()
        } else {
            self.url.as_str()
        }
    }

    /// For `Location` and for script: a path where the target is on the origin that answers, else absolute.
    pub fn location(&self) -> &str {
        if self.on_own_origin {
            self.path_and_more()
        } else {
            self.url.as_str()
        }
    }

    /// The same target with `pairs` added to its query, before any fragment; what was there stays.
    #[must_use]
    pub fn with_query(mut self, pairs: &[(&str, &str)]) -> Self {
        self.url.query_pairs_mut().extend_pairs(pairs);
        self
    }

    fn path_and_more(&self) -> &str {
        self.url
            .as_str()
            .get(self.url.origin().ascii_serialization().len()..)
            .unwrap_or("/")
    }
}

/// Rule 2 without the origin: the parsed target, and its path as it was written.
fn read<'t>(text: &'t str, spa_origin: &Origin) -> Result<(Url, &'t str), Rejected> {
    let written = |rest: &'t str| rest.split(['?', '#']).next().unwrap_or_default();
    if text.starts_with('/') {
        if text.starts_with("//") {
            return Err(Rejected::Form);
        }
        let url = root_of(spa_origin).join(text).map_err(|_| Rejected::Form)?;
        return Ok((url, written(text)));
    }
    let rest = ["https://", "http://"]
        .into_iter()
        .find_map(|scheme| {
            let (head, rest) = text.split_at_checked(scheme.len())?;
            head.eq_ignore_ascii_case(scheme).then_some(rest)
        })
        .ok_or(Rejected::Form)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // Userinfo (also an empty one) and encoded hosts only ever serve to make one host look like another (attack 4).
    if authority.is_empty() || authority.contains(['@', '%']) {
        return Err(Rejected::Form);
    }
    let url = Url::parse(text).map_err(|_| Rejected::Form)?;
    Ok((url, written(rest.get(authority.len()..).unwrap_or_default())))
}

#[expect(
    clippy::expect_used,
    reason = "an `Origin` is made from a parsed URL and prints as one"
)]
fn root_of(origin: &Origin) -> Url {
    Url::parse(origin.as_str()).expect("an origin is a URL")
}

/// Rule 3, the encoded half.
fn hides_separator(path: &str) -> bool {
    percent_decode_str(path).any(|byte| byte.is_ascii_control() || byte == b'\\')
        || percent_decode_str(path).filter(|byte| *byte == b'/').count() != path.matches('/').count()
}

/// Rule 4. Reads the path as leniently as anything behind us might: decoded, whatever the case, `;` ends a segment.
fn is_call(path: &str, rules: &Rules<'_>) -> bool {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let segments: Vec<&str> = decoded
        .split('/')
        .map(|segment| segment.split(';').next().unwrap_or_default())
        .collect();
    let under = |prefix: &str| {
        let mut given = segments.iter();
        prefix.split('/').all(|wanted| {
            given
                .next()
                .is_some_and(|segment| segment.eq_ignore_ascii_case(wanted))
        })
    };
    rules.calls.iter().any(|prefix| *prefix != "/" && under(prefix))
}

/// Contract §5a.
const MAX_BYTES: usize = 1024;

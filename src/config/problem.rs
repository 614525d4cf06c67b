//! What is wrong with a configuration: a stable code, a place, the key's path, cause and fix.
//!
//! A problem is written for the operator who has to repair it. Its words never hold a secret: readers quote a value
//! only where its key is known not to be one, and the snippet is masked by [`super::mask`].

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A problem's stable code: it outlives every rewording and names the entry of the manual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(&'static str);

impl Code {
    /// The file cannot be read.
    pub const FILE: Self = Self("CR-C001");
    /// The file is not TOML.
    pub const SYNTAX: Self = Self("CR-C002");
    /// A key that does not exist.
    pub const UNKNOWN_KEY: Self = Self("CR-C003");
    /// A value of another type than its key has.
    pub const WRONG_TYPE: Self = Self("CR-C004");
    /// A key that must be there is not.
    pub const MISSING_KEY: Self = Self("CR-C005");
    /// A key or value that exists but is not built yet.
    pub const NOT_AVAILABLE: Self = Self("CR-C006");
    /// A value outside the closed list of its key.
    pub const UNKNOWN_VALUE: Self = Self("CR-C007");
    /// A duration that does not read, or is out of range.
    pub const DURATION: Self = Self("CR-C008");
    /// A size that does not read, or is out of range.
    pub const SIZE: Self = Self("CR-C009");
    /// A listen address that does not read.
    pub const LISTEN: Self = Self("CR-C010");
    /// A trusted proxy that does not read, or trusts too much of the network.
    pub const TRUSTED_PROXY: Self = Self("CR-C011");
    /// A secret written into the file.
    pub const LITERAL_SECRET: Self = Self("CR-C012");
    /// A secret reference that leads nowhere.
    pub const SECRET_UNREADABLE: Self = Self("CR-C013");
    /// A cookie key that is not 32 bytes.
    pub const KEY_FORM: Self = Self("CR-C014");
    /// A cookie key that is known or trivial.
    pub const KEY_WEAK: Self = Self("CR-C015");
    /// The same cookie key twice.
    pub const KEY_TWICE: Self = Self("CR-C016");
    /// A secret's file that others may read.
    pub const FILE_MODE: Self = Self("CR-C017");
    /// A secret that is empty or cannot be one.
    pub const SECRET_FORM: Self = Self("CR-C018");
    /// An app id of the wrong form.
    pub const APP_ID: Self = Self("CR-C020");
    /// The same app id twice.
    pub const APP_ID_TWICE: Self = Self("CR-C021");
    /// A text that is not a web origin.
    pub const ORIGIN: Self = Self("CR-C023");
    /// `http` somewhere else than on loopback.
    pub const PLAIN_HTTP: Self = Self("CR-C024");
    /// An allowed origin that Strict cookies never travel from.
    pub const CROSS_SITE: Self = Self("CR-C025");
    /// A `spa_origin` that is neither the origin nor an allowed one.
    pub const SPA_ORIGIN: Self = Self("CR-C026");
    /// A path that is not canonical.
    pub const PATH: Self = Self("CR-C027");
    /// Two owners for one path.
    pub const OVERLAP: Self = Self("CR-C028");
    /// A landing place that no login may return to.
    pub const LANDING: Self = Self("CR-C029");
    /// An issuer that is not an issuer identifier.
    pub const ISSUER: Self = Self("CR-C030");
    /// A redirect URI that cannot work or must not.
    pub const REDIRECT_URI: Self = Self("CR-C032");
    /// Scopes that are not scopes, or lack `openid`.
    pub const SCOPES: Self = Self("CR-C033");
    /// An ID token algorithm that is refused.
    pub const ID_TOKEN_ALG: Self = Self("CR-C034");
    /// A file or folder that the configuration names cannot be used.
    pub const NAMED_FILE: Self = Self("CR-C035");
    /// A text that cannot be what its key says.
    pub const TEXT: Self = Self("CR-C036");
    /// Session lifetimes that contradict each other.
    pub const LIFETIME: Self = Self("CR-C040");
    /// A cookie budget that does not fit.
    pub const COOKIE_BUDGET: Self = Self("CR-C041");
    /// A key of `[store]` that its kind does not have.
    pub const STORE_KEY: Self = Self("CR-C042");
    /// Several processes that share nothing (a warning).
    pub const STORE_NONE: Self = Self("CR-C043");
    /// A `store.url` or `store.prefix` that is none.
    pub const STORE_URL: Self = Self("CR-C044");
    /// Redis on another machine without TLS.
    pub const PLAIN_REDIS: Self = Self("CR-C045");
    /// A store that does not keep the sessions that are to live in it.
    pub const SESSION_STORE: Self = Self("CR-C046");
    /// An upstream that is not a URL this service can forward to.
    pub const UPSTREAM: Self = Self("CR-C050");
    /// A method that cannot be allowed.
    pub const METHOD: Self = Self("CR-C052");
    /// `session` and `token` of a route contradict each other.
    pub const SESSION_AND_TOKEN: Self = Self("CR-C053");
    /// A header that cannot be dropped.
    pub const HEADER: Self = Self("CR-C054");
    /// An environment override that names no key.
    pub const OVERRIDE_NAME: Self = Self("CR-C060");
    /// An environment override whose value does not read.
    pub const OVERRIDE_VALUE: Self = Self("CR-C061");
    /// Several apps on one host (a warning).
    pub const ONE_COOKIE_ZONE: Self = Self("CR-C070");
    /// A loopback origin on another port than the service (a warning).
    pub const ANOTHER_PORT: Self = Self("CR-C071");
    /// Allowed origins that no login comes back to (a warning).
    pub const WAY_BACK: Self = Self("CR-C072");
    /// A token of the admin listener that cannot be sent, or could be guessed.
    pub const ADMIN_TOKEN: Self = Self("CR-C080");

    /// The code as text: `CR-C014`.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// Where the manual explains it.
    pub fn manual(self) -> String {
        format!("docs/reference/errors.md#{}", self.0.to_ascii_lowercase())
    }

    /// Why a problem of this kind is one, where its finder says nothing more telling.
    fn usual_cause(self) -> Option<&'static str> {
        Some(match self {
            Self::FILE => "without it nobody knows what to serve",
            Self::SYNTAX => "what cannot be read cannot be checked, and nothing of it is guessed",
            Self::UNKNOWN_KEY | Self::OVERRIDE_NAME => {
                "what nobody reads would be a setting that does nothing"
            }
            Self::WRONG_TYPE | Self::OVERRIDE_VALUE => {
                "values are never converted: what was meant would be a guess"
            }
            Self::MISSING_KEY => "it has no default",
            Self::NOT_AVAILABLE => "what does nothing yet is refused, so that nobody relies on it",
            Self::UNKNOWN_VALUE => "only the listed values mean something",
            Self::DURATION => "a duration is a whole number with its unit, within bounds that make sense",
            Self::SIZE => "a size is a whole number with its unit, within bounds that make sense",
            Self::LISTEN => "the service binds to an address and a port, never to a name",
            Self::TRUSTED_PROXY => "proxies are known by their addresses",
            Self::SECRET_UNREADABLE => "no secret has a default: it has to be there, as text",
            Self::KEY_FORM => "cookies are sealed with AES-256: its keys have 32 bytes",
            Self::KEY_TWICE => "such a ring looks rotated and is not",
            Self::FILE_MODE => {
                "everybody else on this machine could read the secret, or put another in its place"
            }
            Self::SPA_ORIGIN => "browsers are sent there after a login: it has to be an origin of this app",
            Self::OVERLAP => "a request would have two owners",
            Self::SCOPES => "scopes are sent to the provider with spaces between them (RFC 6749)",
            Self::TEXT => "the value would have no effect, or another than its key promises",
            Self::METHOD => {
                "methods are compared with case; TRACE and CONNECT would show headers or open tunnels"
            }
            Self::SESSION_AND_TOKEN => "only a session has an access token to attach",
            Self::LIFETIME => "whichever timeout is shorter ends the session",
            Self::STORE_KEY => "each kind of store has keys of its own; one without effect would mislead",
            Self::HEADER => "a header name is letters, digits and hyphens",
            _ => return None,
        })
    }

    /// What to do about it, where its finder says nothing more telling.
    fn usual_fix(self) -> Option<&'static str> {
        (self == Self::PATH).then_some("write it as requests carry it, as `\"/api\"`")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Whether a problem stops the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It does: exit 78.
    Error,
    /// It does not, but `check` and `serve` say it.
    Warning,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Bytes of the file.
    File(Range<usize>),
    /// An environment variable, by name.
    Variable(Arc<str>),
    /// Nowhere in particular: the file as a whole.
    Whole,
}

/// One problem.
#[derive(Debug, Clone)]
pub struct Problem {
    pub(super) code: Code,
    pub(super) severity: Severity,
    pub(super) path: String,
    pub(super) place: Place,
    pub(super) message: String,
    pub(super) cause: Option<String>,
    pub(super) fix: Option<String>,
    pub(super) snippet: Option<Snippet>,
}

/// The line of the file that a problem is about, masked.
#[derive(Debug, Clone)]
pub(super) struct Snippet {
    /// From 1.
    pub(super) line: usize,
    /// From 1, in characters.
    pub(super) column: usize,
    /// The line, every value that may be a secret replaced.
    pub(super) text: String,
    /// What the caret points at, in bytes of `text`.
    pub(super) span: Range<usize>,
}

impl Problem {
    /// Its stable code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// Whether it stops the start.
    pub const fn severity(&self) -> Severity {
        self.severity
    }

    /// The path of the key it is about: `app[0].route[2].upstream`. Empty where it is about the whole file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Line and column in the file, both from 1; `None` where it is about the environment or the whole file.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.snippet
            .as_ref()
            .map(|snippet| (snippet.line, snippet.column))
    }

    /// The environment variable that it comes from, where it is not the file.
    pub fn variable(&self) -> Option<&str> {
        match &self.place {
            Place::Variable(name) => Some(name),
            Place::File(_) | Place::Whole => None,
        }
    }

    /// What is wrong, in a line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Why it is wrong.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref().or_else(|| self.code.usual_cause())
    }

    /// What to do about it.
    pub fn fix(&self) -> Option<&str> {
        self.fix.as_deref().or_else(|| self.code.usual_fix())
    }

    pub(super) fn with_cause(&mut self, cause: impl Into<String>) -> &mut Self {
        self.cause = Some(cause.into());
        self
    }

    pub(super) fn with_fix(&mut self, fix: impl Into<String>) -> &mut Self {
        self.fix = Some(fix.into());
        self
    }
}

/// Everything that is wrong with a configuration, in the order of the file.
#[derive(Debug, Clone)]
pub struct Problems {
    pub(super) file_name: Arc<str>,
    pub(super) list: Vec<Problem>,
}

impl Problems {
    /// The problems, in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.list.iter()
    }

    /// How many of them stop the start.
    pub fn errors(&self) -> usize {
        self.iter()
            .filter(|problem| problem.severity == Severity::Error)
            .count()
    }

    /// Whether there is none, not even a warning.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The reason in one line: what the last line of a failed command says.
    pub fn reason(&self) -> String {
        let mut errors = self.iter().filter(|problem| problem.severity == Severity::Error);
        match (errors.next(), self.errors()) {
            (Some(first), 1) => {
                format!("{}: {}: {}", self.file_name, first.code, first.headline())
            }
            (_, count) => format!("{}: {count} problems", self.file_name),
        }
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl std::error::Error for Problems {}

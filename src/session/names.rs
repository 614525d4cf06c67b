//! The names of our cookies: exactly those of one app (to read), and everything of their form (to keep from upstreams).
//!
//! Reading is byte-exact, keeping out is lenient: what an upstream might take for one of our cookies never reaches it,
//! and what only looks like one of our cookies is never read (attack 88).

use sha2::{Digest as _, Sha256};

use super::chunk;

/// The three cookies of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `-at`
    Access,
    /// `-rt`
    Refresh,
    /// `-id`
    Id,
}

/// The cookie names of one app.
pub(super) struct Names {
    /// `__Host-Http-<app>-`
    prefix: Box<str>,
    access: Box<str>,
    refresh: Box<str>,
    id: Box<str>,
    end: Box<str>,
}

/// Which cookie of ours a name belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// A chunk of `-at`, `-rt` or `-id`.
    Session(Kind, usize),
    /// A pending login.
    Login,
    /// A chunk of `-end`.
    End(usize),
}

impl Names {
    pub(super) fn new(app: &str) -> Self {
        let prefix = format!("{PREFIX}{app}-");
        Self {
            access: format!("{prefix}at").into(),
            refresh: format!("{prefix}rt").into(),
            id: format!("{prefix}id").into(),
            end: format!("{prefix}end").into(),
            prefix: prefix.into(),
        }
    }

    /// The base name of a session cookie.
    pub(super) fn of(&self, kind: Kind) -> &str {
        match kind {
            Kind::Access => &self.access,
            Kind::Refresh => &self.refresh,
            Kind::Id => &self.id,
        }
    }

    /// The base name of `-end`.
    pub(super) fn end(&self) -> &str {
        &self.end
    }

    /// The name of the login cookie that belongs to `state`.
    pub(super) fn login(&self, state: &str) -> String {
        let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(state));
        format!("{}login-{:08x}", self.prefix, u32::from_be_bytes([a, b, c, d]))
    }

    /// What `name` names, byte for byte.
    pub(super) fn read(&self, name: &[u8]) -> Option<Named> {
        match name.strip_prefix(self.prefix.as_bytes())? {
            [b'a', b't', suffix @ ..] => Some(Named::Session(Kind::Access, number(suffix)?)),
            [b'r', b't', suffix @ ..] => Some(Named::Session(Kind::Refresh, number(suffix)?)),
            [b'i', b'd', suffix @ ..] => Some(Named::Session(Kind::Id, number(suffix)?)),
            [b'e', b'n', b'd', suffix @ ..] => Some(Named::End(number(suffix)?)),
            [b'l', b'o', b'g', b'i', b'n', b'-', hash @ ..] => (hash.len() == 8
                && hash.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
            .then_some(Named::Login),
            _ => None,
        }
    }
}

/// Whether `name` is of the form of our cookies, of any app: `__Host-Http-<id>-(at|rt|id|end|login-…)`, chunks
/// included, in any case of letters and with any blanks around it. For what goes to and comes from upstreams.
pub fn is_session_cookie_name(name: &[u8]) -> bool {
    let name = trim_leniently(name);
    let Some((prefix, rest)) = name.split_at_checked(PREFIX.len()) else {
        return false;
    };
    prefix.eq_ignore_ascii_case(PREFIX.as_bytes()) && is_app_and_kind(rest)
}

/// `<id>-(at|rt|id|end|login-…)`; whatever follows a dot is a chunk suffix, because no id has a dot.
fn is_app_and_kind(rest: &[u8]) -> bool {
    let rest = rest.split(|byte| *byte == b'.').next().unwrap_or_default();
    let of_one_value = KINDS.iter().any(|kind| {
        rest.split_at_checked(rest.len().saturating_sub(kind.len()))
            .is_some_and(|(id, end)| end.eq_ignore_ascii_case(kind) && is_app_id(id))
    });
    of_one_value
        || rest
            .windows(LOGIN.len())
            .enumerate()
            .any(|(at, part)| part.eq_ignore_ascii_case(LOGIN) && rest.get(..at).is_some_and(is_app_id))
}

fn is_app_id(id: &[u8]) -> bool {
    (1..=16).contains(&id.len())
        && id
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// Blanks as the most lenient reader sees them: controls, spaces, and Unicode blanks in whatever encoding. No byte of a
/// name of ours is outside ASCII, so all of those bytes go.
fn trim_leniently(mut name: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = name
        && !first.is_ascii_graphic()
    {
        name = rest;
    }
    while let [rest @ .., last] = name
        && !last.is_ascii_graphic()
    {
        name = rest;
    }
    name
}

fn number(suffix: &[u8]) -> Option<usize> {
    match suffix {
        [] => Some(0),
        [b'.', number @ ..] => chunk::number(number),
        _ => None,
    }
}

/// Browsers keep cookies of this name from script, from subdomains and from plain HTTP (K-02).
pub(super) const PREFIX: &str = "__Host-Http-";
const KINDS: [&[u8]; 4] = [b"-at", b"-rt", b"-id", b"-end"];
const LOGIN: &[u8] = b"-login-";

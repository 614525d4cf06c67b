//! `[app.session]`: lifetimes, renewal, how much the cookies may weigh.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::check::Check;
use super::problem::Code;
use super::schema::{Key, Kind};
use super::table::{Field, Table, quoted};
use super::{StoreKind, duration, size};

/// `[app.session]`
#[derive(Debug, Clone)]
pub struct Session {
    /// `idle_timeout`, from 1 s; slides with API calls and refreshes.
    pub idle_timeout: Duration,
    /// `absolute_timeout`
    pub absolute_timeout: Duration,
    /// `refresh`
    pub refresh: RefreshMode,
    /// `persistent`: cookies carry Max-Age.
    pub persistent: bool,
    /// `cookie_budget` in bytes: names, separators and chunks of at, rt, id together.
    pub cookie_budget: usize,
    /// `claims`: narrows `id_token_claims`; `None` shows all but the protocol's own.
    pub claims: Option<Vec<Box<str>>>,
    /// `mode`
    pub mode: SessionMode,
}

/// `mode`: where the tokens of a session lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionMode {
    /// In the browser's cookies, sealed.
    Cookie,
    /// In the store, sealed for the browser's cookies.
    Store,
}

impl SessionMode {
    /// As the configuration writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Store => "store",
        }
    }
}

/// `refresh`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshMode {
    /// The proxy renews.
    Inline,
    /// Only `POST refresh` renews.
    Spa,
}

impl RefreshMode {
    /// As the configuration writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Spa => "spa",
        }
    }
}

pub(super) const KEYS: &[Key] = &[
    Key::new("idle_timeout", Kind::Duration),
    Key::new("absolute_timeout", Kind::Duration),
    Key::new("refresh", Kind::Text),
    Key::new("persistent", Kind::Flag),
    Key::new("cookie_budget", Kind::Size),
    Key::new("claims", Kind::Texts),
    Key::new("mode", Kind::Text),
];

/// Reads `[app.session]`, which may be absent.
pub(super) fn read(app: &Table<'_>, check: &mut Check<'_>) -> Option<Session> {
    let table = app.table_or_empty("session");
    let lifetime = |field: &Field<'_>, check: &mut Check<'_>| duration::read(field, &LIFETIMES, check);
    let idle_timeout = table.or("idle_timeout", IDLE, check, lifetime);
    let absolute_timeout = table.or("absolute_timeout", ABSOLUTE, check, lifetime);
    if let (Some(idle), Some(absolute)) = (idle_timeout, absolute_timeout)
        && idle > absolute
        && let Some(field) = table.field("idle_timeout")
    {
        check
            .warning(
                Code::LIFETIME,
                &field.path,
                field.place(),
                "the idle timeout is longer than the absolute one: it never ends a session",
            )
            .with_fix(format!(
                "idle_timeout is {}, absolute_timeout {}: lower the one or raise the other",
                duration::write(idle),
                duration::write(absolute)
            ));
    }
    let refresh = table.or("refresh", RefreshMode::Inline, check, |field, check| {
        field.choice(
            check,
            &[("inline", RefreshMode::Inline), ("spa", RefreshMode::Spa)],
            &[],
        )
    });
    let persistent = table.flag("persistent", false);
    let cookie_budget = table.or("cookie_budget", BUDGET, check, |field, check| {
        size::read(field, &BUDGETS, check)
    });
    let claims = match table.field("claims") {
        Some(_) => table.each("claims", check, claim).map(Some),
        None => Some(None),
    };
    let mode = table.or("mode", SessionMode::Cookie, check, |field, check| {
        let words = [("cookie", SessionMode::Cookie), ("store", SessionMode::Store)];
        field.choice(check, &words, &[])
    });
    Some(Session {
        idle_timeout: idle_timeout?,
        absolute_timeout: absolute_timeout?,
        refresh: refresh?,
        persistent: persistent?,
        cookie_budget: usize::try_from(cookie_budget?).ok()?,
        claims: claims?,
        mode: mode?,
    })
}

/// Where the tokens of sessions are to lie, the store must keep them.
pub(super) fn inspect_mode(store: &StoreKind, session: &Session, app: &Table<'_>, check: &mut Check<'_>) {
    let table = app.table_or_empty("session");
    let Some(field) = table.field("mode").filter(|_| session.mode == SessionMode::Store) else {
        return;
    };
    match store {
        StoreKind::Memory { file: Some(_) } | StoreKind::Redis(_) => {}
        StoreKind::Memory { file: None } => {
            check
                .warning(
                    Code::SESSION_STORE,
                    &field.path,
                    field.place(),
                    "a restart of the service signs everybody out",
                )
                .with_cause("the sessions live in the memory of one process, `[store] kind = \"memory\"`")
                .with_fix("`store.file`, or `mode = \"cookie\"`; nothing, where this is meant");
        }
        StoreKind::None => {
            check
                .wrong(
                    Code::SESSION_STORE,
                    &field,
                    "there is no store for the sessions to live in",
                )
                .with_cause("`[store] kind = \"none\"`: the processes share nothing")
                .with_fix("another kind of store, or `mode = \"cookie\"`");
        }
    }
}

fn claim(field: &Field<'_>, check: &mut Check<'_>) -> Option<Box<str>> {
    let text = field.text()?;
    if NEVER_SHOWN.contains(&text) || text.is_empty() {
        check
            .wrong(
                Code::TEXT,
                field,
                format!("the claim {} is never shown to the SPA", quoted(text)),
            )
            .with_fix("remove it");
        return None;
    }
    Some(text.into())
}

const IDLE: Duration = Duration::from_secs(30 * 60);
const ABSOLUTE: Duration = Duration::from_secs(12 * 60 * 60);

/// A session of more than a year is none; browsers cap cookies at 400 days.
const LIFETIMES: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(400 * 86_400);

const BUDGET: u64 = 7 << 10;

/// One empty session with three cookies weighs about a kibibyte; contract §4 ends at 64 KiB.
const BUDGETS: RangeInclusive<u64> = (1 << 10)..=(64 << 10);

/// Claims that serve the protocol (contract §10): of use to whoever checks the token, and that has happened; `sid` would
/// let script name the provider's session. No narrowing brings them back.
pub(crate) const NEVER_SHOWN: &[&str] = &["nonce", "at_hash", "c_hash", "s_hash", "sid"];

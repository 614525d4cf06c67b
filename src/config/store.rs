//! `[store]`: shared state. The memory of one process, with or without a file behind it, Redis, or none that is shared.

use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

use super::check::Check;
use super::problem::Code;
use super::schema::{Key, Kind};
use super::secret::{self, beside};
use super::table::{Field, Table};
use super::{RedisUrl, StoreKind, duration};

/// `[store]` of `kind = "redis"`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redis {
    /// `url`
    pub url: RedisUrl,
    /// `prefix`: in front of every key, so that several services can share one Redis.
    pub prefix: Box<str>,
    /// `grace`: how long API calls go on while Redis is out of reach.
    pub grace: Duration,
}

pub(super) const KEYS: &[Key] = &[
    Key::new("kind", Kind::Text),
    Key::new("file", Kind::Text),
    Key::new("url", Kind::Text),
    Key::new("insecure", Kind::Flag),
    Key::new("prefix", Kind::Text),
    Key::new("grace", Kind::Duration),
];

/// The words of `kind`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Memory,
    Redis,
    None,
}

/// The keys of Redis alone.
const REDIS_KEYS: [&str; 4] = ["url", "insecure", "prefix", "grace"];

/// Reads `[store]`, which may be absent.
pub(super) fn read(root: &Table<'_>, check: &mut Check<'_>) -> Option<StoreKind> {
    let table = root.table_or_empty("store");
    let word = table.or("kind", Word::Memory, check, |field, check| {
        field.choice(
            check,
            &[
                ("memory", Word::Memory),
                ("redis", Word::Redis),
                ("none", Word::None),
            ],
            &[],
        )
    })?;
    if word != Word::Memory {
        refuse_of_another_kind(&table, "file", "memory", check)?;
    }
    if word != Word::Redis {
        let wrong = REDIS_KEYS.map(|key| refuse_of_another_kind(&table, key, "redis", check));
        wrong.into_iter().collect::<Option<()>>()?;
    }
    match word {
        Word::Redis => redis(&table, check).map(StoreKind::Redis),
        Word::Memory => Some(StoreKind::Memory {
            file: table.optional("file", check, file)?,
        }),
        Word::None => {
            warn_of_none(&table, check);
            Some(StoreKind::None)
        }
    }
}

/// `None` where `key`, which only `kind` has, is written with another kind.
fn refuse_of_another_kind(table: &Table<'_>, key: &str, kind: &str, check: &mut Check<'_>) -> Option<()> {
    let Some(field) = table.field(key) else {
        return Some(());
    };
    check
        .wrong(
            Code::STORE_KEY,
            &field,
            format!("`{key}` is for `kind = \"{kind}\"`"),
        )
        .with_fix(format!("remove it, or write `kind = \"{kind}\"`"));
    None
}

/// Where the memory is written down. The file itself is looked at when the service opens it; here only what a new one needs.
fn file(field: &Field<'_>, check: &mut Check<'_>) -> Option<PathBuf> {
    if cfg!(not(feature = "file-store")) {
        check
            .wrong(Code::NOT_AVAILABLE, field, "not available in this build")
            .with_cause("it was built without the feature `file-store`")
            .with_fix("remove it");
        return None;
    }
    let text = field.text()?;
    let path = beside(check, text);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let cause = if text.is_empty() || path.is_dir() {
        Some("it is a folder")
    } else if folder.is_some_and(|folder| !folder.is_dir()) {
        Some("its folder does not exist")
    } else {
        None
    };
    if let Some(cause) = cause {
        check
            .wrong(Code::NAMED_FILE, field, "the store cannot be kept in this file")
            .with_cause(cause)
            .with_fix("name a file in a folder that exists; it is made at the first start");
        return None;
    }
    Some(path)
}

/// Redis, with everything that is wrong about it at once.
fn redis(table: &Table<'_>, check: &mut Check<'_>) -> Option<Redis> {
    if let Some(field) = table.field("kind")
        && !cfg!(feature = "redis")
    {
        check
            .wrong(Code::NOT_AVAILABLE, &field, "`redis` is not in this build")
            .with_fix("build Cloakroom with the feature `redis`, which is one of the default ones");
        return None;
    }
    let insecure = table.flag("insecure", false).unwrap_or(true);
    let url = if let Some(field) = table.field("url") {
        url(&field, insecure, check)
    } else {
        table.missing(
            "url",
            "`url = \"redis://127.0.0.1:6379/0\"`, or a reference: `\"env:NAME\"`",
            check,
        );
        None
    };
    let prefix = table.or("prefix", "cloakroom:".into(), check, prefix);
    let grace = table.or("grace", GRACE, check, |field, check| {
        duration::read(field, &(Duration::ZERO..=LONGEST_GRACE), check)
    });
    Some(Redis {
        url: url?,
        prefix: prefix?,
        grace: grace?,
    })
}

/// The URL itself, or a reference to a secret that is one. A password stands in a reference only.
fn url(field: &Field<'_>, insecure: bool, check: &mut Check<'_>) -> Option<RedisUrl> {
    let written = field.text()?;
    let secret = if written.contains("://") {
        Zeroizing::new(written.to_owned())
    } else {
        secret::read(field, check)?
    };
    let url = match RedisUrl::parse(&secret) {
        Ok(url) => url,
        Err(cause) => {
            check.secrets.push(secret);
            check
                .wrong(Code::STORE_URL, field, "this is no address of Redis")
                .with_cause(cause)
                .with_fix(
                    "`redis://127.0.0.1:6379/0`, `rediss://user:password@host`, `rediss+cluster://h1,h2` or \
                     `rediss+sentinel://h1,h2/master`",
                );
            return None;
        }
    };
    if written.contains("://") && url.password().is_some() {
        check.secrets.push(secret);
        check
            .wrong(Code::LITERAL_SECRET, field, "a literal password is refused")
            .with_cause("a secret in the configuration ends up in repositories, backups and support mails")
            .with_fix("put the whole URL elsewhere and refer to it: `\"env:NAME\"`, `\"file:path\"` or `\"systemd:NAME\"`");
        return None;
    }
    if !url.tls() && !insecure && url.elsewhere().is_some() {
        check
            .wrong(
                Code::PLAIN_REDIS,
                field,
                "Redis on another machine without TLS needs `insecure = true`",
            )
            .with_cause(
                "whoever sees or changes what crosses the network can log users out and undo a logout",
            )
            .with_fix("`rediss://`, or add `insecure = true` where nobody else is on that network");
        return None;
    }
    Some(url)
}

/// Any printable text: it stands in front of every key.
fn prefix(field: &Field<'_>, check: &mut Check<'_>) -> Option<Box<str>> {
    let text = field.text()?;
    let fits = (1..=LONGEST_PREFIX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !fits || text.contains(['{', '}']) {
        check
            .wrong(Code::STORE_URL, field, "this cannot stand in front of every key")
            .with_cause("a prefix is 1 to 64 printable ASCII characters without blanks and braces")
            .with_fix("for example `\"cloakroom:\"` or `\"shop-eu:\"`");
        return None;
    }
    Some(text.into())
}

/// What several processes that share nothing cannot do (contract §9).
fn warn_of_none(table: &Table<'_>, check: &mut Check<'_>) {
    let Some(field) = table.field("kind") else { return };
    check
        .warning(
            Code::STORE_NONE,
            &field.path,
            field.place(),
            "processes that share nothing cannot end a session everywhere",
        )
        .with_cause(
            "a logout holds at the process that served it, and a copy of the cookies stays good at the others; channel \
             logouts answer 404; two processes may renew one session at once, and one of them answers 409",
        )
        .with_fix("`kind = \"redis\"` for several processes, `kind = \"memory\"` for one; nothing, where this is meant");
}

const GRACE: Duration = Duration::from_secs(600);
const LONGEST_GRACE: Duration = Duration::from_secs(24 * 3600);
const LONGEST_PREFIX: usize = 64;

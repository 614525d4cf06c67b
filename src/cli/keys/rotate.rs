//! `cloakroom keys rotate`: which step of a rotation comes next, and when (contract §4). It reads the configuration and never
//! edits it: which process has which file is known to whoever put it there.
//!
//! What it goes by: the order of the ring, and the age of the key files. The newest key last is a rotation that has begun;
//! the newest first, one that waits for the old ones to go. Keys that are no files have no age: then both are told.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::Args;

use super::{ConfigFile, Failure, report};
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::config::{Config, Session, Variables};
use crate::random::OsRandom;

#[derive(Debug, Args)]
pub(in crate::cli) struct Rotate {
    #[command(flatten)]
    config: ConfigFile,
    /// In the first step, write the new key to this new file, readable by its owner only; never overwrites
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Rotate {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let path = &self.config.config;
        let (config, _warnings) = report::read(path)?;
        let ring = ring(path, &config)?;
        let step = Step::of(&ring);
        let mut text = shown(path, &ring);
        match (step, &self.out) {
            (Step::Add, out) => {
                let made = out.as_deref().map(|out| make(out, path)).transpose()?;
                add(&mut text, &ring, made.as_deref());
            }
            (_, Some(_)) => {
                return Err(Failure::failed(
                    "a rotation is under way: no key was written; `cloakroom keys rotate` without `--out` says how it goes on",
                ));
            }
            (Step::Move, None) => move_first(&mut text, &ring),
            (Step::Remove, None) => remove(&mut text, &ring, path, &config),
            (Step::Unclear, None) => {
                text.push_str(UNCLEAR);
                move_first(&mut text, &ring);
                text.push('\n');
                remove(&mut text, &ring, path, &config);
            }
        }
        report::print(&text)
    }
}

/// One key of the ring.
struct Key {
    id: String,
    reference: String,
    /// Of its file.
    written: Option<SystemTime>,
}

/// Where a rotation has got to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// One key: none is under way.
    Add,
    /// The newest does not seal yet.
    Move,
    /// The newest seals; the others wait for their end.
    Remove,
    /// Nobody knows which is the newest.
    Unclear,
}

impl Step {
    fn of(ring: &[Key]) -> Self {
        match newest(ring) {
            _ if ring.len() < 2 => Self::Add,
            Some(0) => Self::Remove,
            Some(_) => Self::Move,
            None => Self::Unclear,
        }
    }
}

/// The place of the newest key of several, where the age of their files tells: not where one is no file, or the newest were
/// copied together.
fn newest(ring: &[Key]) -> Option<usize> {
    let ages: Vec<SystemTime> = ring.iter().map(|key| key.written).collect::<Option<_>>()?;
    let newest = ages.iter().max()?;
    let mut of_that_age = ages.iter().enumerate().filter(|(_, age)| *age == newest);
    match (of_that_age.next(), of_that_age.next()) {
        (Some((place, _)), None) if ring.len() > 1 => Some(place),
        _ => None,
    }
}

fn ring(path: &Path, config: &Config) -> Result<Vec<Key>, Failure> {
    let effective = Config::effective(path, &Variables::of_process())
        .map_err(|problems| Failure::config(problems.reason()))?;
    let references = effective.references("keys.cookie");
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let keys = config.keys.iter().zip(references).map(|(key, reference)| Key {
        id: key.id(),
        written: reference
            .strip_prefix("file:")
            .and_then(|file| std::fs::metadata(folder.join(file)).ok()?.modified().ok()),
        reference: reference.clone(),
    });
    Ok(keys.collect())
}

/// A file that is named in the configuration, as the configuration has to name it: relative to its own folder.
fn make(out: &Path, config: &Path) -> Result<String, Failure> {
    super::write_new(out, &super::generate(&OsRandom), 0o600)?;
    let folder = config.parent().filter(|folder| !folder.as_os_str().is_empty());
    let named = match folder {
        None => Some(out.to_owned()),
        Some(folder) => out.strip_prefix(folder).ok().map(Path::to_owned),
    };
    let named = named
        .or_else(|| out.canonicalize().ok())
        .unwrap_or_else(|| out.to_owned());
    Ok(format!("file:{}", named.display()))
}

fn shown(path: &Path, ring: &[Key]) -> String {
    let mut text = format!("The cookie keys of {}:\n\n", path.display());
    let width = ring
        .iter()
        .map(|key| key.reference.len())
        .max()
        .unwrap_or_default();
    for (index, key) in ring.iter().enumerate() {
        let role = if index == 0 { "seals, opens" } else { "opens" };
        let written = key
            .written
            .map_or_else(String::new, |time| format!("  written {}", date(time)));
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "  {}  {:<width$}  {role:<12}{written}",
            key.id, key.reference
        );
    }
    text.push('\n');
    if let Some(newest) = newest(ring).and_then(|place| ring.get(place)) {
        let _ = writeln!(text, "By the age of its file, {} is the newest.\n", newest.id);
    }
    text
}

fn add(text: &mut String, ring: &[Key], made: Option<&str>) {
    text.push_str(
        "Step 1 of 3: add a new key, last. All processes then open it, and none seals with it yet.\n\n",
    );
    let new = made.unwrap_or("file:FILE");
    match made {
        Some(made) => {
            let file = made.trim_start_matches("file:");
            let _ = writeln!(
                text,
                "  - {file} is the new key (mode 0600); bring it to every machine."
            );
        }
        None => text.push_str("  - Make it: cloakroom keys rotate --out FILE\n"),
    }
    let references = ring.iter().map(|key| &*key.reference).chain([new]);
    let _ = writeln!(
        text,
        "  - Name it last in `[keys]`: cookie = {}",
        list(references)
    );
    text.push_str(RELOAD);
    text.push_str("  - Then ask again: cloakroom keys rotate\n");
}

fn move_first(text: &mut String, ring: &[Key]) {
    text.push_str(
        "Step 2 of 3: move the new key first, once every process has loaded it (`reloaded` in the log of each, or a \
         restart).\n\n",
    );
    text.push_str(
        "  - One that does not know the key finds no session in a cookie that another has sealed under it.\n",
    );
    let newest = newest(ring).unwrap_or(ring.len().saturating_sub(1));
    let first = ring.get(newest);
    let rest = ring.iter().enumerate().filter(|(index, _)| *index != newest);
    let references = first.into_iter().chain(rest.map(|(_, key)| key));
    let _ = writeln!(
        text,
        "  - Write in `[keys]`: cookie = {}",
        list(references.map(|key| &*key.reference))
    );
    text.push_str(RELOAD);
    text.push_str("  - Cookies are sealed anew as they are used; nobody is signed out.\n");
}

fn remove(text: &mut String, ring: &[Key], path: &Path, config: &Config) {
    let sessions = longest(config, |session| session.absolute_timeout);
    let _ = writeln!(
        text,
        "Step 3 of 3: remove the old key, {} after the last process has loaded the new order: so long a session can last \
         (`session.absolute_timeout`).\n",
        hours(sessions)
    );
    if let Some(changed) = std::fs::metadata(path).ok().and_then(|data| data.modified().ok()) {
        let earliest = changed + sessions;
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(SystemClock.now().as_millis());
        let over = if now >= earliest { ", which is over" } else { "" };
        let _ = writeln!(
            text,
            "  - {} was last written at {}: not before {}{over}.",
            path.display(),
            date(changed),
            date(earliest),
        );
    }
    let old = ring
        .iter()
        .skip(1)
        .map(|key| key.id.clone())
        .collect::<Vec<_>>()
        .join(", ");
    let idle = longest(config, |session| session.idle_timeout).max(LOGIN_LIFETIME);
    let _ = writeln!(
        text,
        "  - Sooner, when nothing was opened under {old} on any process for {}: whoever is signed in has been seen by then, \
         and holds the new key. `cloakroom_cookie_opens_total` of the admin listener stands still, or `opened` of \
         `cookie_key` in the log at two reloads.",
        hours(idle)
    );
    let first = ring.first().map(|key| &*key.reference);
    let _ = writeln!(
        text,
        "  - Write in `[keys]`: cookie = {}",
        list(first.into_iter())
    );
    text.push_str(RELOAD);
    text.push_str("  - Whoever still comes with a cookie under the old key has to sign in again.\n");
}

fn list<'a>(references: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = references.map(|reference| format!("\"{reference}\"")).collect();
    format!("[{}]", quoted.join(", "))
}

/// The longest of all apps.
fn longest(config: &Config, timeout: impl Fn(&Session) -> Duration) -> Duration {
    let apps = config.apps.iter();
    apps.map(|app| timeout(&app.session)).max().unwrap_or_default()
}

fn hours(time: Duration) -> String {
    let minutes = time.as_secs().div_ceil(60);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

fn date(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)).to_rfc3339()
}

/// A login that is pending holds a cookie for so long, whatever the sessions do.
const LOGIN_LIFETIME: Duration = Duration::from_secs(600);
const RELOAD: &str = "  - cloakroom check, then send SIGHUP to every process.\n";
const UNCLEAR: &str = "Which of these keys is the newest cannot be told from here: not all of them are files, or their files are \
                       of one age. If the new one has just been added, step 2 is next; if it has just been moved first, \
                       step 3.\n\n";

//! What is done in Redis in one step: scripts, each a file, sent whole (Redis keeps those it has seen by their text). Nothing that
//! comes from outside is ever part of a text: all of it are keys and arguments, binary safe.
//!
//! Every script that changes something first makes sure that this is still the store that the caller knows: an emptied one
//! must not be written to as if it were the old one.
//!
//! All keys have the tag `{facts}` after the prefix: in a Cluster they lie in one slot, so that a script may touch several.
//! Only the content of sessions, which is large and stands alone, lies where it falls.

use redis::Cmd;

use super::identity::Identity;
use crate::clock::Timestamp;

/// The keys below one prefix.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    prefix: Box<str>,
}

impl Keys {
    pub(super) const fn new(prefix: Box<str>) -> Self {
        Self { prefix }
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A key in the one slot.
    pub(super) fn fact(&self, name: &str) -> String {
        format!("{}{{facts}}:{name}", self.prefix)
    }

    /// A key of its own slot.
    pub(super) fn content(&self, name: &str) -> String {
        format!("{}content:{name}", self.prefix)
    }

    /// Whose store this is.
    pub(super) fn owner(&self) -> String {
        self.fact("keys")
    }

    /// The news.
    pub(super) fn feed(&self) -> String {
        self.fact("feed")
    }

    /// How many there have been.
    pub(super) fn count(&self) -> String {
        self.fact("count")
    }

    /// What still holds, by when it is over.
    pub(super) fn held(&self) -> String {
        self.fact("held")
    }

    /// There while replicas come back: nobody new may renew.
    pub(super) fn settling(&self) -> String {
        self.fact("settling")
    }
}

/// A call of one of the scripts.
pub(super) struct Call {
    text: &'static str,
    keys: Vec<String>,
    arguments: Vec<Vec<u8>>,
}

impl Call {
    /// Of a script that looks at whose store it is.
    pub(super) fn new(text: &'static str, keys: &Keys, identity: &Identity, now: Timestamp) -> Self {
        let call = Self::plain(text)
            .key(keys.owner())
            .key(keys.feed())
            .key(keys.count())
            .key(keys.held());
        call.with(identity.field.as_bytes())
            .with(&identity.wrapped)
            .number(now.as_millis())
    }

    /// Of one that does not.
    pub(super) const fn plain(text: &'static str) -> Self {
        Self {
            text,
            keys: Vec::new(),
            arguments: Vec::new(),
        }
    }

    pub(super) fn key(mut self, key: String) -> Self {
        self.keys.push(key);
        self
    }

    pub(super) fn with(mut self, argument: &[u8]) -> Self {
        self.arguments.push(argument.to_vec());
        self
    }

    pub(super) fn number(self, number: u64) -> Self {
        self.with(number.to_string().as_bytes())
    }

    pub(super) fn time(self, time: Timestamp) -> Self {
        self.number(time.as_millis())
    }

    /// For how long Redis keeps something that is over at `until`: somewhat longer, for clocks differ.
    pub(super) fn ttl(self, until: Timestamp, now: Timestamp) -> Self {
        let left = u64::try_from(until.since(now).as_millis()).unwrap_or(LONGEST);
        self.number(left.min(LONGEST) + SLACK)
    }

    pub(super) fn command(&self) -> Cmd {
        let mut command = redis::cmd("EVAL");
        command.arg(self.text).arg(self.keys.len());
        for key in &self.keys {
            command.arg(key);
        }
        for argument in &self.arguments {
            command.arg(&argument[..]);
        }
        command
    }
}

macro_rules! script {
    ($name:literal) => {
        concat!(
            include_str!("scripts/common.lua"),
            include_str!(concat!("scripts/", $name, ".lua"))
        )
    };
}

pub(super) const END: &str = script!("end");
pub(super) const CUTOFF: &str = script!("cutoff");
pub(super) const KEEP: &str = script!("keep");
pub(super) const PRESENTED: &str = script!("presented");
pub(super) const CLAIM: &str = script!("claim");
pub(super) const RELEASE: &str = script!("release");
pub(super) const MARK: &str = script!("mark");
pub(super) const REFUSED: &str = script!("refused");
pub(super) const RECORD: &str = script!("record");
pub(super) const PUT: &str = include_str!("scripts/put.lua");
pub(super) const FORGET: &str = include_str!("scripts/forget.lua");
pub(super) const FOUND: &str = include_str!("scripts/found.lua");

/// A minute, in milliseconds.
const SLACK: u64 = 60_000;
/// Ten years: what Redis is asked to count to at most.
const LONGEST: u64 = 10 * 365 * 24 * 3_600_000;

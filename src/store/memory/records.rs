//! Sessions as their logins recorded them: bounded, the oldest go first.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::session::{SessionHandle, SessionId};
use crate::store::{Find, Record};

/// What is known of sessions, and by what they are found.
#[derive(Default)]
pub(super) struct Records {
    entries: HashMap<SessionHandle, (SessionId, Record)>,
    /// The same, oldest first. One that was forgotten early stays in here until its turn comes.
    order: VecDeque<SessionHandle>,
    subjects: Index<Box<str>>,
    provider_sessions: Index<Box<str>>,
    /// Since when nobody is missing.
    since: Option<Timestamp>,
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Records({})", self.entries.len())
    }
}

impl Records {
    /// Puts a record in and says which others went for it.
    pub(super) fn put(
        &mut self,
        session: SessionId,
        record: Record,
        capacity: usize,
        now: Timestamp,
    ) -> Vec<SessionHandle> {
        self.begin(now);
        let mut gone = Vec::new();
        while let Some(oldest) = self.order.front().copied() {
            let missing = match self.entries.get(&oldest) {
                Some((_, record)) if record.until > now => Some(record.started),
                _ => None,
            };
            if missing.is_some() && self.order.len() < capacity {
                break;
            }
            if let Some(started) = missing {
                self.since = self.since.max(Some(started.after(Duration::from_millis(1))));
            }
            self.order.pop_front();
            self.forget(oldest);
            gone.push(oldest);
        }
        if capacity == 0 {
            return gone;
        }
        let handle = record.handle;
        self.forget(handle);
        self.subjects.put(record.subject.clone(), handle);
        if let Some(sid) = &record.provider_session {
            self.provider_sessions.put(sid.clone(), handle);
        }
        self.entries.insert(handle, (session, record));
        self.order.push_back(handle);
        gone
    }

    /// The first time that anything is asked or put in: the store is not older than that, as far as it knows.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.since.get_or_insert(now);
    }

    /// Since when nobody is missing.
    pub(super) const fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// Those that `find` names and that are not over, newest first.
    pub(super) fn find<'a>(
        &'a self,
        find: Find<'a>,
        now: Timestamp,
    ) -> impl Iterator<Item = &'a (SessionId, Record)> {
        let of_index = |handles: Option<&'a HashSet<SessionHandle>>| {
            let mut found: Vec<_> = handles
                .into_iter()
                .flatten()
                .filter_map(|handle| self.entries.get(handle))
                .collect();
            found.sort_by_key(|(_, record)| std::cmp::Reverse(record.started));
            found
        };
        let found = match find {
            Find::Everybody => self
                .order
                .iter()
                .rev()
                .filter_map(|handle| self.entries.get(handle))
                .collect(),
            Find::Handle(handle) => self.entries.get(&handle).into_iter().collect(),
            Find::Subject(subject) => of_index(self.subjects.get(subject)),
            Find::ProviderSession { app, issuer, sid } => {
                let mut found = of_index(self.provider_sessions.get(sid));
                found.retain(|(_, record)| *record.app == *app && *record.issuer == *issuer);
                found
            }
        };
        found.into_iter().filter(move |(_, record)| record.until > now)
    }

    fn forget(&mut self, handle: SessionHandle) {
        let Some((_, record)) = self.entries.remove(&handle) else {
            return;
        };
        self.subjects.take(&record.subject, handle);
        if let Some(sid) = &record.provider_session {
            self.provider_sessions.take(sid, handle);
        }
    }
}

/// Handles by something that several sessions share.
struct Index<K>(HashMap<K, HashSet<SessionHandle>>);

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Index<K> {
    fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&HashSet<SessionHandle>>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.0.get(key)
    }

    fn put(&mut self, key: K, handle: SessionHandle) {
        self.0.entry(key).or_default().insert(handle);
    }

    fn take<Q: Eq + Hash + ?Sized>(&mut self, key: &Q, handle: SessionHandle)
    where
        K: std::borrow::Borrow<Q>,
    {
        if let Some(handles) = self.0.get_mut(key) {
            handles.remove(&handle);
            if handles.is_empty() {
                self.0.remove(key);
            }
        }
    }
}

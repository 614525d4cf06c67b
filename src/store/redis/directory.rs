//! Records of sessions: sealed, found by hashes of handle, subject and provider session. Read for lists and for ends that name no
//! session, never for a request.

use std::collections::HashSet;

use super::calls::{self, LISTED};
use super::parse::{list, maybe_bytes, text};
use super::shared::Connected;
use super::{RedisStore, sealed};
use crate::clock::Timestamp;
use crate::session::{SessionHandle, SessionId};
use crate::store::{Find, Record, Store as _, StoreError};

impl RedisStore {
    pub(super) async fn put_record(
        &self,
        session: SessionId,
        record: Record,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let shared = &self.shared;
        let call = |to: &Connected| sealed(calls::record(shared, to, session, &record, now));
        shared.ask(call).await.map(drop)
    }

    pub(super) async fn record_of(
        &self,
        handle: SessionHandle,
        now: Timestamp,
    ) -> Result<Option<(SessionId, Record)>, StoreError> {
        let connected = self.shared.wait_connected().await?;
        let names = vec![calls::record_name(&connected, handle)];
        Ok(self.read(&connected, names, now).await?.pop())
    }

    /// Those that `find` names and that have not ended, newest first.
    pub(super) async fn find_records(
        &self,
        find: Find<'_>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<(SessionId, Record)>, StoreError> {
        let connected = self.shared.wait_connected().await?;
        let (key, most) = match find {
            Find::Handle(handle) => {
                let mut found: Vec<_> = self.record_of(handle, now).await?.into_iter().collect();
                self.retain_alive(&mut found, now).await?;
                found.truncate(limit);
                return Ok(found);
            }
            Find::Everybody => (self.shared.keys.fact("recorded"), usize::MAX),
            Find::Subject(subject) => (calls::subject_list(&self.shared, &connected, subject), LISTED),
            Find::ProviderSession { app, issuer, sid } => {
                let list = calls::sid_list(&self.shared, &connected, app, issuer, sid);
                (list, LISTED)
            }
        };
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut from = 0;
        while found.len() < limit && from < most {
            let names = self.page(&connected, &key, from).await?;
            if names.is_empty() {
                break;
            }
            from += names.len();
            // What is put in meanwhile moves the rest along: nobody is listed twice.
            let new = names.into_iter().filter(|name| seen.insert(name.clone()));
            let mut page = self.read(&connected, new.collect(), now).await?;
            self.retain_alive(&mut page, now).await?;
            found.extend(page);
        }
        found.truncate(limit);
        Ok(found)
    }

    async fn page(&self, connected: &Connected, key: &str, from: usize) -> Result<Vec<String>, StoreError> {
        let mut range = redis::cmd("ZREVRANGE");
        range.arg(key).arg(from).arg(from.saturating_add(PAGE - 1));
        let answer = connected.link.ask(&range).await;
        let names = list(answer.map_err(|trouble| self.shared.doubtful(trouble))?)?;
        Ok(names.into_iter().map(text).collect::<Result<_, _>>()?)
    }

    /// The records of these names, in their order; those that are over or gone are left out.
    async fn read(
        &self,
        connected: &Connected,
        names: Vec<String>,
        now: Timestamp,
    ) -> Result<Vec<(SessionId, Record)>, StoreError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let mut get = redis::cmd("HMGET");
        get.arg(self.shared.keys.fact("records")).arg(names);
        let answer = connected.link.ask(&get).await;
        let values = list(answer.map_err(|trouble| self.shared.doubtful(trouble))?)?;
        let mut records = Vec::new();
        for value in values {
            let Some(value) = maybe_bytes(value)? else {
                continue;
            };
            let Some(at) = value.iter().position(|byte| *byte == b':') else {
                continue;
            };
            let Some(plain) = value
                .get(at + 1..)
                .and_then(|value| connected.identity.names.open("record", value))
            else {
                continue;
            };
            let Ok((session, record)) = postcard::from_bytes::<(SessionId, Record)>(&plain) else {
                continue;
            };
            if record.until > now {
                records.push((session, record));
            }
        }
        Ok(records)
    }

    async fn retain_alive(
        &self,
        records: &mut Vec<(SessionId, Record)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut alive = Vec::with_capacity(records.len());
        for (session, record) in records.drain(..) {
            let look = self.shared.mirror.look(record.as_session(session), now).await?;
            if look.ended.is_none() {
                alive.push((session, record));
            }
        }
        *records = alive;
        Ok(())
    }
}

/// How many records are read at a time.
const PAGE: usize = 256;

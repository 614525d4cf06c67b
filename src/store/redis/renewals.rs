//! Renewals: the right to do one, what came of it, who has seen that.

use redis::Value;

use super::backlog::Owed;
use super::event::{Reason, unseen};
use super::parse::{SOMETHING_ELSE, exactly, list, maybe_bytes, maybe_number, number, text, yes};
use super::{RedisStore, calls, full, sealed};
use crate::clock::Timestamp;
use crate::session::{Generation, SessionId};
use crate::store::{Claimant, Newest, Store as _, StoreError};

impl RedisStore {
    pub(super) async fn take_right(
        &self,
        session: SessionId,
        claimant: Claimant,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let shared = &self.shared;
        let kept = shared.leases().get(&session) == Some(&claimant);
        let call = |to: &_| Ok(calls::claim(shared, to, session, claimant, kept, now));
        let mut known = list(shared.ask(call).await?)?.into_iter();
        if !yes(known.next().unwrap_or_default())? {
            return Ok(false);
        }
        let [ended, newest, presented, until] = exactly(Value::Array(known.collect()))?;
        // Before the right is given: a look from here on knows of every renewal before (contract §9).
        let until = Timestamp::from_millis(maybe_number(until)?.unwrap_or(0));
        if until > now {
            if let Some(newest) = maybe_number(newest)? {
                let newest = Newest {
                    generation: Generation(newest),
                    presented: maybe_number(presented)? == Some(1_u64),
                };
                shared.mirror.learn(session, newest, until, now)?;
            }
            if let Some(letter) = maybe_bytes(ended)? {
                let reason = Reason::of_letter(&String::from_utf8_lossy(&letter));
                shared.mirror.end(session, reason.into(), until, now).await?;
            }
        }
        shared.leases().insert(session, claimant);
        Ok(true)
    }

    pub(super) async fn give_right_back(
        &self,
        session: SessionId,
        claimant: Claimant,
    ) -> Result<(), StoreError> {
        let shared = &self.shared;
        {
            let mut leases = shared.leases();
            if leases.get(&session) == Some(&claimant) {
                leases.remove(&session);
            }
        }
        let now = shared.now();
        let call = |to: &_| Ok(calls::release(shared, to, session, claimant, now));
        shared.ask(call).await.map(drop)
    }

    /// `untils`: of the result, and of the session.
    pub(super) async fn keep(
        &self,
        session: SessionId,
        from: Generation,
        result: Vec<u8>,
        untils: [Timestamp; 2],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mirror = &self.shared.mirror;
        let [result_until, until] = untils;
        let keep_here = |result| mirror.keep_renewal(session, from, result, result_until, until, now);
        match self.keep_there(session, from, &result, untils, now).await {
            Ok(Ok(())) => {
                // Here, too: it is found without asking, and a store that loses it is told again.
                if keep_here(result).await.is_err() {
                    mirror.learn(session, unseen(from.next()), until, now)?;
                }
                Ok(true)
            }
            Ok(Err(reason)) => {
                mirror.end(session, reason.into(), until, now).await?;
                Ok(false)
            }
            Err(error) => {
                // It has ended, as far as is known here.
                if keep_here(result.clone()).await == Ok(false) {
                    return Ok(false);
                }
                // The old refresh token is spent, and this is the only copy of the new one.
                self.owe(Owed::Renewal {
                    session,
                    from,
                    sealed: result,
                    result_until,
                    until,
                });
                Err(error)
            }
        }
    }

    /// `Err` inside: it has ended, and why.
    async fn keep_there(
        &self,
        session: SessionId,
        from: Generation,
        result: &[u8],
        untils: [Timestamp; 2],
        now: Timestamp,
    ) -> Result<Result<(), Reason>, StoreError> {
        let shared = &self.shared;
        let call = |to: &_| sealed(calls::keep(shared, to, session, from, result, untils, now));
        let mut answer = list(shared.ask(call).await?)?.into_iter();
        match number::<i64>(answer.next().unwrap_or_default())? {
            1 => Ok(Ok(())),
            0 => Ok(Err(Reason::of_letter(&text(answer.next().unwrap_or_default())?))),
            -1 => Err(full()),
            _ => Err(SOMETHING_ELSE.into()),
        }
    }

    pub(super) async fn kept(
        &self,
        session: SessionId,
        from: Generation,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let shared = &self.shared;
        if let Some(sealed) = shared.mirror.renewal(session, from, now).await? {
            return Ok(Some(sealed));
        }
        let connected = shared.wait_connected().await?;
        let mut get = redis::cmd("HMGET");
        get.arg(calls::entry(shared, &connected, session))
            .arg(format!("r{}", from.0))
            .arg(format!("u{}", from.0));
        let answer = connected.link.ask(&get).await;
        let [sealed, until] = exactly(answer.map_err(|trouble| shared.doubtful(trouble))?)?;
        let until = Timestamp::from_millis(maybe_number(until)?.unwrap_or(0));
        Ok(maybe_bytes(sealed)?.filter(|_| until > now))
    }

    pub(super) async fn seen(
        &self,
        session: SessionId,
        generation: Generation,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let shared = &self.shared;
        shared.mirror.presented(session, generation, now).await?;
        let call = |to: &_| sealed(calls::presented(shared, to, session, generation, now));
        shared.ask(call).await.map(drop)
    }
}

//! The content of sessions that live in the store: sealed by who asks, one key each.

use super::RedisStore;
use super::parse::{exactly, maybe_bytes, maybe_number};
use super::script::{Call, FORGET, PUT};
use super::shared::Connected;
use crate::clock::Timestamp;
use crate::store::StoreError;

impl RedisStore {
    pub(super) async fn put(
        &self,
        name: [u8; 32],
        sealed: Vec<u8>,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let call = |to: &Connected| {
            let call = Call::plain(PUT).key(self.key(to, &name));
            Ok(call.time(until).with(&sealed).ttl(until, now))
        };
        self.shared.ask(call).await.map(drop)
    }

    pub(super) async fn get(&self, name: [u8; 32], now: Timestamp) -> Result<Option<Vec<u8>>, StoreError> {
        let connected = self.shared.wait_connected().await?;
        let mut get = redis::cmd("HMGET");
        get.arg(self.key(&connected, &name)).arg("v").arg("u");
        let answer = connected.link.ask(&get).await;
        let [sealed, until] = exactly(answer.map_err(|trouble| self.shared.doubtful(trouble))?)?;
        let until = Timestamp::from_millis(maybe_number(until)?.unwrap_or(0));
        Ok(maybe_bytes(sealed)?.filter(|_| until > now))
    }

    pub(super) async fn forget(
        &self,
        name: [u8; 32],
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let call = |to: &Connected| {
            let call = Call::plain(FORGET).key(self.key(to, &name));
            Ok(call.time(until).ttl(until, now))
        };
        self.shared.ask(call).await.map(drop)
    }

    /// The name is a hash already; here it is one that only who has the secret can make.
    fn key(&self, connected: &Connected, name: &[u8; 32]) -> String {
        let name = connected.identity.names.of("content", &[name]);
        self.shared.keys.content(&name)
    }
}

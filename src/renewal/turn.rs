//! Whose turn it is: one renewal of a session at a time among all processes that share the store (R-03, attack 146).
//!
//! [`super::flight`] sees to it that one process asks once; this, that one process asks at a time. The right is a lease:
//! kept up while the flight lasts, however slow the provider, and anybody's soon after its holder has died.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use super::Sessions;
use super::alive::store_unavailable;
use crate::refusal::{Code, Refusal};
use crate::session::SessionId;
use crate::store::{Claimant, LEASE};

/// The right to renew one session. It is given back by [`Self::end`]; a process that dies gives it back by doing nothing.
pub(super) struct Turn<'s> {
    sessions: &'s Sessions,
    session: SessionId,
    claimant: Claimant,
}

impl Sessions {
    /// Waits for the right to renew `session`. Once it is there, a look at the store knows of every renewal before.
    ///
    /// # Errors
    /// `store_unavailable`; `provider_unavailable` when another process does not come to an end.
    pub(super) async fn take_turn(&self, session: SessionId) -> Result<Turn<'_>, Refusal> {
        let turn = Turn {
            sessions: self,
            session,
            claimant: Claimant(u64::from_le_bytes(self.parts.random.bytes())),
        };
        let waited = tokio::time::timeout(self.patience.turn, async {
            let mut pause = FIRST_PAUSE;
            while !turn.claim().await? {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Ok(())
        });
        match waited.await {
            Ok(Ok(())) => Ok(turn),
            Ok(Err(refusal)) => Err(refusal),
            Err(_) => Err(Refusal::new(Code::ProviderUnavailable)
                .retry_after(2)
                .because("another process takes too long to renew the session")),
        }
    }
}

impl Turn<'_> {
    /// Does `work` and keeps the right up meanwhile. Where it cannot be kept up, the work goes on: what the provider has
    /// been asked cannot be taken back, and what comes of it is kept all the same.
    pub(super) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            done = work => done,
            never = self.keep_up() => match never {},
        }
    }

    async fn keep_up(&self) -> Infallible {
        loop {
            tokio::time::sleep(LEASE / 3).await;
            match self.claim().await {
                Ok(true) => {}
                Ok(false) => tracing::warn!(event = "renewal_lease_lost"),
                Err(refusal) => tracing::debug!(event = "renewal_lease_not_kept", %refusal),
            }
        }
    }

    /// Gives the right back.
    pub(super) async fn end(self) {
        let store = &self.sessions.parts.store;
        if let Err(error) = store.release(self.session, self.claimant).await {
            tracing::debug!(event = "renewal_lease_not_released", %error);
        }
    }

    async fn claim(&self) -> Result<bool, Refusal> {
        let (store, now) = (&self.sessions.parts.store, self.sessions.now());
        store
            .claim(self.session, self.claimant, now)
            .await
            .map_err(store_unavailable)
    }
}

/// How soon it is asked again whether the other process is done; each time twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

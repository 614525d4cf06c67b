//! A session begins: after a verified login.

use http::HeaderValue;

use super::Sessions;
use super::alive::store_unavailable;
use crate::clock::Timestamp;
use crate::refusal::{Code, Refusal};
use crate::session::{Access, Generation, Identity, Parts, Replaces, Session, SessionId, TooLarge};
use crate::store::{EndReason, Record};
use crate::token::TokenSet;

impl Sessions {
    /// Opens a new session after a verified login, records it, ends the one it replaces, and seals its cookies (every chunk
    /// number up to the budget is cleared along).
    ///
    /// It began when its tokens were `asked` for: a logout that the provider tells of between then and now ends it, too,
    /// whichever of both the provider did first (O-16).
    ///
    /// # Errors
    /// `session_too_large`, `store_unavailable`. No session is changed then.
    pub async fn begin(
        &self,
        tokens: TokenSet,
        identity: Identity,
        replaces: Option<SessionId>,
        asked: Timestamp,
    ) -> Result<(Session, Vec<HeaderValue>), Refusal> {
        let now = self.now();
        let mut session = self.fresh(tokens, identity, asked);
        session.shelf = self.put(&session, None, now).await?;
        let cookies = match self.seal_and_replace(&session, replaces, now).await {
            Ok(cookies) => cookies,
            Err(refusal) => {
                self.forget(&session, now, now).await;
                return Err(refusal);
            }
        };
        tracing::info!(
            event = "session_began",
            app = self.parts.app.id.as_str(),
            replaced = replaces.is_some(),
            renewable = session.refresh.is_some(),
        );
        // Nothing else tells: the session is fine until its access token expires.
        if session.refresh.is_none() && self.asked_for_refresh() {
            tracing::warn!(
                event = "refresh_token_missing",
                app = self.parts.app.id.as_str(),
                "`offline_access` was asked for and no refresh token came: the session ends with its access token; some \
                 providers give one only after `prompt=consent`, or where the client is allowed it"
            );
        }
        Ok((session, cookies))
    }

    /// The cookies of a new session; the one in whose place it stands ends. Sealed before anything ends: a login that fails
    /// leaves the old session as it was (contract §3).
    async fn seal_and_replace(
        &self,
        session: &Session,
        replaces: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Vec<HeaderValue>, Refusal> {
        let cookies = self
            .parts
            .cookies
            .seal(session, Parts::ALL, Replaces::Everything, now)
            .map_err(|error| self.too_large(error))?;
        self.record(session, now).await?;
        if let Some(replaced) = replaces {
            // When it began is not known here; it cannot outlive a session that begins now.
            let until = session.remembered_until(self.parts.app.session.absolute_timeout);
            self.parts
                .store
                .end(replaced, EndReason::Replaced, until, now)
                .await
                .map_err(store_unavailable)?;
            self.parts.meters.ended(EndReason::Replaced.word(), 1);
        }
        Ok(cookies)
    }

    /// For lists of sessions, and for ends that name no session id.
    async fn record(&self, session: &Session, now: Timestamp) -> Result<(), Refusal> {
        let app = &self.parts.app;
        let record = Record {
            handle: session.id.handle(),
            app: app.id.as_str().into(),
            issuer: app.provider.issuer.clone(),
            subject: session.identity.subject.clone(),
            provider_session: session.identity.provider_session.clone(),
            started: session.started,
            // Renewals may prolong it.
            until: session.remembered_until(app.session.absolute_timeout),
        };
        let recorded = self.parts.store.record(session.id, record, now).await;
        recorded.map_err(store_unavailable)
    }

    fn asked_for_refresh(&self) -> bool {
        let scopes = &self.parts.app.provider.scopes;
        scopes.iter().any(|scope| **scope == *"offline_access")
    }

    /// Tells the operator which cookie takes how much, and what to do.
    pub(super) fn too_large(&self, error: TooLarge) -> Refusal {
        let [at, rt, id] = error.cookies;
        tracing::error!(
            event = "session_too_large",
            app = self.parts.app.id.as_str(),
            needed = error.needed,
            budget = error.budget,
            at,
            rt,
            id,
            "{error}"
        );
        Refusal::new(Code::SessionTooLarge).because(error.to_string())
    }

    fn fresh(&self, tokens: TokenSet, identity: Identity, asked: Timestamp) -> Session {
        let now = self.now();
        let configured = &self.parts.app.session;
        let generation = Generation::default();
        Session {
            id: SessionId(self.parts.random.bytes()),
            generation,
            started: asked.min(now),
            touched: now,
            idle: configured.idle_timeout,
            // Nothing renews it once its refresh token has died.
            absolute: tokens
                .refresh_expires_in
                .map_or(configured.absolute_timeout, |life| {
                    life.min(configured.absolute_timeout)
                }),
            epoch: self.parts.store.epoch(),
            access: Access {
                token: tokens.access,
                expires: tokens.expires_in.map(|lifetime| now.after(lifetime)),
                generation,
                scope: tokens.scope.map(Into::into),
                has_refresh: tokens.refresh.is_some(),
            },
            refresh: tokens.refresh,
            id_token: tokens.id_token,
            shelf: None,
            identity,
        }
    }
}

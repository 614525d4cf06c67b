//! `POST /revoke`: sessions end at once, on every process that shares the store; whoever comes with a copy of their cookies
//! is told `session_revoked`, and their open streams close (contract §9, O-22).
//!
//! What their tokens are good for elsewhere is not ours to say here: they are in the browsers' cookies, so nothing can be
//! revoked at the provider. They are renewed no more, and reach no upstream through this service.

use std::time::Duration;

use http::Response;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Serialize;

use super::wanted::Wanted;
use super::{Admin, Ask, answer};
use crate::body::{Hurried, RequestBody, ResponseBody};
use crate::clock::Timestamp;
use crate::config::App;
use crate::handler::TokenHandler;
use crate::refusal::{Code, Refusal};
use crate::store::{Cutoff, EndReason, Find, Record, SessionHandle, StoreError, Whose};

/// Reads what is wanted, does it, says how much it was.
pub(super) async fn answer(
    admin: &Admin,
    ask: &Ask,
    body: RequestBody,
) -> Result<Response<ResponseBody>, Refusal> {
    let handler = &admin.0.handler;
    refuse_without_memory(handler)?;
    let wanted = Wanted::read(&read_body(body).await?)?;
    let now = handler.now();
    let what = match &wanted {
        Wanted::Session(_) => "session",
        Wanted::ProviderSession { .. } => "provider_session",
        Wanted::Subject { .. } => "subject",
        Wanted::Before(_) => "before",
    };
    // In a task of its own: who hangs up half-way must not leave half of it undone.
    let revocation = Revocation {
        handler: handler.clone(),
        now,
    };
    let done = tokio::spawn(async move { revocation.run(wanted).await })
        .await
        .unwrap_or_else(|_| Err(Refusal::new(Code::Internal).because("the task of a revocation died")));
    let ended = done?;
    tracing::warn!(
        event = "sessions_revoked",
        request_id = %ask.id,
        peer = %ask.peer,
        what,
        ended,
        "sessions were revoked"
    );
    answer::json(&Done { ended })
}

/// How many sessions are known to have ended by it; others of the same kind, that are not recorded, have ended too. Absent
/// where there are more than are counted.
#[derive(Serialize)]
struct Done {
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<usize>,
}

struct Revocation {
    handler: TokenHandler,
    now: Timestamp,
}

impl Revocation {
    async fn run(&self, wanted: Wanted) -> Result<Option<usize>, Refusal> {
        match wanted {
            Wanted::Session(sid) => self.session(&sid).await,
            Wanted::ProviderSession { iss, sid } => {
                self.known_issuer(&iss)?;
                let found = self.of_provider_session(&sid, Some(&iss)).await?;
                self.end_all(&iss, Whose::ProviderSession(&sid), self.up_to_now(&found))
                    .await?;
                Ok(self.counted(&found))
            }
            Wanted::Subject { iss, sub } => {
                self.known_issuer(&iss)?;
                let mut found = self.recorded(Find::Subject(&sub)).await?;
                found.retain(|record| *record.issuer == *iss);
                self.end_all(&iss, Whose::Subject(&sub), self.up_to_now(&found))
                    .await?;
                Ok(self.counted(&found))
            }
            Wanted::Before(before) => self.before(before).await,
        }
    }

    /// By its handle; else by the provider's name for it, where a login recorded one.
    async fn session(&self, sid: &str) -> Result<Option<usize>, Refusal> {
        if let Ok(handle) = sid.parse::<SessionHandle>() {
            let found = self.recorded(Find::Handle(handle)).await?;
            let store = self.handler.store();
            let ended = store
                .end_recorded(handle, EndReason::Revoked, self.now)
                .await
                .map_err(store_unavailable)?;
            if ended {
                return Ok(self.counted(&found));
            }
        }
        let found = self.of_provider_session(sid, None).await?;
        if found.is_empty() {
            return Err(Refusal::new(Code::RouteNotFound).saying(
                "No open session that is recorded has this sid. With iss, it ends the sessions of the provider's sid that \
                 are not recorded, too.",
            ));
        }
        let mut issuers: Vec<_> = found.iter().map(|record| record.issuer.clone()).collect();
        issuers.sort_unstable();
        issuers.dedup();
        for issuer in issuers {
            self.end_all(&issuer, Whose::ProviderSession(sid), self.up_to_now(&found))
                .await?;
        }
        Ok(self.counted(&found))
    }

    /// All of every issuer that is configured.
    async fn before(&self, before: Timestamp) -> Result<Option<usize>, Refusal> {
        if before > self.now.after(SKEW) {
            return Err(Refusal::new(Code::InvalidRequest)
                .saying("before lies in the future: it would end sessions that have not begun."));
        }
        let mut found = self.recorded(Find::Everybody).await?;
        let issuers = self.issuers();
        found.retain(|record| record.started < before && issuers.contains(&record.issuer));
        for issuer in &issuers {
            self.end_all(issuer, Whose::Everybody, before.min(self.up_to_now(&found)))
                .await?;
        }
        Ok(self.counted(&found))
    }

    async fn end_all(&self, issuer: &str, whose: Whose<'_>, before: Timestamp) -> Result<(), Refusal> {
        let longest = self
            .apps_of(issuer)
            .iter()
            .map(|app| app.session.absolute_timeout)
            .max()
            .unwrap_or_default();
        let cutoff = Cutoff {
            before,
            reason: EndReason::Revoked,
            until: before.after(longest),
        };
        self.handler
            .store()
            .end_all(issuer, whose, cutoff, self.now)
            .await
            .map_err(store_unavailable)
    }

    /// Behind all that have begun: also those of this very millisecond, and those that a clock which has been set back since
    /// takes for later ones.
    fn up_to_now(&self, found: &[Record]) -> Timestamp {
        let newest = found.iter().map(|record| record.started).max();
        newest
            .unwrap_or_default()
            .max(self.now)
            .after(Duration::from_millis(1))
    }

    async fn recorded(&self, find: Find<'_>) -> Result<Vec<Record>, Refusal> {
        self.handler
            .store()
            .recorded(find, MOST_COUNTED + 1, self.now)
            .await
            .map_err(store_unavailable)
    }

    async fn of_provider_session(&self, sid: &str, issuer: Option<&str>) -> Result<Vec<Record>, Refusal> {
        let mut all = Vec::new();
        for app in self.handler.apps() {
            let of_app = &*app.provider.issuer;
            if issuer.is_some_and(|issuer| issuer != of_app) {
                continue;
            }
            let find = Find::ProviderSession {
                app: app.id.as_str(),
                issuer: of_app,
                sid,
            };
            all.extend(self.recorded(find).await?);
        }
        Ok(all)
    }

    /// How many, by app in the metrics; `None` beyond what is counted.
    fn counted(&self, found: &[Record]) -> Option<usize> {
        for record in found {
            let meters = self.handler.meters().of_app(&record.app);
            meters.ended(EndReason::Revoked.word(), 1);
        }
        (found.len() <= MOST_COUNTED).then_some(found.len())
    }

    fn known_issuer(&self, issuer: &str) -> Result<(), Refusal> {
        if self.apps_of(issuer).is_empty() {
            return Err(Refusal::new(Code::RouteNotFound).saying("No app has this iss."));
        }
        Ok(())
    }

    fn apps_of(&self, issuer: &str) -> Vec<std::sync::Arc<App>> {
        let mut apps = self.handler.apps();
        apps.retain(|app| *app.provider.issuer == *issuer);
        apps
    }

    fn issuers(&self) -> Vec<Box<str>> {
        let apps = self.handler.apps();
        let mut issuers: Vec<_> = apps.iter().map(|app| app.provider.issuer.clone()).collect();
        issuers.sort_unstable();
        issuers.dedup();
        issuers
    }
}

/// With `store.kind = "none"` nothing remembers who has ended, and nothing lists who is there (contract §9).
pub(super) fn refuse_without_memory(handler: &TokenHandler) -> Result<(), Refusal> {
    if handler.store().is_authority() {
        return Ok(());
    }
    Err(Refusal::new(Code::RouteNotFound).saying(
        "The processes share no store (store.kind = \"none\"): none could know of an end at another.",
    ))
}

/// 503: nothing is promised of what was asked.
pub(super) fn store_unavailable(error: StoreError) -> Refusal {
    Refusal::new(Code::StoreUnavailable)
        .retry_after(2)
        .because(error.0)
}

async fn read_body(body: RequestBody) -> Result<Vec<u8>, Refusal> {
    let hurried = Hurried::new(body, BODY_TIME);
    match Limited::new(hurried, MAX_BODY).collect().await {
        Ok(whole) => Ok(whole.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::new(Code::PayloadTooLarge).closing()),
        Err(_) => {
            let refusal = Refusal::new(Code::InvalidRequest).saying("The body did not arrive whole.");
            Err(refusal.closing())
        }
    }
}

/// Issuer, subject, and room for odd ones.
const MAX_BODY: usize = 8 << 10;
const BODY_TIME: Duration = Duration::from_secs(5);
/// A clock that is ahead of ours by this much is forgiven.
const SKEW: Duration = Duration::from_secs(60);
/// Beyond that, "many" is an answer.
const MOST_COUNTED: usize = 10_000;

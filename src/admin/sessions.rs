//! `GET /sessions`: what the store knows of sessions that are open.
//!
//! A session lives in its browser's cookies; what is listed is what its login recorded. Records are bounded and, in memory,
//! gone with the process, so the answer says whether it is `complete`. Revocation does not depend on it.

use http::Response;
use serde::Serialize;

use super::{Admin, Ask, answer};
use crate::body::ResponseBody;
use crate::refusal::{Code, Refusal};
use crate::store::{Find, Record};

/// Answers for this query.
pub(super) async fn answer(admin: &Admin, ask: &Ask, query: &str) -> Result<Response<ResponseBody>, Refusal> {
    let query = Query::read(query)?;
    let handler = &admin.0.handler;
    super::revoke::refuse_without_memory(handler)?;
    let now = handler.now();
    let find = query.sub.as_deref().map_or(Find::Everybody, Find::Subject);
    // Of one app, those of others are in between.
    let looked_at = if query.app.is_some() {
        MOST_LOOKED_AT
    } else {
        query.limit
    };
    let store = handler.store();
    let mut found = store
        .recorded(find, looked_at.saturating_add(1), now)
        .await
        .map_err(super::revoke::store_unavailable)?;
    let all_seen = found.len() <= looked_at;
    found.retain(|record| query.app.as_deref().is_none_or(|app| *app == *record.app));
    let all_shown = found.len() <= query.limit;
    found.truncate(query.limit);
    // Whoever began before that and is still open may be missing.
    let longest = handler
        .apps()
        .iter()
        .map(|app| app.session.absolute_timeout)
        .max();
    let all_recorded = store
        .recorded_since()
        .zip(longest)
        .is_some_and(|(since, longest)| since.after(longest) <= now);
    tracing::info!(event = "sessions_listed", request_id = %ask.id, peer = %ask.peer, sessions = found.len());
    answer::json(&List {
        sessions: found.iter().map(Shown::of).collect(),
        complete: all_seen && all_shown && all_recorded,
    })
}

#[derive(Serialize)]
struct List<'a> {
    sessions: Vec<Shown<'a>>,
    complete: bool,
}

/// One session, by what its login recorded.
#[derive(Serialize)]
struct Shown<'a> {
    /// The handle: what `POST /revoke` takes as `sid`.
    sid: String,
    app: &'a str,
    iss: &'a str,
    sub: &'a str,
    started: String,
    until: String,
}

impl<'a> Shown<'a> {
    fn of(record: &'a Record) -> Self {
        Self {
            sid: record.handle.to_string(),
            app: &record.app,
            iss: &record.issuer,
            sub: &record.subject,
            started: record.started.to_rfc3339(),
            until: record.until.to_rfc3339(),
        }
    }
}

/// What is asked for.
#[derive(Debug)]
struct Query {
    sub: Option<String>,
    app: Option<String>,
    limit: usize,
}

impl Query {
    fn read(text: &str) -> Result<Self, Refusal> {
        let (mut sub, mut app, mut limit) = (None, None, None);
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            let slot = match &*name {
                "sub" => &mut sub,
                "app" => &mut app,
                "limit" => &mut limit,
                _ => return Err(Refusal::new(Code::InvalidRequest).saying(PARAMETERS)),
            };
            if slot.replace(value.into_owned()).is_some() {
                return Err(Refusal::new(Code::InvalidRequest).saying("A parameter stands twice."));
            }
        }
        let limit = match limit.as_deref().map(str::parse::<usize>) {
            None => LIMIT,
            Some(Ok(limit @ 1..=MOST_SHOWN)) => limit,
            Some(_) => {
                return Err(Refusal::new(Code::InvalidRequest).saying("limit is a number from 1 to 1000."));
            }
        };
        Ok(Self { sub, app, limit })
    }
}

const PARAMETERS: &str = "The parameters are sub, app and limit.";
const LIMIT: usize = 100;
const MOST_SHOWN: usize = 1000;
/// How many records are gone through for the ones of one app.
const MOST_LOOKED_AT: usize = 10_000;

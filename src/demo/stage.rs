//! What the demo's machinery knows behind the curtain, shared by its three fakes: which grant gets a token that is over at
//! once, what reached the API, what an attacker's server was sent. Only `demo` has any of it.
//!
//! | endpoint | for |
//! | --- | --- |
//! | `GET /api/stage` | where the attacker's page is |
//! | `GET /api/stage/loot?run=…` | what the attacker's server received in this run of the XSS lab |
//! | `POST /api/stage/expire` | the next access token of the caller's grant lives one second |

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{RawQuery, State};
use axum::{Extension, Json};
use serde_json::{Value, json};
use url::form_urlencoded::parse;

use super::bearer::Bearer;

/// The shared state, bounded: the oldest goes first.
#[derive(Debug)]
pub(crate) struct Stage {
    attacker: String,
    state: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    short_lived: BTreeSet<u64>,
    attempts: VecDeque<String>,
    loot: VecDeque<Loot>,
}

/// Something that reached the attacker's server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loot {
    pub(crate) run: String,
    pub(crate) via: String,
    pub(crate) data: String,
}

impl Stage {
    /// Nothing known yet; `attacker` is the origin of the attacker's page.
    pub(crate) fn new(attacker: String) -> Self {
        Self {
            attacker,
            state: Mutex::default(),
        }
    }

    /// The next access token of this grant is to be over at once.
    pub(crate) fn expire(&self, grant: u64) {
        let mut known = self.known();
        if known.short_lived.len() < MOST {
            known.short_lived.insert(grant);
        }
    }

    /// Whether it is: asked once.
    pub(crate) fn takes_short_life(&self, grant: u64) -> bool {
        self.known().short_lived.remove(&grant)
    }

    /// A request reached the API's listener; one that bears a mark (`attempt=…`) is remembered.
    pub(crate) fn reached(&self, query: Option<&str>) {
        if let Some(mark) = field(query, "attempt") {
            keep(&mut self.known().attempts, mark);
        }
    }

    /// The marks that begin with `run`.
    pub(crate) fn reached_in(&self, run: &str) -> Vec<String> {
        let known = self.known();
        let of_run = known.attempts.iter().filter(|mark| mark.starts_with(run));
        of_run.cloned().collect()
    }

    /// The attacker's server received something.
    pub(crate) fn stolen(&self, loot: Loot) {
        keep(&mut self.known().loot, loot);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `GET /api/stage`
pub(crate) async fn shown(State(stage): State<Arc<Stage>>) -> Json<Value> {
    Json(json!({ "attacker": stage.attacker }))
}

/// `GET /api/stage/loot?run=…`
pub(crate) async fn loot(State(stage): State<Arc<Stage>>, RawQuery(query): RawQuery) -> Json<Value> {
    let run = field(query.as_deref(), "run").unwrap_or_default();
    let known = stage.known();
    let of_run = known.loot.iter().filter(|loot| loot.run == run);
    Json(
        of_run
            .map(|loot| json!({ "via": loot.via, "data": loot.data }))
            .collect(),
    )
}

/// `POST /api/stage/expire`
pub(crate) async fn expire(
    State(stage): State<Arc<Stage>>,
    Extension(bearer): Extension<Arc<Bearer>>,
) -> Json<Value> {
    if let Some(grant) = bearer.claims.get("grant").and_then(Value::as_u64) {
        stage.expire(grant);
    }
    Json(json!({ "next_token_lives": SHORT_LIFE_SECONDS }))
}

/// The first field of this name in a query; at most so many bytes, since it is kept.
pub(crate) fn field(query: Option<&str>, name: &str) -> Option<String> {
    let (_, value) = parse(query?.as_bytes()).find(|(key, _)| key == name)?;
    (value.len() <= LONGEST).then(|| value.into_owned())
}

fn keep<T>(all: &mut VecDeque<T>, one: T) {
    if all.len() >= MOST {
        all.pop_front();
    }
    all.push_back(one);
}

/// How long the token lives that "expire now" asks for.
pub(crate) const SHORT_LIFE_SECONDS: u64 = 1;
const MOST: usize = 1000;
const LONGEST: usize = 2048;

#[cfg(test)]
mod tests;

//! An attacker's server on another site, for the demo to show what it can not do: a page that tries to ride the visitor's
//! session, and an address that notes whatever is sent to it.
//!
//! It attacks nobody but the demo it belongs to, is reached under its own name only, and sets no policy for its page: an
//! attacker would not, either.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::stage::{Loot, Stage, field};

/// Its host name: browsers take it for loopback without asking anybody, and for another site than `localhost`.
pub(crate) const HOST: &str = "evil.localhost";

#[derive(Debug, Clone)]
struct Attacker {
    stage: Arc<Stage>,
    targets: Arc<[String]>,
}

/// All its pages; `targets` are the origins of the app under attack.
pub(crate) fn router(stage: Arc<Stage>, targets: Vec<String>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/attack.js", get(script))
        .route("/targets", get(targets_of))
        .route("/reached", get(reached))
        .route("/steal", any(steal))
        .fallback(|| async { StatusCode::NOT_FOUND })
        .with_state(Attacker {
            stage,
            targets: targets.into(),
        })
}

async fn page() -> Html<&'static str> {
    Html(include_str!("attacker/page.html"))
}

async fn script() -> impl IntoResponse {
    let mime = HeaderValue::from_static("text/javascript; charset=utf-8");
    ([(header::CONTENT_TYPE, mime)], include_str!("attacker/attack.js"))
}

/// `GET /targets`
async fn targets_of(State(attacker): State<Attacker>) -> Json<Value> {
    Json(json!(&*attacker.targets))
}

/// `GET /reached?run=…`: which attempts of this run came as far as the API. What a real attacker would never learn.
async fn reached(State(attacker): State<Attacker>, RawQuery(query): RawQuery) -> Json<Value> {
    let run = field(query.as_deref(), "run").unwrap_or_default();
    Json(json!(attacker.stage.reached_in(&run)))
}

/// `ANY /steal?run=…&via=…&data=…`: takes what it is given, from any origin.
async fn steal(State(attacker): State<Attacker>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let part = |name| field(query.as_deref(), name).unwrap_or_default();
    let loot = Loot {
        run: part("run"),
        via: part("via"),
        data: part("data"),
    };
    let is_navigation = headers.get(SEC_FETCH_MODE).is_some_and(|mode| mode == "navigate");
    let data = loot.data.clone();
    if !loot.run.is_empty() {
        attacker.stage.stolen(loot);
    }
    let anybody = [(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"))];
    if is_navigation {
        let page = include_str!("attacker/loot.html").replace("{data}", &escape(&data));
        (anybody, Html(page)).into_response()
    } else {
        (anybody, StatusCode::NO_CONTENT).into_response()
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

//! What the admin listener answers, through the function that the listener calls: the words of each request, the store
//! behind it, a clock that stands.

use std::time::Duration;

use http::StatusCode;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::*;
use crate::clock::{Clock, Timestamp};
use crate::config::tests::fixture;
use crate::gate::tests::app;
use crate::handler::Environment;
use crate::random::OsRandom;
use crate::store::{Capacity, EndReason, MemoryStore, Record, SessionId, SessionRef, Store};

mod asking;
mod counting;
mod revoking;

const TOKEN: &str = "a.token.of.the.tests.0123456789";

#[derive(Debug)]
struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(NOW)
    }
}

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://login.example.com";

struct World {
    admin: Admin,
    store: Arc<dyn Store>,
}

impl World {
    fn new() -> Self {
        Self::listening("127.0.0.1:9080", Some(TOKEN))
    }

    fn listening(address: &str, token: Option<&str>) -> Self {
        Self::around(Arc::new(MemoryStore::new(&OsRandom)), address, token)
    }

    fn around(store: Arc<dyn Store>, address: &str, token: Option<&str>) -> Self {
        let mut app = app();
        app.provider.issuer = ISSUER.into();
        let environment = Environment {
            clock: Arc::new(Standing),
            random: Arc::new(OsRandom),
            store: Some(Arc::clone(&store)),
        };
        let handler = TokenHandler::new(&fixture::config(vec![app]), environment).unwrap();
        let listen = address.parse().unwrap();
        let settings = config::Admin {
            listen,
            insecure_http: false,
            token: token.map(|token| token.to_owned().into()),
        };
        Self {
            admin: Admin::new(handler, settings, listen),
            store,
        }
    }

    async fn ask(&self, request: Request<&str>) -> (StatusCode, String) {
        let (parts, body) = request.into_parts();
        let body = RequestBody::Any(axum_body(body));
        let request = Request::from_parts(parts, body);
        let response = self.admin.handle(request, [127, 0, 0, 1].into()).await;
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    async fn get(&self, target: &str) -> (StatusCode, String) {
        self.ask(authorized("GET", target).body("").unwrap()).await
    }

    async fn revoke(&self, body: &str) -> (StatusCode, Value) {
        let (status, text) = self.ask(authorized("POST", "/revoke").body(body).unwrap()).await;
        (status, serde_json::from_str(&text).unwrap())
    }

    /// A session that began so many seconds before now.
    async fn begun(&self, byte: u8, subject: &str, sid: Option<&str>, ago: u64) -> SessionId {
        let started = Timestamp::from_secs(NOW - ago);
        self.began_at(started, byte, subject, sid).await
    }

    async fn began_at(&self, started: Timestamp, byte: u8, subject: &str, sid: Option<&str>) -> SessionId {
        let id = SessionId([byte; 16]);
        let record = Record {
            handle: id.handle(),
            app: "shop".into(),
            issuer: ISSUER.into(),
            subject: subject.into(),
            provider_session: sid.map(Into::into),
            started,
            until: started.after(Duration::from_secs(12 * 3600)),
        };
        self.store
            .record(id, record, Timestamp::from_secs(NOW))
            .await
            .unwrap();
        id
    }

    /// Why it has ended, if it has; as a cookie would ask.
    async fn ended(&self, byte: u8, subject: &str, sid: Option<&str>, ago: u64) -> Option<EndReason> {
        let session = SessionRef {
            id: SessionId([byte; 16]),
            issuer: ISSUER,
            subject,
            provider_session: sid,
            started: Timestamp::from_secs(NOW - ago),
        };
        let look = self.store.look(session, Timestamp::from_secs(NOW)).await;
        look.unwrap().ended
    }
}

fn axum_body(text: &str) -> axum::body::Body {
    axum::body::Body::from(text.to_owned())
}

fn request(method: &str, target: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(target)
        .header("host", "127.0.0.1:9080")
}

fn authorized(method: &str, target: &str) -> http::request::Builder {
    request(method, target).header("authorization", format!("Bearer {TOKEN}"))
}

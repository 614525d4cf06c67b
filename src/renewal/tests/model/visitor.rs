//! A browser's request to the real code, which says what it was told.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use tokio::sync::mpsc::UnboundedSender;

use super::gate::Gate;
use super::request::Kind;
use crate::renewal::{Peek, Sessions};

/// What the request of that name was told.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) name: u8,
    pub(super) spoken: Spoken,
}

#[derive(Debug)]
pub(super) enum Spoken {
    /// Forwarded with this access token; the answer will set cookies, or not.
    Admitted(String, bool),
    /// The answer.
    Says(Vec<HeaderValue>),
}

/// One request; `gate` is where it waits for the API.
pub(super) async fn visit(
    kind: Kind,
    sessions: Sessions,
    headers: HeaderMap,
    (gate, life): (Arc<Gate>, u64),
    name: u8,
    said: UnboundedSender<Said>,
) {
    let say = |spoken| said.send(Said { name, spoken }).unwrap();
    let admitted = match kind {
        Kind::Call => sessions.admit(&headers).await.map(Option::unwrap),
        Kind::Refresh => sessions.refresh(&headers).await,
        Kind::Peek => {
            let (Peek::Alive { set_cookies, .. } | Peek::Gone { set_cookies, .. }) =
                sessions.peek(&headers).await.unwrap();
            return say(Spoken::Says(set_cookies));
        }
        Kind::Logout => return say(Spoken::Says(sessions.log_out(&headers).await.unwrap().1)),
    };
    match admitted {
        Ok(admitted) => {
            let access = admitted.session.access.token.expose().to_owned();
            say(Spoken::Admitted(access, admitted.renewed));
            if admitted.renewed {
                gate.pass(life, "answer").await;
                say(Spoken::Says(sessions.cookies_for_answer(&admitted).await));
            }
        }
        Err(refusal) => say(Spoken::Says(refusal.set_cookies)),
    }
}

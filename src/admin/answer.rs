//! The way out: JSON, text, refusals, and what every answer carries.

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Response, StatusCode};
use serde::Serialize;

use super::Ask;
use crate::body::ResponseBody;
use crate::gate::harden::{self, Answer};
use crate::refusal::{Code, Fault, Refusal};

/// 200 with a JSON body.
pub(super) fn json(body: &impl Serialize) -> Result<Response<ResponseBody>, Refusal> {
    let bytes = serde_json::to_vec(body).map_err(|error| {
        Refusal::new(Code::Internal).because(format!("an answer did not serialize: {error}"))
    })?;
    Ok(of(StatusCode::OK, "application/json", bytes))
}

/// Text of a media type.
pub(super) fn text(
    status: StatusCode,
    media_type: &'static str,
    text: impl Into<String>,
) -> Response<ResponseBody> {
    of(status, media_type, text.into().into_bytes())
}

fn of(status: StatusCode, media_type: &'static str, bytes: Vec<u8>) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::full(bytes));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// Renders and logs a refusal; adds what every answer carries. Nothing here is for a cache, a frame or another origin.
pub(super) fn finish(
    ask: &Ask,
    path: &str,
    answered: Result<Response<ResponseBody>, Refusal>,
) -> Response<ResponseBody> {
    let mut response = answered.unwrap_or_else(|refusal| {
        log(ask, path, &refusal);
        refusal.render(ask.id, &ask.method)
    });
    if ask.method == Method::HEAD {
        *response.body_mut() = ResponseBody::Empty;
    }
    harden::apply(Answer::Ours, None, ask.id, response.headers_mut());
    response
}

/// The path is shown only where it is one of ours: it is the client's text.
fn log(ask: &Ask, path: &str, refusal: &Refusal) {
    let path = super::Endpoint::at(path).map_or("", super::Endpoint::path);
    let (request_id, peer, code) = (ask.id, ask.peer, refusal.code.as_str());
    let reason = refusal
        .log
        .as_deref()
        .or(refusal.detail.as_deref())
        .unwrap_or_default();
    match refusal.code.fault() {
        Fault::Client => tracing::warn!(event = "admin_refused", %request_id, %peer, path, code, reason),
        Fault::Provider | Fault::Upstream | Fault::Us => {
            tracing::error!(event = "admin_refused", %request_id, %peer, path, code, reason);
        }
    }
}

//! Who may ask: no browser, nobody who calls this listener by another's name, and for sessions only who has the token.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::HeaderMap;
use http::header::{AUTHORIZATION, ORIGIN};
use http::request::Parts;
use http::uri::Authority;

use crate::config;
use crate::gate::app::host_of;
use crate::refusal::{Code, Refusal};

/// What no tool of an operator sends and every current browser does, at least where the page is not ours.
pub(super) fn refuse_browsers(headers: &HeaderMap) -> Result<(), Refusal> {
    let sent = headers
        .keys()
        .any(|name| *name == ORIGIN || name.as_str().starts_with("sec-fetch-"));
    if sent {
        return Err(Refusal::new(Code::Forbidden).saying("This listener is closed to browsers."));
    }
    Ok(())
}

/// A page can have its own name point at this address, and is then of the same origin as the answer: such requests carry
/// no `Origin`, and over plain HTTP no `Sec-Fetch-*`. But they carry the page's name.
pub(super) fn check_host(parts: &Parts, listen: SocketAddr) -> Result<(), Refusal> {
    let host = host_of(&parts.headers, &parts.uri, parts.version, false)?;
    if is_ours(host, listen.ip()) {
        return Ok(());
    }
    Err(Refusal::new(Code::Forbidden)
        .saying("This listener is not called by that name: use its address, or localhost.")
        .because(format!("the Host field says `{host:.80}`")))
}

/// Loopback, or the address that it listens on; on all interfaces, any address: a page has a name, and no address can be
/// pointed elsewhere. The port may be another one, for it may have been forwarded.
fn is_ours(host: &str, listen: IpAddr) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority.host();
    if authority.as_str().contains('@') {
        return false;
    }
    if config::is_loopback_host(name) {
        return true;
    }
    let address = name.trim_start_matches('[').trim_end_matches(']');
    address
        .parse::<IpAddr>()
        .is_ok_and(|address| address == listen || listen.is_unspecified())
}

/// 404 where no token is configured: nobody could ever ask.
pub(super) fn exists(settings: &config::Admin) -> Result<(), Refusal> {
    if settings.token.is_some() {
        return Ok(());
    }
    Err(Refusal::new(Code::RouteNotFound).because("`admin.token` is not set"))
}

/// The one `Authorization: Bearer …` that has the token. A wrong one is told so after [`PATIENCE`], so that a connection
/// makes one guess a second; the listener has few of them.
pub(super) async fn check_token(settings: &config::Admin, headers: &HeaderMap) -> Result<(), Refusal> {
    let refusal = Refusal::new(Code::TokenInvalid);
    let Some(presented) = bearer(headers) else {
        return Err(refusal.because("no bearer token came"));
    };
    if settings.is_token(presented) {
        return Ok(());
    }
    tokio::time::sleep(PATIENCE).await;
    Err(refusal.because("the bearer token is wrong"))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return None;
    };
    let (scheme, token) = field.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// For a wrong token.
const PATIENCE: Duration = Duration::from_secs(1);

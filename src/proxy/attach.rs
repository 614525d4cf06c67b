//! Which token a request carries upstream: exactly one `Authorization`, or none (P-05, attack 17).
//!
//! Whatever the client sent under that name is gone by then ([`super::headers`]).

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use crate::refusal::{Code, Refusal};
use crate::token::AccessToken;

/// Attaches the token as a bearer (RFC 6750 §2.1).
///
/// # Errors
/// `provider_response_invalid` where the token cannot stand in a header: no provider may issue such a one.
pub(super) fn attach(token: &AccessToken, headers: &mut HeaderMap) -> Result<(), Refusal> {
    let token = token.expose();
    let mut text = Vec::with_capacity(SCHEME.len() + token.len());
    text.extend_from_slice(SCHEME);
    text.extend_from_slice(token.as_bytes());
    let mut value = HeaderValue::from_maybe_shared(bytes::Bytes::from(text))
        .ok()
        .filter(|_| is_graphic(token))
        .ok_or_else(|| {
            Refusal::new(Code::ProviderResponseInvalid).because("the access token cannot stand in a header")
        })?;
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    Ok(())
}

/// Whether a token is nothing but visible ASCII (RFC 6750 §2.1 allows even less). No early exit: the whole is a few
/// vector instructions.
fn is_graphic(token: &str) -> bool {
    token
        .bytes()
        .fold(0, |bad, byte| bad | u8::from(!byte.is_ascii_graphic()))
        == 0
}

const SCHEME: &[u8] = b"Bearer ";

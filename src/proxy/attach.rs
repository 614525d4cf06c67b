//! Which token a request carries upstream: exactly one `Authorization`, or none (P-05, attack 17).
//!
//! Whatever the client sent under that name does not get this far ([`super::headers`]).

use crate::refusal::{Code, Refusal};
use crate::token::AccessToken;

/// Writes the token as a bearer (RFC 6750 §2.1).
///
/// # Errors
/// `provider_response_invalid` where the token cannot stand in a header: no provider may issue such a one.
pub(super) fn attach(token: &AccessToken, head: &mut Vec<u8>) -> Result<(), Refusal> {
    let token = token.expose();
    if !is_graphic(token) {
        return Err(
            Refusal::new(Code::ProviderResponseInvalid).because("the access token cannot stand in a header")
        );
    }
    head.extend_from_slice(b"authorization: Bearer ");
    head.extend_from_slice(token.as_bytes());
    head.extend_from_slice(b"\r\n");
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

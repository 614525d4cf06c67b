//! One finish for every login: `GET callback` and `POST login/end` differ only in how they answer.
//!
//! The order is the defence; nothing of the response is used before the step that vouches for it:
//!
//! 1. `state` finds the login cookie of this browser and opens it (C-01, L-06). Unknown or missing: `login_state_invalid`,
//!    nothing is asked of the provider and no cookie is touched.
//! 2. There is a place for it ([`super::redeem`]), else `overloaded`: nothing has changed, and the same callback may be
//!    opened again.
//! 3. `state` is used once, also by a copied cookie (attack 47). A replay is refused as in 1. From here on the login ends,
//!    whatever comes: its cookie is cleared.
//! 4. No parameter stands twice (RFC 6749 §3.1, C-02).
//! 5. `iss` is the issuer the login was sent to, in errors too (RFC 9207 §2.4, C-03).
//! 6. `error`: the provider said no. Its code is told if it is a registered one, its words never are (C-07).
//! 7. The code is redeemed, the ID token verified, and only then is a token used or stored (C-11), in a task of its own
//!    ([`super::redeem`]): a closed tab does not leave the work half done.

use http::{HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};

use super::parameters::Parameters;
use super::redeem::Place;
use super::return_to::{ReturnTo, Rules};
use super::{Agent, redeem};
use crate::provider::registered_error_code;
use crate::refusal::{Code, Demanded, Refusal};
use crate::session::{LOGIN_LIFETIME, PendingLogin, Session};
use crate::token::AuthorizationCode;

/// A login that has become a session.
#[derive(Debug)]
pub(super) struct Finished {
    /// The session.
    pub(super) session: Session,
    /// Its cookies, and the clearing of the login's.
    pub(super) cookies: Vec<HeaderValue>,
    /// Where the browser goes, checked again.
    pub(super) return_to: ReturnTo,
}

/// Finishes the login that `response` (the parameters the provider sent the browser back with) belongs to.
///
/// # Errors
/// `login_state_invalid`, `invalid_request`, `authorization_error`, `step_up_required`, `provider_unavailable`,
/// `provider_response_invalid`, `session_too_large`, `store_unavailable`, `overloaded`; with the cookies that go out.
pub(super) async fn finish(
    agent: &Agent,
    headers: &HeaderMap,
    response: &Parameters,
) -> Result<Finished, Refusal> {
    let finished = begin_or_refuse(agent, headers, response).await;
    let outcome = match &finished {
        Ok(_) => "ok",
        Err(refusal) => refusal.code.as_str(),
    };
    agent.sessions.parts.meters.login(outcome);
    finished
}

/// All steps.
async fn begin_or_refuse(
    agent: &Agent,
    headers: &HeaderMap,
    response: &Parameters,
) -> Result<Finished, Refusal> {
    let cookies = &agent.sessions.parts.cookies;
    let now = agent.clock.now();
    let unknown = || match response.repeated() {
        // Said in any case; but where the state finds its login, that login ends first.
        Some(_) => twice(),
        None if cookies.has_login(headers) => unknown_login(),
        None => no_login_cookie(),
    };
    let state = response.once("state").ok_or_else(unknown)?;
    let login = cookies.open_login(headers, state, now).ok_or_else(unknown)?;
    let clear = cookies.clear_login(state);
    let place = agent.places.take()?;

    let mark = Sha256::new_with_prefix(b"cloakroom state\0")
        .chain_update(state)
        .finalize()
        .into();
    match agent.store.use_once(mark, now.after(LOGIN_LIFETIME), now).await {
        Ok(true) => {}
        Ok(false) => return Err(unknown_login()),
        Err(error) => {
            return Err(Refusal::new(Code::StoreUnavailable)
                .because(error.to_string())
                .with_cookies(vec![clear]));
        }
    }
    match complete(agent, login, response, place).await {
        Ok(mut finished) => {
            finished.cookies.push(clear);
            Ok(finished)
        }
        Err(refusal) => Err(refusal.with_cookies(vec![clear])),
    }
}

/// Steps 4 to 7.
async fn complete(
    agent: &Agent,
    login: PendingLogin,
    response: &Parameters,
    place: Place,
) -> Result<Finished, Refusal> {
    if response.repeated().is_some() {
        return Err(twice());
    }
    agent
        .provider
        .check_response_issuer(&login.issuer, response.once("iss"))
        .await?;
    if let Some(error) = response.once("error") {
        let code = registered_error_code(error);
        return Err(Refusal {
            provider_error: Some(code),
            ..Refusal::new(Code::AuthorizationError)
                .because(format!("the provider answered the login with {code}"))
        });
    }
    // RFC 6749 appendix A.11: visible ASCII, nothing else.
    let code = response
        .once("code")
        .filter(|code| code.bytes().all(|byte| matches!(byte, b' '..=b'~')))
        .map(AuthorizationCode::new)
        .ok_or_else(|| {
            Refusal::new(Code::InvalidRequest).because("the response holds neither code nor error")
        })?;

    let rules = Rules::of(&agent.app);
    let return_to = ReturnTo::check(&login.return_to, &rules).unwrap_or_else(|_| ReturnTo::home(&rules));
    let demanded = Demanded {
        acr_values: login.acr_values.join(" ").into(),
        max_age: login.max_age,
    };
    match redeem::detached(agent, login, code, place).await {
        Ok((session, cookies)) => Ok(Finished {
            session,
            cookies,
            return_to,
        }),
        Err(refusal) if refusal.code == Code::StepUpRequired => Err(Refusal {
            demanded: Some(demanded),
            ..refusal
        }),
        Err(refusal) => Err(refusal),
    }
}

fn twice() -> Refusal {
    Refusal::new(Code::InvalidRequest).saying("A parameter of the provider's answer stands twice.")
}

/// One answer for missing, unknown, foreign, late and replayed states: it tells nobody which (attack 191).
fn unknown_login() -> Refusal {
    Refusal::new(Code::LoginStateInvalid)
}

/// A browser that refuses cookies ends here each time, and so does every login that the user tries again: what is wrong
/// must be named.
fn no_login_cookie() -> Refusal {
    Refusal::new(Code::LoginStateInvalid)
        .saying(
            "The browser sent no cookie of a login: it refuses cookies, or this login is finished or too old. \
             Allow cookies for this site and start again.",
        )
        .because("the browser sent no login cookie at all")
}

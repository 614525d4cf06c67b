//! Pending logins: bounded, short-lived, each found by its own state (L-06).

use std::time::Duration;

use http::HeaderMap;

use super::world::{Jar, NOW, app, cookies, cookies_of, header, key};
use crate::clock::Timestamp;
use crate::session::keyring::Purpose;
use crate::session::{PendingLogin, SessionId, content::LoginContent};
use crate::token::{Nonce, State, Verifier};

pub(super) fn pending(state: &str, started: Timestamp) -> PendingLogin {
    PendingLogin {
        state: State::new(state),
        nonce: Nonce::new("nonce-secret"),
        verifier: Verifier::new("verifier-secret"),
        issuer: "https://login.example.com".into(),
        redirect_uri: "https://shop.example.com/oauth-agent/callback".into(),
        return_to: "/cart?x=1".into(),
        acr_values: vec!["gold".into(), "silver".into()],
        max_age: Some(300),
        replaces: Some(SessionId([5; 16])),
        started,
    }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_pending_login_opens_as_it_was_for_its_state_alone() {
    let cookies = cookies();
    let login = pending("state-1", NOW);
    let jar = Jar::of(&cookies.seal_login(&login, &HeaderMap::new(), NOW).unwrap());
    let found = cookies.open_login(&jar.headers(), "state-1", NOW).unwrap();
    assert_eq!(format!("{found:?}"), format!("{login:?}"));
    assert_eq!(found.state.expose(), "state-1");
    assert_eq!(found.nonce.expose(), "nonce-secret");
    assert_eq!(found.verifier.expose(), "verifier-secret");
    assert!(found.replaces == login.replaces);
    assert!(cookies.open_login(&jar.headers(), "state-2", NOW).is_none());
    assert!(cookies.open_login(&jar.headers(), "", NOW).is_none());
    assert!(cookies.open_login(&HeaderMap::new(), "state-1", NOW).is_none());
}

#[test]
fn the_name_tells_a_hash_of_the_state() {
    // echo -n state-1 | sha256sum
    assert_eq!(
        cookies().names.login("state-1"),
        "__Host-Http-shop-login-f36b45ae"
    );
}

/// The name holds four bytes of a hash: a state that shares them is still another state.
#[test]
fn the_state_itself_is_compared() {
    let cookies = cookies();
    let name = cookies.names.login("state-1");
    let binding = cookies.vault.bind(Purpose::Login, &name);
    let value = cookies
        .vault
        .seal(&binding, &LoginContent::of(&pending("other", NOW)), 1);
    let headers = header(format!("{name}={value}").as_bytes());
    assert!(cookies.open_login(&headers, "state-1", NOW).is_none());
}

#[test]
fn a_login_is_good_for_ten_minutes() {
    let cookies = cookies();
    let jar = Jar::of(
        &cookies
            .seal_login(&pending("s", NOW), &HeaderMap::new(), NOW)
            .unwrap(),
    );
    assert!(
        cookies
            .open_login(&jar.headers(), "s", NOW.after(secs(600)))
            .is_some()
    );
    assert!(
        cookies
            .open_login(&jar.headers(), "s", NOW.after(secs(601)))
            .is_none()
    );
}

#[test]
fn clearing_a_login_leaves_the_others() {
    let cookies = cookies();
    let mut jar = Jar::default();
    for state in ["one", "two"] {
        jar.apply(
            &cookies
                .seal_login(&pending(state, NOW), &jar.headers(), NOW)
                .unwrap(),
        );
    }
    jar.apply(&[cookies.clear_login("one")]);
    assert!(cookies.open_login(&jar.headers(), "one", NOW).is_none());
    assert!(cookies.open_login(&jar.headers(), "two", NOW).is_some());
}

#[test]
fn two_different_cookies_for_one_login_are_none() {
    let cookies = cookies();
    let sealed = || {
        let set = cookies
            .seal_login(&pending("s", NOW), &HeaderMap::new(), NOW)
            .unwrap();
        set[0].to_str().unwrap().split(';').next().unwrap().to_owned()
    };
    let (one, other) = (sealed(), sealed());
    assert!(
        cookies
            .open_login(&header(format!("{one}; {other}").as_bytes()), "s", NOW)
            .is_none()
    );
    assert!(
        cookies
            .open_login(&header(format!("{one}; {one}").as_bytes()), "s", NOW)
            .is_some()
    );
}

#[test]
fn the_sixth_login_evicts_the_oldest() {
    let cookies = cookies();
    let mut jar = Jar::default();
    for number in 0..6 {
        let now = NOW.after(secs(number));
        jar.apply(
            &cookies
                .seal_login(&pending(&format!("s{number}"), now), &jar.headers(), now)
                .unwrap(),
        );
    }
    assert_eq!(jar.0.len(), 5);
    let now = NOW.after(secs(6));
    assert!(cookies.open_login(&jar.headers(), "s0", now).is_none());
    assert!((1..6).all(|number| {
        cookies
            .open_login(&jar.headers(), &format!("s{number}"), now)
            .is_some()
    }));
}

#[test]
fn logins_together_stay_within_4_kib() {
    let cookies = cookies();
    let mut jar = Jar::default();
    for number in 0..5 {
        let now = NOW.after(secs(number));
        let mut login = pending(&format!("s{number}"), now);
        login.return_to = format!("/{}", "r".repeat(1000)).into();
        jar.apply(&cookies.seal_login(&login, &jar.headers(), now).unwrap());
        let bytes: usize = jar
            .0
            .iter()
            .map(|(name, value)| name.len() + value.len() + 3)
            .sum();
        assert!(bytes <= 4096, "{bytes}");
    }
    assert_eq!(jar.0.len(), 2);
    assert!(cookies.open_login(&jar.headers(), "s4", NOW).is_some());
    assert!(cookies.open_login(&jar.headers(), "s3", NOW).is_some());
}

#[test]
fn a_login_beyond_2_kib_is_refused() {
    let mut login = pending("s", NOW);
    login.return_to = "r".repeat(2000).into();
    let refused = cookies().seal_login(&login, &HeaderMap::new(), NOW).unwrap_err();
    assert_eq!(refused.budget, 2048);
    assert!(refused.needed > 2048);
}

#[test]
fn logins_that_are_over_or_broken_are_cleared_by_the_next() {
    let cookies = cookies();
    let mut jar = Jar::of(
        &cookies
            .seal_login(&pending("old", NOW), &HeaderMap::new(), NOW)
            .unwrap(),
    );
    jar.0
        .insert("__Host-Http-shop-login-00000000".into(), "garbage!".into());
    // Not the form of a login cookie of ours: not read, not cleared.
    jar.0.insert("__Host-Http-shop-login-0000000G".into(), "x".into());
    let now = NOW.after(secs(601));
    jar.apply(
        &cookies
            .seal_login(&pending("new", now), &jar.headers(), now)
            .unwrap(),
    );
    let left: Vec<_> = jar.0.keys().cloned().collect();
    assert_eq!(
        left,
        [
            "__Host-Http-shop-login-0000000G".to_owned(),
            cookies.names.login("new")
        ]
    );
}

/// Another replica may know the key; but when somebody has to go, they go first.
#[test]
fn logins_under_an_unknown_key_are_left_alone_while_there_is_room() {
    let (here, elsewhere) = (cookies(), cookies_of(&[key(9)], &app()));
    let mut jar = Jar::of(
        &elsewhere
            .seal_login(&pending("foreign", NOW), &HeaderMap::new(), NOW)
            .unwrap(),
    );
    for number in 0..4 {
        let login = pending(&format!("s{number}"), NOW);
        jar.apply(&here.seal_login(&login, &jar.headers(), NOW).unwrap());
    }
    assert!(elsewhere.open_login(&jar.headers(), "foreign", NOW).is_some());
    jar.apply(&here.seal_login(&pending("s4", NOW), &jar.headers(), NOW).unwrap());
    assert_eq!(jar.0.len(), 5);
    assert!(elsewhere.open_login(&jar.headers(), "foreign", NOW).is_none());
}

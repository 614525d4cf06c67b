//! What must never be seen is not: in values, in Debug, in randomness used twice (M-01, M-10, M-11, attack 73).

use std::collections::HashSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;

use super::login::pending;
use super::world::{Jar, NOW, app, cookies, key, opened, session};
use crate::random::OsRandom;
use crate::session::{Cookies, Farewell, Opened, Parts, Presented, Replaces};

#[test]
fn no_token_shows_in_a_sealed_value() {
    let cookies = cookies();
    let mut set = cookies
        .seal(&session(), Parts::ALL, Replaces::Everything, NOW)
        .unwrap();
    set.extend(
        cookies
            .seal_login(&pending("the-state", NOW), &HeaderMap::new(), NOW)
            .unwrap(),
    );
    for (name, value) in Jar::of(&set).0 {
        let bytes = URL_SAFE_NO_PAD.decode(&value).unwrap();
        for secret in [
            "AAAAAA",
            "RRRRRR",
            "IIIIII",
            "alice",
            "the-state",
            "nonce-secret",
            "verifier-secret",
        ] {
            let shows = |text: &[u8]| text.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!shows(&bytes), "{secret} in {name}");
            assert!(!shows(value.as_bytes()), "{secret} in {name}");
        }
    }
}

#[test]
fn debug_shows_no_secret() {
    let cookies = cookies();
    let set = cookies
        .seal(&session(), Parts::ALL, Replaces::Everything, NOW)
        .unwrap();
    let jar = Jar::of(&set);
    let farewell = Farewell {
        id: [1; 16],
        id_token: session().id_token,
        provider_session: None,
        made: NOW,
    };
    let shown = [
        format!("{cookies:?}"),
        format!("{:?}", key(1)),
        format!("{:?}", session()),
        format!("{:?}", session().id),
        format!("{:?}", cookies.open(&jar.headers())),
        format!("{:?}", pending("the-state", NOW)),
        format!("{farewell:?}"),
        // The values of `Set-Cookie` are marked as sensitive.
        format!("{set:?}"),
    ]
    .join("\n");
    let values = jar.0.values().map(String::as_str);
    let secrets = [
        "AAAAAA",
        "RRRRRR",
        "IIIIII",
        "the-state",
        "nonce-secret",
        "verifier-secret",
        "7, 7, 7",
        "1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1",
    ];
    for secret in secrets.into_iter().chain(values) {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(matches!(cookies.open(&jar.headers()), Opened::Session(..)));
}

/// The random part of every value: the half that makes its key, and the half that is its nonce.
fn random_parts(cookies: &Cookies) -> [Vec<u8>; 2] {
    let set = cookies
        .seal(
            &super::world::session_of(0),
            Parts::ACCESS,
            Replaces::Presented(Presented::default()),
            NOW,
        )
        .unwrap();
    let jar = Jar::of(&set);
    let bytes = URL_SAFE_NO_PAD.decode(&jar.0["__Host-Http-shop-at"]).unwrap();
    [bytes[6..18].to_vec(), bytes[18..30].to_vec()]
}

fn assert_no_repeats(count: usize) {
    let cookies = Cookies::new(&[key(1)], &app(), Arc::new(OsRandom));
    let mut seen = HashSet::with_capacity(2 * count);
    for _ in 0..count {
        for part in random_parts(&cookies) {
            assert!(seen.insert(part), "random bytes used twice");
        }
    }
}

#[test]
fn ten_thousand_values_share_no_random_bytes() {
    assert_no_repeats(10_000);
}

/// M-01 asks for 10⁶; takes minutes without optimization.
#[test]
#[ignore = "long"]
fn a_million_values_share_no_random_bytes() {
    assert_no_repeats(1_000_000);
}

/// The same session sealed twice is two values that have nothing in common.
#[test]
fn the_same_session_is_sealed_anew_each_time() {
    let cookies = cookies();
    let seal = || {
        Jar::of(
            &cookies
                .seal(&session(), Parts::ALL, Replaces::Everything, NOW)
                .unwrap(),
        )
    };
    let (one, other) = (seal(), seal());
    for name in one.0.keys() {
        assert_eq!(one.0[name][..8], other.0[name][..8], "the header is the same");
        assert_ne!(one.0[name][8..40], other.0[name][8..40]);
        assert_ne!(one.0[name][40..], other.0[name][40..]);
    }
    opened(&cookies, &one.headers());
    opened(&cookies, &other.headers());
}

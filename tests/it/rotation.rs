//! The cookie keys are rotated on two running replicas, one SIGHUP after the other (contract §4, M-03, docs/how-to/keys.md):
//! nobody is signed out, nobody is refused.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::world::jar::From;
use crate::world::{Binary, Browser, Plan, raw};

const STEPS: [&str; 4] = [
    "\"env:COOKIE_KEY\"",
    "\"env:COOKIE_KEY\", \"env:OTHER_KEY\"",
    "\"env:OTHER_KEY\", \"env:COOKIE_KEY\"",
    "\"env:OTHER_KEY\"",
];

fn step(number: usize) -> Plan {
    Plan {
        keys: Some(STEPS[number].to_owned()),
        ..Plan::default()
    }
}

/// A call that the balancer sends to `replica`; what it says of cookies goes into the jar.
async fn call(replica: &Binary, browser: &Browser) -> (u16, Option<String>, usize) {
    let cookies = browser.jar().header("/api/x", From::SameSite).unwrap();
    let host = replica.origin.trim_start_matches("http://");
    let request = format!(
        "GET /api/x HTTP/1.1\r\nHost: {host}\r\ntoken-handler-version: 1\r\nCookie: {cookies}\r\nConnection: close\r\n\r\n"
    );
    let reply = raw(replica.address(), request.as_bytes()).await;
    let text = reply.text();
    let set: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("set-cookie: "))
        .collect();
    for field in &set {
        browser.jar().take(field);
    }
    (reply.status(), reply.code(), set.len())
}

/// The key ids of the three cookies, in hex (docs/sessions.md).
fn sealed_under(browser: &Browser) -> Vec<String> {
    let jar = browser.jar();
    ["at", "rt", "id"]
        .map(|kind| {
            let value = jar.value(&format!("__Host-Http-shop-{kind}")).unwrap();
            let header = URL_SAFE_NO_PAD.decode(&value[..8]).unwrap();
            header[1..5].iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").unwrap();
                hex
            })
        })
        .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_change_their_keys_one_after_the_other() {
    let mut one = Binary::serve(&step(0)).await;
    let mut other = one.beside(&step(0)).await;
    let (early, sleeping) = (one.browser(), one.browser());
    for browser in [&early, &sleeping] {
        browser.sign_in(&one.provider).await;
    }
    // Half-way through a login while everything moves.
    let slow = one.browser();
    let back = one.provider.approve(&slow.start_login(&json!({})).await);
    let old = sealed_under(&early)[0].clone();

    for number in 1..=2 {
        one.reload(&step(number)).await;
        // Between the two hang-ups one of them is ahead.
        for replica in [&one, &other, &one] {
            assert_eq!(call(replica, &early).await.0, 200, "step {number}");
        }
        other.reload(&step(number)).await;
        for replica in [&other, &one] {
            assert_eq!(call(replica, &early).await.0, 200, "step {number}");
        }
    }
    let new = sealed_under(&early);
    assert!(
        new.iter().all(|key| *key == new[0] && *key != old),
        "{old} {new:?}"
    );
    let landed = slow.come_back(&back).await;
    assert!(landed.location_parameter("login_error").is_none(), "{landed:?}");

    // Who slept through it comes with the old key once more, and needs it no more then.
    assert_eq!(sealed_under(&sleeping), vec![old.clone(); 3]);
    let before = one.provider.token_requests("refresh_token");
    let (status, _, set) = call(&one, &sleeping).await;
    assert_eq!((status, set), (200, 3));
    assert_eq!(sealed_under(&sleeping), new);
    assert_eq!(
        one.provider.token_requests("refresh_token"),
        before,
        "sealing anew asks nobody"
    );
    assert_eq!(call(&one, &sleeping).await.2, 0, "once");

    // An operator sees it in the log: between two reloads nobody opened anything under the old key.
    one.reload(&step(2)).await;
    assert_eq!(call(&one, &sleeping).await.0, 200);
    let said = one.reload(&step(2)).await;
    let key = |id: &str| -> Value {
        let lines = said
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .into_iter()
            .find(|line| line["event"] == "cookie_key" && line["key"] == id)
            .unwrap()
    };
    assert_eq!(key(&new[0])["role"], "seals");
    assert_eq!(key(&old)["role"], "opens");
    assert!(key(&new[0])["opened"].as_u64() > Some(0));

    one.reload(&step(3)).await;
    for replica in [&one, &other, &one] {
        assert_eq!(call(replica, &early).await.0, 200);
    }
    other.reload(&step(3)).await;
    for browser in [&early, &sleeping, &slow] {
        assert_eq!(call(&other, browser).await.0, 200);
        assert_eq!(call(&one, browser).await.0, 200);
    }
}

/// Out of order: a replica that was forgotten in the first step finds no session, and spoils nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_was_forgotten_leaves_the_jar_alone() {
    let mut one = Binary::serve(&step(0)).await;
    let forgotten = one.beside(&step(0)).await;
    let browser = one.browser();
    browser.sign_in(&one.provider).await;
    one.reload(&step(2)).await;
    assert_eq!(call(&one, &browser).await, (200, None, 3));
    let jar = browser.jar().header("/api/x", From::SameSite);
    for _ in 0..2 {
        let refused = call(&forgotten, &browser).await;
        assert_eq!(refused, (401, Some("session_missing".to_owned()), 0));
    }
    assert_eq!(browser.jar().header("/api/x", From::SameSite), jar);
    assert_eq!(call(&one, &browser).await, (200, None, 0));
}

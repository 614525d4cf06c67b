//! The cookies as a browser and as an attacker meet them. Standards K-; attacks E.

use http::Method;
use serde_json::json;

use crate::world::{Browser, Plan, Reply, World};

const AT: &str = "__Host-Http-shop-at";
const RT: &str = "__Host-Http-shop-rt";
const ID: &str = "__Host-Http-shop-id";

/// Asks for the session and calls the API: what both say.
async fn look(browser: &Browser) -> (serde_json::Value, Reply) {
    (browser.session().await, browser.get("/api/x").await)
}

#[tokio::test]
async fn every_cookie_carries_exactly_the_attributes_of_the_contract() {
    // K-01, K-02, K-03, K-05; D1.
    let world = World::new().await;
    let browser = world.browser();
    let started = browser.post("/oauth-agent/login/start", &json!({})).await;
    let [login] = started.set_cookies().try_into().unwrap();
    let (name, attributes) = split(&login);
    assert!(
        name.starts_with("__Host-Http-shop-login-") && name.len() == "__Host-Http-shop-login-".len() + 8,
        "{name}"
    );
    assert_eq!(
        attributes,
        ["httponly", "max-age=600", "path=/", "samesite=lax", "secure"]
    );

    let back = world
        .provider
        .approve(started.json()["authorization_url"].as_str().unwrap());
    let landed = browser.come_back(&back).await;
    for name in [AT, RT, ID] {
        let field = landed
            .set_cookies()
            .into_iter()
            .find(|field| field.starts_with(&format!("{name}=")))
            .unwrap();
        let (_, attributes) = split(&field);
        assert_eq!(
            attributes,
            ["httponly", "path=/", "samesite=strict", "secure"],
            "{name}"
        );
    }
    assert!(browser.jar().refused.is_empty(), "{:?}", browser.jar().refused);
    assert_eq!(browser.jar().names(), [AT, ID, RT], "the login cookie is gone");

    let out = browser.post("/oauth-agent/logout", &json!({})).await;
    for name in [AT, RT, ID] {
        let field = out
            .set_cookies()
            .into_iter()
            .find(|field| field.starts_with(&format!("{name}=")))
            .unwrap();
        let (_, attributes) = split(&field);
        let kept: Vec<&str> = attributes
            .iter()
            .map(String::as_str)
            .filter(|attribute| !attribute.starts_with("expires="))
            .collect();
        assert_eq!(
            kept,
            ["httponly", "max-age=0", "path=/", "samesite=strict", "secure"],
            "K-09: {field}"
        );
    }
}

fn split(field: &str) -> (String, Vec<String>) {
    let mut parts = field.split("; ");
    let name = parts.next().unwrap().split('=').next().unwrap().to_owned();
    let mut attributes: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
    attributes.sort();
    (name, attributes)
}

#[tokio::test]
async fn secure_stays_whatever_a_forwarded_field_claims() {
    // Attack 22.
    let world = World::new().await;
    let reply = world
        .browser()
        .fetch(Method::POST, "/oauth-agent/login/start")
        .header("x-forwarded-proto", "http")
        .send()
        .await;
    assert!(reply.set_cookies().iter().all(|field| field.contains("Secure")));
}

#[tokio::test]
async fn a_flipped_byte_anywhere_makes_no_session_and_no_error() {
    // K-04; attack 71: every byte here; every bit stands in the property tests of `session`.
    let world = World::new().await;
    let browser = world.signed_in().await;
    let reached = world.upstream.count();
    for name in [AT, RT, ID] {
        let value = browser.jar().value(name).unwrap().to_owned();
        for at in 0..value.len() {
            let thief = browser.copy();
            let mut bytes = value.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            thief.jar().plant(name, &String::from_utf8(bytes).unwrap());
            let reply = thief.get("/api/x").await;
            assert_eq!(
                (reply.status.as_u16(), reply.code().as_deref()),
                (401, Some("session_missing")),
                "{name} byte {at}"
            );
        }
    }
    assert_eq!(world.upstream.count(), reached, "nothing reached the API");
    let tampered = browser.copy();
    let value = browser.jar().value(AT).unwrap().to_owned();
    tampered
        .jar()
        .plant(AT, &format!("{}AAAA", &value[..value.len() - 4]));
    let (session, api) = look(&tampered).await;
    assert_eq!(session, json!({ "is_logged_in": false, "reason": "none" }));
    assert!(
        !tampered.jar().names().contains(&AT.to_owned()),
        "what does not open is cleared: {api:?}"
    );
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a_value_opens_only_under_its_own_name_app_and_session() {
    // K-11; attacks 74, 76.
    let top = "";
    let second = r#"
[[app.route]]
path = "/api"
upstream = "{upstream}"

[[app]]
id = "desk"
origin = "http://desk.localhost:{port}"
[app.provider]
issuer = "{issuer}"
client_id = "shop-client"
client_secret = "env:CLIENT_SECRET"
id_token_alg = "ES256"
scopes = ["openid"]
[app.session]
[[app.route]]
path = "/api"
upstream = "{upstream}"
"#;
    let world = World::with(Plan {
        top: top.into(),
        routes: Some(second.into()),
        ..Plan::default()
    })
    .await;
    let (one, two) = (world.signed_in().await, world.signed_in().await);
    let login = world.browser();
    login.start_login(&json!({})).await;
    let pending = login.jar().names()[0].clone();
    let pending_value = login.jar().value(&pending).unwrap().to_owned();
    let of = |browser: &Browser, name: &str| browser.jar().value(name).unwrap().to_owned();
    let swaps = [
        (AT, of(&one, RT)),
        (AT, of(&one, ID)),
        (RT, of(&one, AT)),
        (ID, of(&one, RT)),
        (AT, pending_value),
        (RT, of(&two, RT)),
        (ID, of(&two, ID)),
        (AT, of(&two, AT)),
    ];
    for (name, value) in swaps {
        let mixed = one.copy();
        mixed.jar().plant(name, &value);
        let (session, api) = look(&mixed).await;
        assert_eq!(
            (api.status.as_u16(), api.code().as_deref()),
            (401, Some("session_missing")),
            "{name}"
        );
        assert_eq!(session["is_logged_in"], false, "{name}");
    }
    let desk = Browser::new(&world.origin.replace("app.", "desk."));
    for kind in ["at", "rt", "id"] {
        desk.jar().plant(
            &format!("__Host-Http-desk-{kind}"),
            &of(&one, &format!("__Host-Http-shop-{kind}")),
        );
        desk.jar().plant(
            &format!("__Host-Http-shop-{kind}"),
            &of(&one, &format!("__Host-Http-shop-{kind}")),
        );
    }
    assert_eq!(
        desk.get("/api/x").await.code().as_deref(),
        Some("session_missing")
    );
    assert!(one.is_signed_in().await && two.is_signed_in().await);
}

#[tokio::test]
async fn chunks_that_are_missing_mixed_or_absurd_make_no_session_and_surplus_ones_are_cleared() {
    // K-07; attacks 82, 83.
    let world = World::new().await;
    world.provider.script(|script| script.access_token_length = 4_000);
    let browser = world.signed_in().await;
    let other = world.signed_in().await;
    let second = format!("{AT}.1");
    assert!(
        browser.jar().value(&second).is_some(),
        "{:?}",
        browser.jar().names()
    );

    let missing = browser.copy();
    missing.jar().remove(&second);
    let first_gone = browser.copy();
    first_gone.jar().remove(AT);
    let swapped = browser.copy();
    let value = |name: &str| browser.jar().value(name).unwrap().to_owned();
    let (a, b) = (value(AT), value(&second));
    swapped.jar().plant(AT, &b);
    swapped.jar().plant(&second, &a);
    let mixed = browser.copy();
    let foreign = other.jar().value(&second).unwrap().to_owned();
    mixed.jar().plant(&second, &foreign);
    for broken in [missing, first_gone, swapped, mixed] {
        let reply = broken.get("/api/x").await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_deref()),
            (401, Some("session_missing"))
        );
    }
    let surplus = browser.copy();
    for name in [".2", ".9", ".99999999", ".-1", ".1e9", ".", ".01", "-chunks"] {
        surplus.jar().plant(&format!("{AT}{name}"), "99999999");
    }
    let early = surplus.copy();
    for asked in ["/api/x", "/oauth-agent/session"] {
        let browser = if asked == "/api/x" { &surplus } else { &early };
        let reply = browser.get(asked).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("cache-control"), Some("no-store"), "it sets cookies");
        let left = browser.jar().names();
        for gone in [".2", ".9"] {
            assert!(!left.contains(&format!("{AT}{gone}")), "{asked}: {left:?}");
        }
        assert!(browser.is_signed_in().await);
        assert!(browser.get("/api/x").await.set_cookies().is_empty());
    }
}

#[tokio::test]
async fn a_session_that_lacks_one_of_its_cookies_is_none() {
    // K-07.
    let world = World::new().await;
    let browser = world.signed_in().await;
    for name in [AT, RT, ID] {
        let lacking = browser.copy();
        lacking.jar().remove(name);
        let (session, reply) = look(&lacking).await;
        assert_eq!(
            session,
            json!({ "is_logged_in": false, "reason": "none" }),
            "{name}"
        );
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_deref()),
            (401, Some("session_missing")),
            "{name}"
        );
    }
}

#[tokio::test]
async fn only_names_that_match_byte_for_byte_are_read() {
    // Attacks 88, 89.
    let world = World::new().await;
    let browser = world.signed_in().await;
    let (at, rt, id) = {
        let jar = browser.jar();
        let value = |name: &str| jar.value(name).unwrap().to_owned();
        (value(AT), value(RT), value(ID))
    };
    let ask = |cookie: Vec<u8>| {
        let mut request = format!(
            "GET /api/x HTTP/1.1\r\nhost: {}\r\ntoken-handler-version: 1\r\ncookie: ",
            world.host()
        )
        .into_bytes();
        request.extend(cookie);
        request.extend_from_slice(b"\r\n\r\n");
        request
    };
    let rest = format!("{RT}={rt}; {ID}={id}");
    assert_eq!(
        world
            .raw(ask(format!("{AT}={at}; {rest}").into_bytes()))
            .await
            .status(),
        200
    );
    assert_eq!(
        world
            .raw(ask(format!("other=\u{e9}; {AT}={at};{rest}; more").into_bytes()))
            .await
            .status(),
        200,
        "others may be odd"
    );
    for spoofed in [
        "\u{2000}__Host-Http-shop-at",
        "__host-http-shop-at",
        "__HOST-HTTP-SHOP-AT",
        "__Host-Http-shop-at ",
        "\u{a0}__Host-Http-shop-at",
    ] {
        let reply = world
            .raw(ask(format!("{spoofed}={at}; {rest}").into_bytes()))
            .await;
        assert_eq!(
            (reply.status(), reply.code().as_deref()),
            (401, Some("session_missing")),
            "{spoofed:?}"
        );
    }
    let twice = format!("{AT}=x; {AT}={at}; {rest}");
    assert_eq!(
        world.raw(ask(twice.into_bytes())).await.code().as_deref(),
        Some("session_missing")
    );
    let twice = format!("{AT}={at}; {AT}=x; {rest}");
    assert_eq!(
        world.raw(ask(twice.into_bytes())).await.code().as_deref(),
        Some("session_missing")
    );
    let same = format!("{AT}={at}; {AT}={at}; {rest}");
    assert_eq!(world.raw(ask(same.into_bytes())).await.status(), 200);
    // K-08: several Cookie fields.
    let several = format!("{AT}={at}\r\ncookie: {RT}={rt}\r\ncookie: {ID}={id}");
    assert_eq!(world.raw(ask(several.into_bytes())).await.status(), 200);
}

#[tokio::test]
async fn nothing_in_the_cookie_field_causes_a_5xx() {
    // Attacks 80, 86, 196.
    let world = World::new().await;
    let long = "A".repeat(20_000);
    let cases: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b";;;;".to_vec(),
        b"=".to_vec(),
        b"__Host-Http-shop-at".to_vec(),
        b"__Host-Http-shop-at=".to_vec(),
        b"__Host-Http-shop-at=%%%".to_vec(),
        b"__Host-Http-shop-at=\"quoted\"".to_vec(),
        b"__Host-Http-shop-at=\xff\xfe\x80".to_vec(),
        b"__Host-Http-shop-at=eyJhbGciOiJub25lIn0.e30.".to_vec(),
        b"__Host-Http-shop-at=../../etc/passwd".to_vec(),
        format!("__Host-Http-shop-at={long}").into_bytes(),
        "__Host-Http-shop-at=AQAAAAA; ".repeat(300).into_bytes(),
        (0..500)
            .flat_map(|n| format!("__Host-Http-shop-at.{n}=x; ").into_bytes())
            .collect(),
    ];
    for cookie in cases {
        for path in ["/api/x", "/oauth-agent/session"] {
            let mut request = format!(
                "GET {path} HTTP/1.1\r\nhost: {}\r\ntoken-handler-version: 1\r\ncookie: ",
                world.host()
            )
            .into_bytes();
            request.extend(&cookie);
            request.extend_from_slice(b"\r\n\r\n");
            let reply = world.raw(request).await;
            assert!(
                [200, 401].contains(&reply.status()),
                "{path} {} → {}",
                String::from_utf8_lossy(&cookie[..cookie.len().min(60)]),
                reply.text()
            );
        }
    }
}

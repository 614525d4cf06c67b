//! What comes back from the API. Standards P-13 to P-15; attacks B, I; contract §5.11.

use http::Method;
use serde_json::json;

use crate::world::World;
use crate::world::upstream::Answer;

#[tokio::test]
async fn the_apis_own_refusals_and_redirects_are_passed_back_as_they_are() {
    // P-15, P-22, P-27.
    let world = World::new().await;
    let browser = world.signed_in().await;
    world.upstream.script(|_| {
        Answer::status(
            "401 Unauthorized",
            "{\"mine\":1}",
            "www-authenticate: Bearer error=\"invalid_token\"\r\ntoken-handler-error: session_missing\r\n",
        )
    });
    let reply = browser.get("/api/x").await;
    assert_eq!(
        (
            reply.status.as_u16(),
            reply.json(),
            reply.header("token-handler-error")
        ),
        (401, json!({ "mine": 1 }), None)
    );
    world
        .upstream
        .script(|_| Answer::status("302 Found", "", "location: https://elsewhere.example/x\r\n"));
    let reply = browser.get("/api/x").await;
    assert_eq!(
        (reply.status.as_u16(), reply.location()),
        (302, "https://elsewhere.example/x")
    );
}

#[tokio::test]
async fn an_api_cannot_set_our_cookies_nor_speak_for_us() {
    // P-14; attacks 28, 29.
    let world = World::new().await;
    let browser = world.signed_in().await;
    world.upstream.script(|seen| {
        let bearer = seen.one("authorization").unwrap_or("none").to_owned();
        Answer::json("{}", &format!(
            "set-cookie: __Host-Http-shop-at=evil; Path=/; Secure; HttpOnly\r\nset-cookie: __Host-Http-shop-login-00000000=x; Path=/\r\n\
             set-cookie: __host-http-desk-rt.1=x; Path=/\r\nset-cookie: theme=dark; Path=/\r\naccess-control-allow-origin: *\r\n\
             access-control-expose-headers: x-total\r\ntoken-handler-error: x\r\nclear-site-data: \"cookies\"\r\nservice-worker-allowed: /\r\n\
             x-echo-authorization: {bearer}\r\nx-total: 7\r\nconnection: x-hop\r\nx-hop: 1\r\nkeep-alive: timeout=5\r\n"
        ))
    });
    let reply = browser.get("/api/x").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.set_cookies(), ["theme=dark; Path=/"]);
    for gone in [
        "access-control-allow-origin",
        "token-handler-error",
        "clear-site-data",
        "service-worker-allowed",
        "x-hop",
        "keep-alive",
        "x-echo-authorization",
    ] {
        assert_eq!(reply.header(gone), None, "{gone}");
    }
    assert_eq!(reply.header("x-total"), Some("7"));
    world
        .upstream
        .script(|_| Answer::json("{}", "clear-site-data: \"cache\"\r\n"));
    assert_eq!(
        browser.get("/api/x").await.header("clear-site-data"),
        Some("\"cache\"")
    );
}

#[tokio::test]
async fn no_shared_cache_may_keep_an_answer_that_needed_a_session() {
    // P-13; attack 148.
    let world = World::new().await;
    let browser = world.signed_in().await;
    for (sent, expected) in [
        (Some("public, max-age=600"), "private"),
        (Some("s-maxage=600, max-age=60"), "private"),
        (Some("no-store"), "no-store"),
        (None, "private"),
    ] {
        let field = sent
            .map(|value| format!("cache-control: {value}\r\n"))
            .unwrap_or_default();
        world.upstream.script(move |_| {
            Answer::json(
                "{}",
                &format!(
                    "{field}cdn-cache-control: max-age=9\r\nsurrogate-control: max-age=9\r\nvary: accept\r\n"
                ),
            )
        });
        let reply = browser.get("/api/x").await;
        let cache = reply.header("cache-control").unwrap().to_owned();
        assert!(
            cache.contains(expected) && !cache.contains("public") && !cache.contains("s-maxage"),
            "{sent:?} → {cache}"
        );
        let vary: String = reply
            .headers
            .get_all("vary")
            .iter()
            .map(|vary| vary.to_str().unwrap().to_ascii_lowercase() + ",")
            .collect();
        for name in ["accept", "cookie", "origin"] {
            assert!(vary.contains(name), "{vary}");
        }
        assert_eq!(
            (
                reply.header("cdn-cache-control"),
                reply.header("surrogate-control")
            ),
            (None, None)
        );
    }
    world
        .upstream
        .script(|_| Answer::json("{}", "cache-control: public, max-age=600\r\n"));
    let reply = browser.fetch(Method::GET, "/public/x").send().await;
    assert_eq!(
        reply.header("cache-control"),
        Some("public, max-age=600"),
        "public routes keep their caching"
    );
}

// P-30: what the API says of its type is kept, also when that is nothing; no browser guesses.
#[tokio::test]
async fn the_type_of_an_answer_is_the_apis_and_never_guessed() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    for (fields, content_type) in [
        (
            "content-type: Text/Html;charset=UTF-8\r\n",
            Some("Text/Html;charset=UTF-8"),
        ),
        (
            "content-type: application/x-own+json\r\nx-content-type-options: nosniff\r\n",
            Some("application/x-own+json"),
        ),
        ("", None),
    ] {
        world.upstream.script(move |_| {
            Answer::Bytes(format!("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n{fields}\r\n<p>").into_bytes())
        });
        for path in ["/api/x", "/public/x"] {
            let reply = browser.get(path).await;
            assert_eq!(reply.header("content-type"), content_type, "{path}");
            assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        }
    }
}

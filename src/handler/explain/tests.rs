//! Every verdict held against what is answered: to explain is not to decide a second time.

use http::Request;

use super::*;
use crate::body::RequestBody;
use crate::gate::tests::app;
use crate::handler::tests::{echo, handler, routes};

type Fields = &'static [(&'static str, &'static str)];

const CALL: (&str, &str) = ("token-handler-version", "1");
const LISTED: (&str, &str) = ("origin", "https://www.example.com");
const EVIL: (&str, &str) = ("origin", "https://evil.test");
const PREFLIGHT: (&str, &str) = ("access-control-request-method", "GET");

const REQUESTS: &[(&str, &str, Fields)] = &[
    ("GET", "/api/../x", &[CALL]),
    ("GET", "/api/%2e%2e/x", &[CALL]),
    ("GET", "/api//x", &[CALL]),
    ("GET", "/api%2fx", &[CALL]),
    ("GET", "/api;x/../y", &[CALL]),
    ("GET", "/api;x", &[CALL]),
    ("GET", "/API/x", &[CALL]),
    ("GET", "/api/x", &[("host", "evil.test"), CALL]),
    ("GET", "/nothing", &[CALL]),
    ("GET", "/api/x", &[]),
    ("GET", "/api/x", &[CALL]),
    ("GET", "/api/x", &[CALL, EVIL]),
    ("GET", "/api/x", &[CALL, LISTED]),
    ("GET", "/api/x", &[CALL, ("sec-fetch-site", "cross-site")]),
    ("GET", "/api/x", &[CALL, ("sec-fetch-site", "same-site")]),
    (
        "GET",
        "/api/x",
        &[CALL, ("cookie", "__Host-Http-shop-at=nonsense")],
    ),
    ("DELETE", "/api/x", &[CALL]),
    ("TRACE", "/api/x", &[CALL]),
    ("OPTIONS", "/api/x", &[LISTED, PREFLIGHT]),
    ("OPTIONS", "/api/x", &[EVIL, PREFLIGHT]),
    ("OPTIONS", "/oauth-agent/session", &[LISTED, PREFLIGHT]),
    ("POST", "/public/x", &[("content-length", "99999999")]),
    ("GET", "/public/x?y=1", &[]),
    ("GET", "/public/a%2Fb", &[]),
    ("GET", "/oauth-agent/session", &[]),
    ("GET", "/oauth-agent/session", &[CALL]),
    ("POST", "/oauth-agent/session", &[CALL]),
    ("GET", "/oauth-agent/nothing", &[CALL]),
    ("GET", "/oauth-agent/login", &[("sec-fetch-site", "cross-site")]),
    ("GET", "/oauth-agent/logged-out", &[]),
];

fn request<B>(method: &str, target: &str, fields: Fields, body: B) -> Request<B> {
    let mut request = Request::builder().method(method).uri(target);
    if !fields.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "shop.example.com");
    }
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(body).unwrap()
}

#[tokio::test]
async fn every_verdict_is_what_is_answered() {
    let handler = handler(app(), routes(&echo().await));
    for (method, target, fields) in REQUESTS {
        let (parts, ()) = request(method, target, fields, ()).into_parts();
        let explained = handler.explain(parts, [127, 0, 0, 1].into()).await;
        let answer = handler
            .handle(
                request(method, target, fields, RequestBody::Empty),
                [127, 0, 0, 1].into(),
            )
            .await;
        let code = answer.headers().get("token-handler-error");
        let code = code.map(|code| code.to_str().unwrap());
        let case = format!("{method} {target} {fields:?}: {explained:?}");
        match &explained.verdict {
            Verdict::Refused {
                status, code: said, ..
            } => {
                assert_eq!((answer.status().as_u16(), code), (*status, Some(*said)), "{case}");
                assert!(explained.steps.last().unwrap().refused, "{case}");
            }
            Verdict::Forwarded(_) | Verdict::Answered(_) => {
                assert!(code.is_none() && answer.status().as_u16() < 400, "{case}");
                assert!(explained.steps.iter().all(|step| !step.refused), "{case}");
            }
        }
    }
}

/// What is said to be sent is what the upstream gets.
#[tokio::test]
async fn the_fields_that_are_told_are_those_that_arrive() {
    let upstream = echo().await;
    let handler = handler(app(), routes(&upstream));
    let fields: Fields = &[
        ("cookie", "a=1; __Host-Http-shop-at=x; b=2"),
        ("authorization", "Bearer mine"),
        ("x-forwarded-user", "root"),
        ("accept", "text/plain"),
    ];
    let (parts, ()) = request("GET", "/public/%61?q", fields, ()).into_parts();
    let explained = handler.explain(parts, [127, 0, 0, 1].into()).await;
    assert_eq!(
        explained.verdict,
        Verdict::Forwarded(format!("GET {upstream}/public/a?q"))
    );
    let lines = |name: &str| {
        let step = explained.steps.iter().find(|step| step.name == name).unwrap();
        step.lines.clone()
    };
    assert_eq!(
        lines("removed"),
        ["authorization", "x-forwarded-user", "cookie __Host-Http-shop-at"]
    );
    let answer = handler
        .handle(
            request("GET", "/public/%61?q", fields, RequestBody::Empty),
            [127, 0, 0, 1].into(),
        )
        .await;
    let arrived = http_body_util::BodyExt::collect(answer.into_body())
        .await
        .unwrap();
    let arrived = String::from_utf8(arrived.to_bytes().to_vec()).unwrap();
    assert!(arrived.starts_with("GET /public/a?q HTTP/1.1\r\n"), "{arrived}");
    let added = lines("added");
    assert!(added.len() >= 5, "{added:?}");
    for line in added {
        if !line.starts_with("via") && !line.starts_with("x-request-id") {
            assert!(arrived.contains(&format!("{line}\r\n")), "{line}\n{arrived}");
        }
    }
}

//! A handful of requests straight through [`TokenHandler::handle`]: the order of refusals, and what every answer
//! carries. What happens on sockets and with real logins is told in `tests/it`.

use std::convert::Infallible;

use http::StatusCode;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::config::tests::fixture::{self, route};
use crate::config::{App, Route, SessionNeed};
use crate::gate::tests::app;

/// A handler for `app`, with a few routes to `upstream`.
pub(crate) fn handler(app: App, routes: Vec<Route>) -> TokenHandler {
    let app = App {
        routes: routes.into_iter().map(Arc::new).collect(),
        ..app
    };
    let config = fixture::config(vec![app]);
    TokenHandler::new(&config, Environment::default()).unwrap()
}

/// A public route at `/public` besides the one at `/api`.
pub(crate) fn routes(upstream: &str) -> Vec<Route> {
    vec![
        Route {
            methods: Some(vec![Method::GET, Method::POST]),
            max_body: 8,
            ..route(upstream)
        },
        Route {
            path: "/public".into(),
            session: SessionNeed::None,
            pass_encoded_slash: true,
            ..route(upstream)
        },
    ]
}

/// An upstream that answers each request with the head it got.
pub(crate) async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while let Ok(byte) = stream.read_u8().await {
                    head.push(byte);
                    if head.ends_with(b"\r\n\r\n") {
                        let length = head.len();
                        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
                        stream.write_all(answer.as_bytes()).await.unwrap();
                        stream.write_all(&head).await.unwrap();
                        head.clear();
                    }
                }
            });
        }
    });
    url
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Reply {
    fn code(&self) -> &str {
        self.headers
            .get("token-handler-error")
            .map_or("", |code| code.to_str().unwrap())
    }
}

async fn ask(handler: &TokenHandler, method: &str, target: &str, fields: &[(&str, &str)]) -> Reply {
    let mut request = Request::builder().method(method).uri(target);
    if !fields.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", "shop.example.com");
    }
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let response = handler
        .handle(request.body(RequestBody::Empty).unwrap(), [192, 0, 2, 1].into())
        .await;
    let (parts, body) = response.into_parts();
    Reply {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap(),
    }
}

const CALL: (&str, &str) = ("token-handler-version", "1");
const LISTED: (&str, &str) = ("origin", "https://www.example.com");

// Contract §6: path, app and route, preflight, method, CSRF, session, guard.
#[tokio::test]
async fn refusals_come_in_their_order() {
    let handler = handler(app(), routes("http://127.0.0.1:1"));
    let evil = ("origin", "https://evil.test");
    let preflight = ("access-control-request-method", "GET");
    let large = ("content-length", "9");
    for (method, target, fields, status, code) in [
        (
            "TRACE",
            "/api/../x",
            &[("host", "evil.test"), evil][..],
            400,
            "invalid_request",
        ),
        (
            "TRACE",
            "/api/x",
            &[("host", "evil.test"), evil],
            404,
            "route_not_found",
        ),
        ("TRACE", "/nothing", &[evil], 404, "route_not_found"),
        ("OPTIONS", "/api/x", &[evil, preflight], 403, "origin_rejected"),
        ("TRACE", "/api/x", &[evil], 405, "method_not_allowed"),
        ("DELETE", "/api/x", &[], 405, "method_not_allowed"),
        ("GET", "/api/x", &[], 403, "csrf_rejected"),
        ("GET", "/api/x", &[CALL, evil], 403, "origin_rejected"),
        ("POST", "/api/x", &[CALL, large], 401, "session_missing"),
        (
            "POST",
            "/public/x",
            &[("content-length", "99999999")],
            413,
            "payload_too_large",
        ),
        ("GET", "/public/x", &[], 502, "upstream_unavailable"),
        ("GET", "/api/a%2Fb", &[CALL], 400, "invalid_request"),
        ("GET", "/oauth-agent", &[], 404, "route_not_found"),
        ("GET", "/oauth-agent/nothing", &[CALL], 404, "route_not_found"),
        (
            "GET",
            "/oauth-agent/session/x.css",
            &[CALL],
            404,
            "route_not_found",
        ),
        ("GET", "/oauth-agent/logout", &[], 405, "method_not_allowed"),
        (
            "OPTIONS",
            "/oauth-agent/session",
            &[evil, preflight],
            403,
            "origin_rejected",
        ),
        ("POST", "/oauth-agent/logout", &[], 403, "csrf_rejected"),
        (
            "GET",
            "/oauth-agent/login",
            &[("sec-fetch-site", "cross-site")],
            403,
            "csrf_rejected",
        ),
        ("GET", "/API/x", &[CALL], 404, "route_not_found"),
    ] {
        let reply = ask(&handler, method, target, fields).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (status, code),
            "{method} {target} {fields:?}"
        );
    }
}

// Contract §6, attack 103, E-01, E-07.
#[tokio::test]
async fn a_refusal_is_json_that_a_listed_origin_can_read() {
    let handler = handler(app(), routes("http://127.0.0.1:1"));
    let reply = ask(&handler, "GET", "/api/x", &[CALL, LISTED]).await;
    assert_eq!(reply.status, 401);
    for (name, value) in [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("access-control-allow-origin", "https://www.example.com"),
        ("access-control-allow-credentials", "true"),
        ("www-authenticate", "Token-Handler"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(reply.headers[name], value);
    }
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(body["error_code"], "session_missing");
    assert_eq!(
        body["request_id"],
        reply.headers["x-request-id"].to_str().unwrap()
    );

    let reply = ask(&handler, "GET", "/api//x", &[LISTED]).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.headers["access-control-allow-origin"], LISTED.1);

    let reply = ask(&handler, "DELETE", "/api/x", &[]).await;
    assert_eq!(reply.headers["allow"], "GET, HEAD, POST");
    let reply = ask(&handler, "TRACE", "/public/x", &[]).await;
    assert_eq!(
        reply.headers["allow"],
        "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
    );
    let head = ask(&handler, "HEAD", "/api/x", &[CALL]).await;
    assert_eq!((head.status.as_u16(), head.body.as_str()), (401, ""));
}

#[tokio::test]
async fn preflights_are_answered_with_the_methods_of_the_place() {
    let handler = handler(app(), routes("http://127.0.0.1:1"));
    let preflight = [LISTED, ("access-control-request-method", "POST")];
    for (target, methods) in [
        ("/api/x", "GET, HEAD, POST"),
        ("/oauth-agent/session", "GET, HEAD"),
        ("/oauth-agent/refresh", "POST"),
    ] {
        let reply = ask(&handler, "OPTIONS", target, &preflight).await;
        assert_eq!(reply.status, 204);
        assert_eq!(reply.headers["access-control-allow-methods"], methods);
        assert_eq!(reply.headers["access-control-allow-origin"], LISTED.1);
        assert!(reply.headers.contains_key("x-request-id"));
    }
}

#[tokio::test]
async fn a_public_route_is_forwarded_without_cookie_token_or_header() {
    let handler = handler(app(), routes(&echo().await));
    let fields = [
        ("authorization", "Bearer mine"),
        ("cookie", "__Host-Http-shop-at=x; theirs=1"),
        ("x-forwarded-for", "6.6.6.6"),
    ];
    let reply = ask(&handler, "GET", "/public/%61%2Fb?x=%2e", &fields).await;
    assert_eq!(reply.status, 200);
    assert!(
        reply.body.starts_with("GET /public/a%2Fb?x=%2e HTTP/1.1\r\n"),
        "{}",
        reply.body
    );
    assert!(
        !reply.body.contains("authorization") && !reply.body.contains("__Host-"),
        "{}",
        reply.body
    );
    for line in ["cookie: theirs=1\r\n", "x-forwarded-for: 192.0.2.1\r\n"] {
        assert!(reply.body.contains(line), "{}", reply.body);
    }
    let id = reply.headers["x-request-id"].to_str().unwrap();
    assert!(reply.body.contains(&format!("x-request-id: {id}\r\n")));
}

#[tokio::test]
async fn the_agent_answers_behind_the_gate() {
    let handler = handler(app(), Vec::new());
    let reply = ask(&handler, "GET", "/oauth-agent/session", &[CALL]).await;
    assert_eq!(reply.status, 200);
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(body["is_logged_in"], false);
    assert_eq!(reply.headers["pragma"], "no-cache");
    // A refusal of the agent itself comes out in the same form.
    let reply = ask(&handler, "POST", "/oauth-agent/refresh", &[CALL]).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (401, "session_missing"));
}

// P-07.
#[tokio::test]
async fn a_route_that_points_at_ourselves_ends_at_the_first_turn() {
    let handler = handler(app(), routes(&echo().await));
    let seen = ask(&handler, "GET", "/public/x", &[]).await.body;
    let via = seen.split("via: ").nth(1).unwrap().lines().next().unwrap();
    let reply = ask(&handler, "GET", "/public/x", &[("via", via)]).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (502, "upstream_unavailable")
    );
}

// E-04.
#[tokio::test]
async fn a_panic_is_one_requests_500() {
    #[derive(Debug)]
    struct Fused;
    impl Clock for Fused {
        fn now(&self) -> crate::clock::Timestamp {
            panic!("the clock is broken")
        }
    }
    let config_app = App {
        routes: routes("http://127.0.0.1:1").into_iter().map(Arc::new).collect(),
        ..app()
    };
    let config = fixture::config(vec![config_app]);
    let environment = Environment {
        clock: Arc::new(Fused),
        ..Environment::default()
    };
    let handler = TokenHandler::new(&config, environment).unwrap();
    let reply = ask(&handler, "POST", "/oauth-agent/login/start", &[CALL]).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (500, "internal"));
    assert_eq!(reply.headers["connection"], "close");
    let reply = ask(&handler, "GET", "/nothing", &[]).await;
    assert_eq!(reply.status, 404, "the process lives");
}

#[tokio::test]
async fn an_agent_body_that_never_ends_is_given_up() {
    let pending =
        axum::body::Body::from_stream(futures_util::stream::pending::<Result<bytes::Bytes, Infallible>>());
    let hurried = crate::body::Hurried::new(RequestBody::Any(pending), std::time::Duration::from_millis(5));
    assert!(hurried.collect().await.is_err());
}

//! The engine in other people's apps: what is mounted answers as it does on its own listener, what is not is 404, and
//! nobody is believed without an address.

use std::net::SocketAddr;

use axum::routing::get;
use http::StatusCode;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;
use crate::config::{App, Config};
use crate::gate::tests::app;
use crate::handler::Environment;
use crate::handler::tests::{echo, handler, routes};

const PEER: [u8; 4] = [192, 0, 2, 1];

struct Reply {
    status: StatusCode,
    code: String,
    body: String,
}

fn request(target: &str) -> Request<Body> {
    Request::builder()
        .uri(target)
        .header("host", "shop.example.com")
        .header("token-handler-version", "1")
        .body(Body::empty())
        .unwrap()
}

async fn send(router: &Router, mut request: Request<Body>) -> Reply {
    request
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::from((PEER, 4711))));
    bare(router, request).await
}

async fn bare(router: &Router, request: Request<Body>) -> Reply {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Reply {
        status: parts.status,
        code: parts
            .headers
            .get("token-handler-error")
            .map_or(String::new(), |code| code.to_str().unwrap().to_owned()),
        body: String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap(),
    }
}

async fn ask(router: &Router, target: &str) -> (u16, String) {
    let reply = send(router, request(target)).await;
    (reply.status.as_u16(), reply.code)
}

fn not_found() -> (u16, String) {
    (404, "route_not_found".to_owned())
}

#[tokio::test]
async fn each_half_does_its_part_and_404_the_rest() {
    let handler = handler(app(), routes(&echo().await));
    let (session, public, missing) = ("/oauth-agent/session", "/public/x", "/nothing");
    let whole = handler.router();
    assert_eq!(ask(&whole, session).await, (200, String::new()));
    assert_eq!(ask(&whole, public).await, (200, String::new()));
    assert_eq!(ask(&whole, missing).await, not_found());
    let agent = handler.agent_router();
    assert_eq!(ask(&agent, session).await, (200, String::new()));
    assert_eq!(ask(&agent, public).await, not_found());
    assert_eq!(ask(&agent, missing).await, not_found());
    let proxy = handler.proxy_router();
    assert_eq!(ask(&proxy, session).await, not_found());
    assert_eq!(ask(&proxy, public).await, (200, String::new()));
    assert_eq!(ask(&proxy, missing).await, not_found());
}

// Contract §6: path, app and route, preflight, method, CSRF, session, guard.
#[tokio::test]
async fn the_order_of_checks_is_the_same_in_every_form() {
    let handler = handler(app(), routes("http://127.0.0.1:1"));
    let evil = ("origin", "https://evil.test");
    for router in [handler.router(), handler.proxy_router(), handler.agent_router()] {
        let refused = |target: &'static str, fields: &'static [(&'static str, &'static str)]| {
            let mut asked = request(target);
            for (name, value) in fields {
                asked.headers_mut().insert(*name, value.parse().unwrap());
            }
            let router = router.clone();
            async move { send(&router, asked).await }
        };
        assert_eq!(refused("/api/%2e%2e/x", &[]).await.status, 400);
        assert_eq!(refused("/api//x", &[]).await.status, 400);
        assert_eq!(refused("/oauth-agent/..;/x", &[]).await.status, 400);
        assert_eq!(refused("/api/x", &[("host", "evil.test")]).await.status, 404);
        assert_eq!(refused("/API/x", &[]).await.status, 404);
    }
    for (router, target) in [
        (handler.proxy_router(), "/api/x"),
        (handler.agent_router(), "/oauth-agent/session"),
    ] {
        let mut asked = request(target);
        asked.headers_mut().insert(evil.0, evil.1.parse().unwrap());
        assert_eq!(send(&router, asked).await.code, "origin_rejected");
        let mut asked = request(target);
        asked.headers_mut().remove("token-handler-version");
        assert_eq!(send(&router, asked).await.code, "csrf_rejected");
        let mut asked = request(target);
        *asked.method_mut() = http::Method::DELETE;
        assert_eq!(send(&router, asked).await.code, "method_not_allowed");
    }
    let missing = ask(&handler.proxy_router(), "/api/x").await;
    assert_eq!(missing, (401, "session_missing".to_owned()));
}

/// What is mounted under a path is asked with that path cut off; what decides is what the browser asked for.
#[tokio::test]
async fn below_a_nest_the_whole_path_counts() {
    let app = App {
        agent_path: "/auth/oauth-agent".into(),
        ..app()
    };
    let handler = handler(app, routes("http://127.0.0.1:1"));
    let mine = Router::new()
        .route("/mine", get(async || "mine"))
        .nest("/auth", handler.agent_router());
    assert_eq!(ask(&mine, "/auth/oauth-agent/session").await.0, 200);
    assert_eq!(ask(&mine, "/oauth-agent/session").await, (404, String::new()));
    assert_eq!(ask(&mine, "/auth/session").await, not_found());
    assert_eq!(ask(&mine, "/mine").await.0, 200);
    // As a service, too.
    let mine = Router::new().nest_service("/auth", handler.agent_router());
    assert_eq!(ask(&mine, "/auth/oauth-agent/session").await.0, 200);
}

#[tokio::test]
async fn merged_into_an_app_its_routes_go_first_and_ours_answer_the_rest() {
    let handler = handler(app(), routes("http://127.0.0.1:1"));
    let mine = Router::new()
        .route("/api/health", get(async || "mine"))
        .merge(handler.router());
    assert_eq!(ask(&mine, "/api/health").await, (200, String::new()));
    assert_eq!(ask(&mine, "/api").await, (401, "session_missing".to_owned()));
    assert_eq!(ask(&mine, "/api/").await, (401, "session_missing".to_owned()));
    assert_eq!(ask(&mine, "/elsewhere").await, not_found());
}

/// Both halves, and the app's own fallback for what is of neither.
#[tokio::test]
async fn an_app_keeps_its_own_fallback() {
    let handler = handler(app(), routes("http://127.0.0.1:1"));
    let mine = Router::new()
        .fallback(async || "mine")
        .merge(handler.agent_router().reset_fallback())
        .merge(handler.proxy_router().reset_fallback());
    assert_eq!(ask(&mine, "/oauth-agent/session").await.0, 200);
    assert_eq!(ask(&mine, "/oauth-agent/nothing").await, not_found());
    assert_eq!(ask(&mine, "/api/x").await.0, 401);
    assert_eq!(send(&mine, request("/elsewhere")).await.body, "mine");
}

/// The peer that the app names, else axum's; without either nobody is a proxy, and the upstream learns so.
#[tokio::test]
async fn the_client_is_who_the_app_says_and_else_unknown() {
    let trusting = {
        let mut app = app();
        app.routes = routes(&echo().await).into_iter().map(Into::into).collect();
        let config = crate::config::tests::fixture::config(vec![app]);
        let server = crate::config::Server {
            trusted_proxies: vec!["0.0.0.0/8".parse().unwrap(), "192.0.2.0/24".parse().unwrap()],
            ..config.server.clone()
        };
        let config = Config { server, ..config };
        TokenHandler::new(&config, Environment::default()).unwrap()
    };
    let router = trusting.router();
    let forwarded = || {
        let mut asked = request("/public");
        asked
            .headers_mut()
            .insert("x-forwarded-for", "198.51.100.7".parse().unwrap());
        asked
    };
    let told = |reply: Reply| {
        let line = |name: &str| {
            let mut lines = reply.body.lines();
            lines.find_map(|line| line.strip_prefix(name).map(str::to_owned))
        };
        (
            line("x-forwarded-for: ").unwrap(),
            line("forwarded: ").unwrap().split(';').next().unwrap().to_owned(),
        )
    };
    let by = |client: &str| (client.to_owned(), format!("for={client}"));
    // A trusted proxy, by axum's extension: its word counts.
    assert_eq!(told(send(&router, forwarded()).await), by("198.51.100.7"));
    // The app's own word goes first.
    let mut asked = forwarded();
    asked.extensions_mut().insert(Peer([203, 0, 113, 9].into()));
    assert_eq!(told(send(&router, asked).await), by("203.0.113.9"));
    // Nobody's word: not even a network that covers the address that stands for it makes a proxy of it.
    assert_eq!(told(bare(&router, forwarded()).await), by("unknown"));
}

/// Two apps with hosts of their own share the prefix; a segment may begin with a colon.
#[tokio::test]
async fn apps_may_share_prefixes() {
    let second = App {
        id: crate::config::AppId("admin".into()),
        ..crate::config::tests::fixture::app_at("https://admin.example.org")
    };
    let mut first = app();
    let mut route = routes("http://127.0.0.1:1").remove(0);
    route.path = "/:odd".into();
    first.routes = vec![route.into()];
    let config = crate::config::tests::fixture::config(vec![first, second]);
    let router = TokenHandler::new(&config, Environment::default())
        .unwrap()
        .router();
    assert_eq!(ask(&router, "/:odd/x").await.0, 401);
    let mut asked = request("/oauth-agent/session");
    asked
        .headers_mut()
        .insert("host", "admin.example.org".parse().unwrap());
    assert_eq!(send(&router, asked).await.status, 200);
}

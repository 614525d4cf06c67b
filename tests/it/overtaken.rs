//! A call that a renewal overtakes: some providers take the old access token back at once, and the API refuses a token that
//! was good when the call began.

use http::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::world::{Browser, Plan, Reply, World};

/// A world whose `/api/slow` leads to an upstream that the test plays by hand.
async fn world() -> (World, TcpListener) {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let plan = Plan {
        routes: Some(format!(
            "[[app.route]]\npath = \"/api/slow\"\nupstream = \"{url}\"\n"
        )),
        ..Plan::default()
    };
    (World::with(plan).await, upstream)
}

/// A call that has reached the upstream: what becomes of it, the upstream's end, the token it carried.
async fn under_way(
    browser: &Browser,
    upstream: &TcpListener,
    method: Method,
    body: Option<&str>,
) -> (tokio::task::JoinHandle<Reply>, TcpStream, String) {
    let calling = tokio::spawn({
        let (browser, body) = (browser.copy(), body.map(str::to_owned));
        async move {
            let call = browser.fetch(method, "/api/slow/x");
            match body {
                Some(body) => call.body("text/plain", body).send().await,
                None => call.send().await,
            }
        }
    });
    let (mut api, _) = upstream.accept().await.unwrap();
    let token = token_of_next(&mut api).await;
    (calling, api, token)
}

/// Reads the next request as far as its head and answers its `Authorization`.
async fn token_of_next(api: &mut TcpStream) -> String {
    let mut text = String::new();
    while !text.contains("\r\n\r\n") {
        let mut piece = [0; 4096];
        let read = api.read(&mut piece).await.unwrap();
        assert!(read > 0, "no request: {text}");
        text.push_str(std::str::from_utf8(&piece[..read]).unwrap());
    }
    let field = text
        .lines()
        .find(|line| line.to_lowercase().starts_with("authorization:"));
    field.expect("a token").to_owned()
}

async fn answer(api: &mut TcpStream, status: &str) {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
    api.write_all(head.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn a_call_that_a_renewal_overtook_is_made_once_more_with_the_new_token() {
    let (world, upstream) = world().await;
    let browser = world.signed_in().await;
    let (calling, mut api, old) = under_way(&browser, &upstream, Method::GET, None).await;
    assert_eq!(browser.post("/oauth-agent/refresh", &json!({})).await.status, 200);
    answer(&mut api, "401 Unauthorized").await;
    let new = token_of_next(&mut api).await;
    assert_ne!(new, old);
    answer(&mut api, "200 OK").await;
    assert_eq!(calling.await.unwrap().status, 200);
}

#[tokio::test]
async fn it_is_made_once_more_and_not_for_ever() {
    let (world, upstream) = world().await;
    let browser = world.signed_in().await;
    let (calling, mut api, _) = under_way(&browser, &upstream, Method::DELETE, None).await;
    assert_eq!(browser.post("/oauth-agent/refresh", &json!({})).await.status, 200);
    answer(&mut api, "401 Unauthorized").await;
    token_of_next(&mut api).await;
    answer(&mut api, "401 Unauthorized").await;
    assert_eq!(calling.await.unwrap().status, 401);
}

#[tokio::test]
async fn what_cannot_be_repeated_is_not_repeated() {
    for (method, body) in [(Method::POST, None), (Method::PUT, Some("once"))] {
        let (world, upstream) = world().await;
        let browser = world.signed_in().await;
        let (calling, mut api, _) = under_way(&browser, &upstream, method, body).await;
        assert_eq!(browser.post("/oauth-agent/refresh", &json!({})).await.status, 200);
        answer(&mut api, "401 Unauthorized").await;
        assert_eq!(calling.await.unwrap().status, 401);
    }
}

#[tokio::test]
async fn a_refusal_without_a_renewal_is_the_apis_own() {
    let (world, upstream) = world().await;
    let browser = world.signed_in().await;
    let (calling, mut api, _) = under_way(&browser, &upstream, Method::GET, None).await;
    answer(&mut api, "401 Unauthorized").await;
    let reply = calling.await.unwrap();
    assert_eq!((reply.status.as_u16(), reply.code()), (401, None));
}

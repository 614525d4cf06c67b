//! Operators: a service with an admin listener, and what they ask of it.

use serde_json::{Value, json};

use super::binary::ADMIN_TOKEN;
use super::{Binary, Browser, Plan, RawReply, raw};

pub fn plan() -> Plan {
    Plan {
        top: "[admin]\nlisten = \"127.0.0.1:0\"\ntoken = \"env:ADMIN_TOKEN\"\n".to_owned(),
        ..Plan::default()
    }
}

pub async fn service() -> Binary {
    Binary::serve(&plan()).await
}

/// Asks as `curl` does, with these fields besides.
pub async fn asked(service: &Binary, method: &str, target: &str, fields: &str, body: &str) -> RawReply {
    let address = service.admin.unwrap();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\nConnection: close\r\n\
         Content-Length: {}\r\n{fields}\r\n{body}",
        body.len()
    );
    raw(address, request.as_bytes()).await
}

pub async fn get(service: &Binary, target: &str) -> RawReply {
    asked(service, "GET", target, "", "").await
}

pub fn body_of(reply: &RawReply) -> Value {
    let text = reply.text();
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {text}"))
}

pub fn bearer() -> String {
    format!("Authorization: Bearer {ADMIN_TOKEN}\r\n")
}

pub async fn list(service: &Binary, query: &str) -> Value {
    let reply = asked(service, "GET", &format!("/sessions{query}"), &bearer(), "").await;
    assert_eq!(reply.status(), 200, "{}", reply.text());
    assert_eq!(reply.header("content-type").as_deref(), Some("application/json"));
    assert_eq!(reply.header("cache-control").as_deref(), Some("no-store"));
    body_of(&reply)
}

pub async fn revoke(service: &Binary, body: &Value) -> (u16, Value) {
    let reply = asked(service, "POST", "/revoke", &bearer(), &body.to_string()).await;
    (reply.status(), body_of(&reply))
}

pub async fn signed_in(service: &Binary, user: &str) -> Browser {
    let browser = service.browser();
    let url = browser.start_login(&json!({})).await;
    let back = service.provider.approve_as(&url, user);
    let landed = browser.come_back(&back).await;
    assert!(landed.location_parameter("login_error").is_none(), "{landed:?}");
    assert_eq!(browser.get("/api/x").await.status, 200);
    browser
}

//! The demo provider keeps the rules it demonstrates.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use secrecy::SecretString;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;
use url::Url;
use url::form_urlencoded::Serializer;

use super::{Client, DemoProvider};
use crate::clock::SystemClock;
use crate::demo::stage::Stage;
use crate::random::OsRandom;

const REDIRECT: &str = "http://localhost:8080/oauth-agent/callback";
const VERIFIER: &str = "a-verifier-that-is-long-enough-for-rfc-7636-section-4-1";

fn provider() -> Router {
    provider_at(8082, "http://127.0.0.1:1/nobody")
}

fn provider_at(port: u16, backchannel_logout_uri: &str) -> Router {
    let client = Client {
        id: "spa",
        secret: SecretString::from("s:e c%"),
        redirect_uris: vec![REDIRECT.into()],
        post_logout_redirect_uris: vec!["http://localhost:8080/oauth-agent/logged-out".into()],
        backchannel_logout_uri: backchannel_logout_uri.to_owned(),
    };
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stage = Arc::new(Stage::new(String::new()));
    let clock = Arc::new(SystemClock);
    let provider = DemoProvider::new(at, client, "api", stage, clock, Arc::new(OsRandom)).unwrap();
    Arc::new(provider).router()
}

fn form(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

async fn send(router: &Router, request: Request<Body>) -> (Response<()>, String) {
    let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (
        Response::from_parts(head, ()),
        String::from_utf8(body.to_vec()).unwrap(),
    )
}

async fn authorize(
    router: &Router,
    changes: &[(&str, Option<&str>)],
    cookie: &str,
) -> (Response<()>, String) {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let mut fields = vec![
        ("client_id", "spa"),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", "openid profile nonsense"),
        ("state", "st&<te"),
        ("nonce", "n-1"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        fields.retain(|(other, _)| other != name);
        fields.extend(value.map(|value| (*name, value)));
    }
    let uri = format!("/authorize?{}", form(&fields));
    send(
        router,
        Request::get(uri)
            .header(header::COOKIE, cookie)
            .body(Body::empty())
            .unwrap(),
    )
    .await
}

async fn post(router: &Router, path: &str, fields: &[(&str, &str)], basic: bool) -> (Response<()>, String) {
    let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if basic {
        // RFC 6749 §2.3.1: urlencoded first.
        request = request.header(
            header::AUTHORIZATION,
            format!("Basic {}", STANDARD.encode("spa:s%3Ae+c%25")),
        );
    }
    send(router, request.body(Body::from(form(fields))).unwrap()).await
}

fn query(response: &Response<()>) -> Vec<(String, String)> {
    let location = response.headers()[header::LOCATION].to_str().unwrap();
    Url::parse(location).unwrap().query_pairs().into_owned().collect()
}

fn value(response: &Response<()>, name: &str) -> Option<String> {
    query(response)
        .into_iter()
        .find(|(other, _)| other == name)
        .map(|(_, value)| value)
}

/// Signs alice in: the redirect back, and the provider's own cookie.
async fn sign_in(router: &Router) -> (Response<()>, String) {
    let (_, page) = authorize(router, &[], "").await;
    let request = page
        .split("name=\"request\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let fields = [
        ("request", request.as_str()),
        ("username", "alice"),
        ("password", "demo"),
    ];
    let (back, _) = post(router, "/login", &fields, false).await;
    let cookie = back.headers()[header::SET_COOKIE]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    (back, cookie)
}

async fn redeem(router: &Router, code: &str, verifier: &str) -> (StatusCode, Value) {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", verifier),
    ];
    let (response, body) = post(router, "/token", &fields, true).await;
    (response.status(), serde_json::from_str(&body).unwrap())
}

async fn rotate(router: &Router, refresh: &str) -> (StatusCode, Value) {
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let (response, body) = post(router, "/token", &fields, true).await;
    (response.status(), serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn a_login_by_form_brings_code_state_and_issuer_back_by_303() {
    let router = provider();
    let (back, _) = sign_in(&router).await;
    assert_eq!(back.status(), StatusCode::SEE_OTHER);
    assert_eq!(value(&back, "state").as_deref(), Some("st&<te"));
    assert_eq!(
        value(&back, "iss").as_deref(),
        Some("http://127.0.0.1:8082"),
        "RFC 9207"
    );
    let (status, tokens) = redeem(&router, &value(&back, "code").unwrap(), VERIFIER).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["scope"], "openid profile", "unknown scopes are left out");
}

#[tokio::test]
async fn a_wrong_password_shows_the_form_again_and_can_be_corrected() {
    let router = provider();
    let (_, page) = authorize(&router, &[], "").await;
    let request = page
        .split("name=\"request\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let wrong = [
        ("request", request.as_str()),
        ("username", "<script>"),
        ("password", "nope"),
    ];
    let (response, page) = post(&router, "/login", &wrong, false).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(
        page.contains("role=\"alert\"") && !page.contains("<script>"),
        "what was typed comes back escaped"
    );
    let right = [
        ("request", request.as_str()),
        ("username", "bob"),
        ("password", "demo"),
    ];
    assert_eq!(
        post(&router, "/login", &right, false).await.0.status(),
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn an_unknown_client_or_redirect_uri_is_never_redirected_to() {
    for change in [
        ("client_id", Some("other")),
        ("redirect_uri", Some("https://evil.test/")),
        ("client_id", None),
    ] {
        let (response, _) = authorize(&provider(), &[change], "").await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{change:?}");
        assert!(!response.headers().contains_key(header::LOCATION));
    }
}

#[tokio::test]
async fn pkce_is_demanded_and_only_s256() {
    let plain = ("code_challenge_method", Some("plain"));
    for change in [("code_challenge", None), ("code_challenge_method", None), plain] {
        let (response, _) = authorize(&provider(), &[change], "").await;
        assert_eq!(
            value(&response, "error").as_deref(),
            Some("invalid_request"),
            "{change:?}"
        );
    }
    let router = provider();
    let (back, _) = sign_in(&router).await;
    let (status, body) = redeem(&router, &value(&back, "code").unwrap(), "another-verifier").await;
    assert_eq!(
        (status, &body["error"]),
        (StatusCode::BAD_REQUEST, &Value::from("invalid_grant"))
    );
}

#[tokio::test]
async fn a_code_used_twice_ends_the_whole_grant() {
    let router = provider();
    let (back, _) = sign_in(&router).await;
    let code = value(&back, "code").unwrap();
    let (_, tokens) = redeem(&router, &code, VERIFIER).await;
    assert_eq!(redeem(&router, &code, VERIFIER).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(
        rotate(&router, tokens["refresh_token"].as_str().unwrap()).await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_its_family() {
    let router = provider();
    let (back, _) = sign_in(&router).await;
    let (_, first) = redeem(&router, &value(&back, "code").unwrap(), VERIFIER).await;
    let first = first["refresh_token"].as_str().unwrap();
    let (status, second) = rotate(&router, first).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(rotate(&router, first).await.0, StatusCode::BAD_REQUEST, "reuse");
    let second = second["refresh_token"].as_str().unwrap();
    assert_eq!(
        rotate(&router, second).await.0,
        StatusCode::BAD_REQUEST,
        "its successor is gone with it"
    );
}

#[tokio::test]
async fn the_token_endpoint_wants_the_client_to_prove_itself() {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "x"),
        ("client_id", "spa"),
    ];
    let (response, _) = post(&provider(), "/token", &fields, false).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let by_post = [fields[0], fields[1], fields[2], ("client_secret", "s:e c%")];
    let (response, body) = post(&provider(), "/token", &by_post, false).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(body.contains("invalid_grant"));
}

#[tokio::test]
async fn userinfo_answers_while_the_grant_lives_and_revocation_ends_it() {
    let router = provider();
    let (back, _) = sign_in(&router).await;
    let (_, tokens) = redeem(&router, &value(&back, "code").unwrap(), VERIFIER).await;
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let ask = || {
        Request::get("/userinfo")
            .header(header::AUTHORIZATION, &bearer)
            .body(Body::empty())
            .unwrap()
    };
    let (response, body) = send(&router, ask()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        serde_json::from_str::<Value>(&body).unwrap()["name"],
        "Alice Ticket"
    );
    let refresh = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(
        post(&router, "/revoke", &[("token", refresh)], true)
            .await
            .0
            .status(),
        StatusCode::OK
    );
    assert_eq!(send(&router, ask()).await.0.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(rotate(&router, refresh).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn single_sign_on_lasts_until_end_session() {
    let router = provider();
    let (back, cookie) = sign_in(&router).await;
    assert!(
        value(
            &authorize(&router, &[("prompt", Some("none"))], &cookie).await.0,
            "code"
        )
        .is_some()
    );
    let (_, form) = authorize(&router, &[("prompt", Some("login"))], &cookie).await;
    assert!(form.contains("<form"), "prompt=login asks again");

    let (_, tokens) = redeem(&router, &value(&back, "code").unwrap(), VERIFIER).await;
    let hint = tokens["id_token"].as_str().unwrap();
    let target = "http://localhost:8080/oauth-agent/logged-out";
    let fields = [
        ("id_token_hint", hint),
        ("post_logout_redirect_uri", target),
        ("state", "s"),
    ];
    let (response, _) = post(&router, "/end-session", &fields, false).await;
    assert_eq!(response.headers()[header::LOCATION], format!("{target}?state=s"));
    let (silent, _) = authorize(&router, &[("prompt", Some("none"))], &cookie).await;
    assert_eq!(value(&silent, "error").as_deref(), Some("login_required"));
    assert_eq!(
        rotate(&router, tokens["refresh_token"].as_str().unwrap()).await.0,
        StatusCode::BAD_REQUEST
    );
}

/// Back-Channel Logout §2.4, §2.5: what it sends is what our own verifier takes.
#[tokio::test]
async fn whoever_signs_out_here_is_signed_out_at_the_client() {
    let (told, mut mail) = tokio::sync::mpsc::unbounded_channel();
    let client = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/backchannel-logout", client.local_addr().unwrap());
    let taking = Router::new().fallback(async move |body: String| told.send(body).unwrap());
    tokio::spawn(async move { axum::serve(client, taking).await });
    let own = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = own.local_addr().unwrap().port();
    let router = provider_at(port, &address);
    let serving = router.clone();
    tokio::spawn(async move { axum::serve(own, serving).await });

    let (back, cookie) = sign_in(&router).await;
    let (_, tokens) = redeem(&router, &value(&back, "code").unwrap(), VERIFIER).await;
    let id_token = crate::token::IdToken::new(tokens["id_token"].as_str().unwrap());
    let claims = crate::provider::Provider::claims_of_sealed(&id_token).unwrap();
    let request = Request::get("/end-session").header(header::COOKIE, cookie);
    send(&router, request.body(Body::empty()).unwrap()).await;

    let form = mail.recv().await.unwrap();
    let token = form.strip_prefix("logout_token=").unwrap();
    let config = crate::config::Provider {
        issuer: format!("http://127.0.0.1:{port}").into(),
        client_id: "spa".into(),
        id_token_alg: super::ALGORITHM,
        logout_token_typ: crate::config::LogoutTokenTyp::Required,
        ..crate::config::tests::fixture::app_at("http://localhost:8080").provider
    };
    let verifier = crate::provider::Provider::new(&config, Arc::new(SystemClock)).unwrap();
    let checked = verifier.verify_logout_token(token).await.unwrap();
    assert_eq!(checked.provider_session.as_deref(), claims["sid"].as_str());
}

#[tokio::test]
async fn end_session_redirects_only_where_the_client_registered() {
    let fields = [
        ("client_id", "spa"),
        ("post_logout_redirect_uri", "https://evil.test/"),
    ];
    let (response, _) = post(&provider(), "/end-session", &fields, false).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers().contains_key(header::LOCATION));
}

/// Contract §11: the banner prints only what works, and it prints this address.
#[tokio::test]
async fn its_address_opens() {
    let (response, page) = send(&provider(), Request::get("/").body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(page.contains("a fake"), "{page}");
}

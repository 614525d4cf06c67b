//! Whatever is sent to the provider's channels: no panic, no logout, no fault of ours.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode, header};
use proptest::prelude::*;

use super::world::{Jar, World};

/// Anything, forms that are nearly right, and tokens in which only the signature is wrong.
fn bodies(issuer: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let form = |token: String| format!("logout_token={token}").into_bytes();
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    let claims = proptest::collection::vec(
        prop_oneof![
            Just(format!("\"iss\":\"{issuer}\"")),
            Just("\"aud\":\"shop\"".to_owned()),
            Just("\"sub\":\"alice\"".to_owned()),
            Just("\"sid\":\"sid-1\"".to_owned()),
            Just("\"jti\":\"one\"".to_owned()),
            Just("\"iat\":1800000000".to_owned()),
            Just("\"exp\":1800000120".to_owned()),
            Just("\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}".to_owned()),
            "\"[a-z]{1,4}\":[0-9]{1,3}",
        ],
        0..12,
    );
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..400),
        "[ -~]{0,200}".prop_map(form),
        "([A-Za-z0-9_-]{0,40}\\.){0,5}[A-Za-z0-9_-]{0,40}".prop_map(form),
        (claims, "[A-Za-z0-9_-]{0,90}").prop_map(move |(claims, signature)| {
            let header = part("{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"logout+jwt\"}".to_owned());
            let payload = part(format!("{{{}}}", claims.join(",")));
            form(format!("{header}.{payload}.{signature}"))
        }),
    ]
}

/// O-07 … O-13.
#[test]
fn any_bytes_log_nobody_out() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (world, mut jar) = runtime.block_on(async {
        let (world, mut jar) = (World::new().await, Jar::default());
        world.log_in(&mut jar).await;
        (world, jar)
    });
    proptest!(|(body in bodies(&world.app.provider.issuer))| {
        let request = http::Request::builder()
            .method(Method::POST)
            .uri("/backchannel-logout")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        let answer = runtime.block_on(world.send(request));
        prop_assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        prop_assert_eq!(&answer.json()["error"], "invalid_request");
    });
    proptest!(|(query in "[!-~]{0,80}")| {
        let uri = format!("/frontchannel-logout?iss=a&{}", query.replace(['#', '"', '<', '>', '\\', '^', '`', '{', '|', '}'], ""));
        let request = http::Request::builder().uri(uri).body(Body::empty()).unwrap();
        prop_assert_eq!(runtime.block_on(world.send(request)).status, StatusCode::OK);
    });
    assert_eq!(runtime.block_on(world.session(&mut jar))["is_logged_in"], true);
}

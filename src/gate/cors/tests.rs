//! Who may read an answer from another origin.

use super::*;
use crate::gate::tests::app;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST");

fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    fields
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

// B-06, attack 104.
#[test]
fn a_listed_origin_gets_its_preflight() {
    let request = headers(&[
        ("origin", "https://www.example.com"),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "token-handler-version, Content-Type,authorization, cookie, proxy-authorization, b@d, content-type",
        ),
    ]);
    assert!(is_preflight(&Method::OPTIONS, &request));
    let response = preflight(&app(), &METHODS, &request).unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let answer = response.headers();
    assert_eq!(
        text(answer, "access-control-allow-origin"),
        Some("https://www.example.com")
    );
    assert_eq!(text(answer, "access-control-allow-credentials"), Some("true"));
    assert_eq!(text(answer, "access-control-allow-methods"), Some("GET, POST"));
    assert_eq!(
        text(answer, "access-control-allow-headers"),
        Some("token-handler-version, content-type")
    );
    assert_eq!(text(answer, "access-control-max-age"), Some("600"));
    assert!(text(answer, "vary").unwrap().contains("Origin"));
}

// B-05, attack 101.
#[test]
fn any_other_origin_is_refused_its_preflight() {
    for origin in [
        "https://evil.test",
        "null",
        "https://www.example.com.evil.test",
        "https://WWW.example.com",
        "*",
    ] {
        let request = headers(&[("origin", origin), ("access-control-request-method", "GET")]);
        assert_eq!(
            preflight(&app(), &METHODS, &request).unwrap_err().code,
            Code::OriginRejected,
            "{origin}"
        );
        assert_eq!(reader(&app(), &request), None);
    }
    let twice = headers(&[
        ("origin", "https://www.example.com"),
        ("origin", "https://evil.test"),
    ]);
    assert_eq!(reader(&app(), &twice), None);
}

#[test]
fn options_without_its_two_headers_is_no_preflight() {
    let origin = ("origin", "https://www.example.com");
    let method = ("access-control-request-method", "GET");
    assert!(!is_preflight(&Method::OPTIONS, &headers(&[origin])));
    assert!(!is_preflight(&Method::OPTIONS, &headers(&[method])));
    assert!(!is_preflight(&Method::POST, &headers(&[origin, method])));
}

// Attack 103; B-07.
#[test]
fn a_listed_reader_may_read_and_others_are_kept_apart() {
    let app = app();
    let request = headers(&[("origin", "https://www.example.com")]);
    let mut answer = headers(&[("vary", "accept")]);
    let exposed = [HeaderValue::from_static("x-total, *")];
    apply(&app, reader(&app, &request).as_ref(), &exposed, &mut answer);
    assert_eq!(
        text(&answer, "access-control-allow-origin"),
        Some("https://www.example.com")
    );
    assert_eq!(text(&answer, "access-control-allow-credentials"), Some("true"));
    assert_eq!(
        text(&answer, "access-control-expose-headers"),
        Some("token-handler-error, x-request-id, retry-after, x-total")
    );
    assert_eq!(answer.get_all("vary").iter().count(), 2);

    let mut answer = headers(&[("vary", "accept, Origin")]);
    apply(&app, None, &[], &mut answer);
    assert_eq!(answer.get("access-control-allow-origin"), None);
    assert_eq!(answer.get_all("vary").iter().count(), 1, "it is there already");
}

// B-08.
#[test]
fn an_app_without_further_origins_has_no_cors_at_all() {
    let mut app = app();
    app.allowed_origins.clear();
    let request = headers(&[("origin", "https://shop.example.com")]);
    let mut answer = HeaderMap::new();
    apply(&app, reader(&app, &request).as_ref(), &[], &mut answer);
    assert!(answer.is_empty());
}

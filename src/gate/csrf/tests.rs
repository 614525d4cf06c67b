//! Calls and logins that the app made, and those that it did not.

use super::*;
use crate::gate::tests::app;

const CALL: (&str, &str) = ("token-handler-version", "1");
const OWN: (&str, &str) = ("origin", "https://shop.example.com");
const LISTED: (&str, &str) = ("origin", "https://www.example.com");
const EVIL: (&str, &str) = ("origin", "https://evil.test");

fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    fields
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
}

fn call(rule: CsrfRule, method: &Method, fields: &[(&'static str, &'static str)]) -> Option<Code> {
    check_call(&app(), rule, method, &headers(fields))
        .err()
        .map(|refusal| refusal.code)
}

// B-02, B-04, B-05, attacks 97, 98, 100, 107.
#[test]
fn calls_need_the_header_and_a_good_origin() {
    let csrf = Some(Code::CsrfRejected);
    let origin = Some(Code::OriginRejected);
    for (fields, expected) in [
        (vec![CALL], None),
        (vec![CALL, OWN], None),
        (vec![CALL, LISTED], None),
        (vec![], csrf),
        (vec![OWN, ("sec-fetch-site", "same-origin")], csrf),
        (vec![("token-handler-version", "2")], csrf),
        (vec![("token-handler-version", "")], csrf),
        (vec![("token-handler-version", "1, 1")], csrf),
        (vec![CALL, CALL], csrf),
        (vec![CALL, EVIL], origin),
        (vec![CALL, ("origin", "null")], origin),
        (
            vec![CALL, ("origin", "https://shop.example.com.evil.test")],
            origin,
        ),
        (vec![CALL, ("origin", "https://SHOP.example.com")], origin),
        (vec![CALL, ("origin", "https://shop.example.com:443")], origin),
        (vec![CALL, ("origin", "http://shop.example.com")], origin),
        (vec![CALL, ("origin", "https://shop.example.com/")], origin),
        (vec![CALL, ("origin", "")], origin),
        (vec![CALL, OWN, EVIL], origin),
        (vec![CALL, OWN, OWN], origin),
        (vec![CALL, ("sec-fetch-site", "same-origin")], None),
        (vec![CALL, ("sec-fetch-site", "same-site")], csrf),
        (vec![CALL, LISTED, ("sec-fetch-site", "same-site")], None),
        (vec![CALL, EVIL, ("sec-fetch-site", "same-site")], origin),
        (vec![CALL, ("sec-fetch-site", "cross-site")], csrf),
        (vec![CALL, OWN, ("sec-fetch-site", "cross-site")], csrf),
        (vec![CALL, ("sec-fetch-site", "none")], csrf),
        (vec![CALL, ("sec-fetch-site", "something-new")], None),
        (
            vec![
                CALL,
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-site", "cross-site"),
            ],
            csrf,
        ),
    ] {
        for method in [
            Method::GET,
            Method::POST,
            Method::from_bytes(b"PROPFIND").unwrap(),
        ] {
            assert_eq!(
                call(CsrfRule::Header, &method, &fields),
                expected,
                "{method} {fields:?}"
            );
        }
    }
}

#[test]
fn fetch_metadata_routes_let_the_browser_vouch_for_reads() {
    let fetch_metadata = CsrfRule::FetchMetadata;
    let same: (&str, &str) = ("sec-fetch-site", "same-origin");
    let csrf = Some(Code::CsrfRejected);
    for (fields, expected) in [
        (vec![same], None),
        (vec![same, OWN], None),
        (vec![same, LISTED], csrf),
        (vec![("sec-fetch-site", "same-site"), LISTED], csrf),
        (vec![same, EVIL], Some(Code::OriginRejected)),
        (vec![], csrf),
        (vec![OWN], csrf),
        (vec![("sec-fetch-site", "same-site"), OWN], csrf),
        (vec![("sec-fetch-site", "cross-site")], csrf),
        (vec![("sec-fetch-site", "something-new")], csrf),
        // A header that is there must be right.
        (vec![same, ("token-handler-version", "0")], csrf),
        (vec![CALL, LISTED], None),
    ] {
        assert_eq!(
            call(fetch_metadata, &Method::GET, &fields),
            expected,
            "{fields:?}"
        );
        assert_eq!(
            call(fetch_metadata, &Method::HEAD, &fields),
            expected,
            "{fields:?}"
        );
    }
    assert_eq!(call(fetch_metadata, &Method::POST, &[same]), csrf);
    assert_eq!(call(fetch_metadata, &Method::DELETE, &[same, OWN]), csrf);
}

#[test]
fn login_is_a_navigation_to_a_document() {
    let navigation = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let mut lonely = app();
    lonely.allowed_origins.clear();
    let mut third_party = app();
    third_party.provider.third_party_login = true;
    let login = |app: &App, fields: &[(&'static str, &'static str)]| {
        check_login(app, &headers(fields))
            .err()
            .map(|refusal| refusal.code)
    };
    let csrf = Some(Code::CsrfRejected);

    assert_eq!(login(&lonely, &[]), None);
    assert_eq!(login(&lonely, &navigation), None);
    for (site, alone, with_origins, third) in [
        ("same-origin", None, None, None),
        ("none", None, None, None),
        ("something-new", None, None, None),
        ("same-site", csrf, None, None),
        ("cross-site", csrf, csrf, None),
    ] {
        let fields = [("sec-fetch-site", site)];
        assert_eq!(login(&lonely, &fields), alone, "{site}");
        assert_eq!(login(&app(), &fields), with_origins, "{site}");
        assert_eq!(login(&third_party, &fields), third, "{site}");
    }
    for field in [
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-mode", "no-cors"),
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-dest", "image"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-moz", "Prefetch"),
        ("x-purpose", "preview"),
    ] {
        assert_eq!(login(&third_party, &[field]), csrf, "{field:?}");
    }
}

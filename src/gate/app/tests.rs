//! Which site a host means, and which prefix a path falls under.

use http::HeaderValue;
use proptest::prelude::*;

use super::*;
use crate::refusal::Code;

fn origin(text: &str) -> Origin {
    Origin::parse(text).unwrap()
}

fn hosts() -> Hosts<&'static str> {
    Hosts::new([
        (origin("https://shop.example.com"), "shop"),
        (origin("https://shop.example.com:8443"), "side"),
        (origin("http://localhost:8080"), "dev"),
        (origin("http://[::1]:8080"), "six"),
        (origin("http://localhost"), "plain"),
    ])
}

#[test]
fn the_host_is_normalized_before_it_is_looked_up() {
    let hosts = hosts();
    for (host, site) in [
        ("shop.example.com", Some("shop")),
        ("SHOP.Example.com", Some("shop")),
        ("shop.example.com.", Some("shop")),
        ("shop.example.com:443", Some("shop")),
        ("shop.example.com.:443", Some("shop")),
        ("shop.example.com:80", None),
        ("shop.example.com:8443", Some("side")),
        ("localhost:8080", Some("dev")),
        ("LOCALHOST:8080", Some("dev")),
        ("localhost:80", Some("plain")),
        ("[::1]:8080", Some("six")),
        // Attack 23.
        ("evil.test", None),
        ("shop.example.com:evil", None),
        ("shop.example.com.evil.test", None),
        ("xshop.example.com", None),
        ("shop.example.com@evil.test", None),
        ("shop.example.com:", None),
        ("shop.example.com..", None),
        ("", None),
        (":443", None),
        (".", None),
    ] {
        assert_eq!(hosts.find(host).copied(), site, "{host}");
    }
}

fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    fields
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
}

// P-10, attack 23.
#[test]
fn exactly_one_host_and_no_other_in_the_target() {
    let ask = |fields: &[_], uri: &'static str| {
        let headers = headers(fields);
        host_of(&headers, &Uri::from_static(uri), Version::HTTP_11, false)
            .map(ToOwned::to_owned)
            .map_err(|refusal| (refusal.code, refusal.close))
    };
    assert_eq!(ask(&[("host", "a.test")], "/x"), Ok("a.test".to_owned()));
    assert_eq!(
        ask(&[("host", "a.test")], "http://A.test/x"),
        Ok("a.test".to_owned())
    );
    let refused = Err((Code::InvalidRequest, true));
    assert_eq!(ask(&[], "/x"), refused);
    assert_eq!(ask(&[("host", "a.test"), ("host", "a.test")], "/x"), refused);
    assert_eq!(ask(&[("host", "a.test")], "http://evil.test/x"), refused);
}

#[test]
fn the_forwarded_host_counts_only_from_a_trusted_proxy() {
    let headers = headers(&[
        ("host", "inner"),
        ("x-forwarded-host", "evil.test, shop.example.com"),
    ]);
    let uri = Uri::from_static("/");
    assert_eq!(host_of(&headers, &uri, Version::HTTP_11, false).unwrap(), "inner");
    assert_eq!(
        host_of(&headers, &uri, Version::HTTP_11, true).unwrap(),
        "shop.example.com"
    );
}

fn prefixes() -> Prefixes<&'static str> {
    Prefixes::new(
        [
            "/oauth-agent",
            "/api",
            "/api/orders",
            "/api/orders/deep/er",
            "/Legacy",
        ]
        .map(|prefix| (prefix.into(), prefix)),
    )
}

fn find(prefixes: &Prefixes<&'static str>, path: &str) -> Result<Option<&'static str>, Code> {
    let path = CanonicalPath::read(path).unwrap();
    prefixes
        .find(&path)
        .map(|found| found.map(|found| *found.target))
        .map_err(|refusal| refusal.code)
}

#[test]
fn the_longest_prefix_of_whole_segments_wins() {
    let prefixes = prefixes();
    for (path, target) in [
        ("/api", Some("/api")),
        ("/api/", Some("/api")),
        ("/api/x", Some("/api")),
        ("/apix", None),
        ("/api/orders", Some("/api/orders")),
        ("/api/ordersx", Some("/api")),
        ("/api/orders/deep", Some("/api/orders")),
        ("/api/orders/deep/er/and/on/and/on", Some("/api/orders/deep/er")),
        ("/oauth-agent/session", Some("/oauth-agent")),
        ("/", None),
        ("/x/api/orders", None),
    ] {
        assert_eq!(find(&prefixes, path), Ok(target), "{path}");
    }
}

#[test]
fn a_root_route_takes_the_rest() {
    let prefixes = Prefixes::new([("/".into(), "root"), ("/api".into(), "api")]);
    assert_eq!(find(&prefixes, "/"), Ok(Some("root")));
    assert_eq!(find(&prefixes, "/x/y"), Ok(Some("root")));
    assert_eq!(find(&prefixes, "/api/y"), Ok(Some("api")));
}

// Attack 35.
#[test]
fn parameters_and_case_never_choose_a_shorter_route() {
    let with_root = Prefixes::new([
        ("/".into(), "root"),
        ("/api".into(), "api"),
        ("/api/admin".into(), "admin"),
    ]);
    assert_eq!(find(&with_root, "/api;x=1/orders"), Err(Code::InvalidRequest));
    assert_eq!(find(&with_root, "/api/admin;x/y"), Err(Code::InvalidRequest));
    assert_eq!(find(&with_root, "/api/orders;x=1"), Ok(Some("api")));
    assert_eq!(find(&with_root, "/API/x"), Err(Code::RouteNotFound));
    assert_eq!(find(&with_root, "/api/Admin"), Err(Code::RouteNotFound));
    assert_eq!(find(&with_root, "/api/Orders"), Ok(Some("api")));
    assert_eq!(find(&with_root, "/API;x/admin"), Err(Code::RouteNotFound));
    let prefixes = prefixes();
    assert_eq!(find(&prefixes, "/legacy/x"), Err(Code::RouteNotFound));
    assert_eq!(find(&prefixes, "/Legacy/x"), Ok(Some("/Legacy")));
    assert_eq!(find(&prefixes, "/OAUTH-AGENT/session"), Err(Code::RouteNotFound));
}

// P-02, attack 34: an upstream that decodes `%2F` (passed by `encoded_slash`) or another character once more must not
// see a path of a stricter route.
#[test]
fn encoding_never_chooses_a_shorter_route() {
    let prefixes = Prefixes::new([
        ("/".into(), "root"),
        ("/files".into(), "files"),
        ("/files/admin".into(), "admin"),
        ("/files/a:b".into(), "colon"),
    ]);
    for path in [
        "/files/admin%2Fx",
        "/files/admin%2fx",
        "/files/%2Fadmin/x",
        "/files%2Fadmin",
        "/files/a%3Ab/x",
        "/files/admin%252Fx",
        "/files/admin%3Bx=1/y",
        "/files%2Fx",
    ] {
        assert_eq!(find(&prefixes, path), Err(Code::InvalidRequest), "{path}");
    }
    assert_eq!(find(&prefixes, "/files/%2541dmin/x"), Err(Code::RouteNotFound));
    for path in [
        "/files/x%2Fadmin",
        "/files/x%20y",
        "/files/%2525",
        "/files/100%25/a%3Ab",
    ] {
        assert_eq!(find(&prefixes, path), Ok(Some("files")), "{path}");
    }
    assert_eq!(find(&prefixes, "/files/admin/x%2Fy"), Ok(Some("admin")));
}

proptest! {
    #[test]
    fn the_table_agrees_with_the_definition(path in "(/[ab]{1,2}){0,4}/?", raw in proptest::collection::vec("(/[ab]{1,2}){1,3}", 0..6)) {
        let path = if path.is_empty() { "/".to_owned() } else { path };
        let table = Prefixes::new(raw.iter().map(|prefix| (prefix.as_str().into(), prefix.clone())));
        let canonical = CanonicalPath::read(&path).unwrap();
        let found = table.find(&canonical).unwrap().map(|found| found.target.clone());
        let expected = raw
            .iter()
            .filter(|prefix| path == **prefix || path.starts_with(&format!("{prefix}/")))
            .max_by_key(|prefix| prefix.len())
            .cloned();
        prop_assert_eq!(found, expected);
    }
}

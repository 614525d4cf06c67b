//! Which headers of an answer the browser may see.

use super::*;

fn map(fields: &[(&str, &str)]) -> HeaderMap {
    fields
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

fn rewritten(need: SessionNeed, fields: &[(&str, &str)]) -> (HeaderMap, Rewritten) {
    let mut headers = map(fields);
    let token = AccessToken::new("eyJ0b2tlbi1vZi1hbGljZSI");
    let rewritten = rewrite(&mut headers, need, Some(&token));
    (headers, rewritten)
}

// Attack 28.
#[test]
fn an_upstream_cannot_plant_our_cookies() {
    let (headers, rewritten) = rewritten(
        SessionNeed::Required,
        &[
            ("set-cookie", "__Host-Http-shop-at=evil; Path=/; Secure"),
            ("set-cookie", "theirs=1; Path=/"),
            ("set-cookie", " __Host-Http-shop-login-0a1b2c3d = x; Secure"),
            ("set-cookie", "=__Host-Http-shop-rt=x; Secure"),
            ("set-cookie", "__host-http-shop-at.1=x; Secure"),
            ("set-cookie", "__Host-theirs=2; Path=/; Secure"),
        ],
    );
    let cookies: Vec<_> = headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["theirs=1; Path=/", "__Host-theirs=2; Path=/; Secure"]);
    assert_eq!(rewritten.dropped_cookies, 4);
}

// Attack 29.
#[test]
fn a_header_that_carries_the_token_goes() {
    let (headers, rewritten) = rewritten(
        SessionNeed::Required,
        &[
            ("x-echo-authorization", "Bearer eyJ0b2tlbi1vZi1hbGljZSI"),
            ("location", "https://x/?t=eyJ0b2tlbi1vZi1hbGljZSI&u"),
            ("authorization", "whatever"),
            ("proxy-authenticate", "Basic"),
            ("x-innocent", "eyJ0b2tlbi1vZi1hbGljZS"),
        ],
    );
    assert!(rewritten.leaked);
    assert_eq!(
        headers
            .keys()
            .filter(|name| name.as_str().starts_with('x'))
            .count(),
        1
    );
    assert!(!headers.contains_key("location") && !headers.contains_key("authorization"));
    assert!(!headers.contains_key("proxy-authenticate"));
}

// P-14.
#[test]
fn an_upstream_does_not_speak_for_the_origin() {
    let (headers, rewritten) = rewritten(
        SessionNeed::None,
        &[
            ("access-control-allow-origin", "*"),
            ("access-control-allow-credentials", "true"),
            ("access-control-expose-headers", "x-total"),
            ("token-handler-error", "session_expired"),
            ("clear-site-data", "\"cookies\""),
            ("service-worker-allowed", "/"),
            ("server", "nginx/1.0"),
            ("connection", "keep-alive, x-hop"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("www-authenticate", "Bearer error=\"invalid_token\""),
            ("location", "/elsewhere"),
            ("content-type", "text/html"),
            ("etag", "\"1\""),
        ],
    );
    let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-type", "etag", "location", "www-authenticate"]);
    assert_eq!(rewritten.exposed, ["x-total"]);
    let (headers, _) = rewritten_clear("\"cache\"");
    assert!(headers.contains_key("clear-site-data"));
    let (headers, _) = rewritten_clear("\"*\"");
    assert!(!headers.contains_key("clear-site-data"));
}

fn rewritten_clear(value: &str) -> (HeaderMap, Rewritten) {
    rewritten(SessionNeed::None, &[("clear-site-data", value)])
}

// P-13, attack 148.
#[test]
fn no_shared_cache_keeps_what_a_session_fetched() {
    for (said, becomes) in [
        (&[][..], "private"),
        (&["public, max-age=60"], "private, max-age=60"),
        (
            &["s-maxage=600, max-age=60, must-revalidate"],
            "private, max-age=60, must-revalidate",
        ),
        (&["private=\"x\", max-age=1"], "private, max-age=1"),
        (&["no-store"], "no-store"),
        (&["No-Store, public"], "No-Store, public"),
        (&["public", "no-store"], "no-store"),
        (&["public", "max-age=5, proxy-revalidate"], "private, max-age=5"),
        (&[",,"], "private"),
    ] {
        for need in [SessionNeed::Required, SessionNeed::Optional] {
            let fields: Vec<_> = said
                .iter()
                .map(|said| ("cache-control", *said))
                .chain([
                    ("cdn-cache-control", "max-age=60"),
                    ("surrogate-control", "max-age=60"),
                    ("surrogate-key", "x"),
                    ("cloudflare-cdn-cache-control", "max-age=60"),
                    ("x-accel-expires", "60"),
                    ("vary", "accept"),
                ])
                .collect();
            let (headers, _) = rewritten(need, &fields);
            let directives: Vec<_> = headers.get_all("cache-control").iter().collect();
            assert_eq!(directives, [becomes], "{said:?}");
            let vary: Vec<_> = headers.get_all("vary").iter().collect();
            assert_eq!(vary, ["accept", "Cookie, Origin"]);
            assert_eq!(headers.len(), 3, "{headers:?}");
        }
    }
    let public = [("cache-control", "public, s-maxage=9"), ("surrogate-key", "x")];
    assert_eq!(
        rewritten(SessionNeed::None, &public).0,
        map(&public),
        "a public route stays public"
    );
}

// P-06, P-29: hyper sends the trailers that are announced.
#[test]
fn trailers_are_announced_only_where_they_can_come() {
    let trailer = ("trailer", "x-sum");
    let (chunked, _) = rewritten(
        SessionNeed::Required,
        &[("transfer-encoding", "chunked"), trailer],
    );
    assert_eq!(chunked["trailer"], "x-sum");
    assert!(!chunked.contains_key("transfer-encoding"));
    let (whole, _) = rewritten(SessionNeed::Required, &[("content-length", "2"), trailer]);
    assert!(!whole.contains_key("trailer"));
}

// P-06.
#[test]
fn trailers_obey_the_same_rules() {
    let trailers = map(&[
        ("grpc-status", "0"),
        ("set-cookie", "__Host-Http-shop-at=x"),
        ("access-control-allow-origin", "*"),
        ("token-handler-error", "x"),
        ("cache-control", "public"),
    ]);
    let cleaned = clean_frame(Frame::trailers(trailers)).into_trailers().unwrap();
    assert_eq!(cleaned, map(&[("grpc-status", "0")]));
}

//! Which headers of a request the upstream may see.

use proptest::prelude::*;

use super::*;
use crate::config::tests::fixture::route;

static VIA: HeaderValue = HeaderValue::from_static("1.1 cloakroom-0011");
static HOST: HeaderValue = HeaderValue::from_static("shop.example.com");

fn identity(client: &str) -> Identity<'static> {
    Identity {
        client: client.parse().unwrap(),
        host: &HOST,
        scheme: "https",
        via: &VIA,
        request_id: HeaderValue::from_static("7"),
    }
}

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

fn rewritten(fields: &[(&str, &str)]) -> HeaderMap {
    written(fields, &route("http://127.0.0.1:9001"), "192.0.2.1")
}

fn written(fields: &[(&str, &str)], route: &Route, client: &str) -> HeaderMap {
    let headers = map(fields);
    // As the client framed it.
    let framing = match headers.get("content-length") {
        _ if headers
            .get("transfer-encoding")
            .is_some_and(|coding| coding == "chunked") =>
        {
            Framing::Chunked
        }
        Some(length) if length != "0" => Framing::Length(length.to_str().unwrap().parse().unwrap()),
        _ => Framing::Nothing,
    };
    read(&headers, framing, route, &identity(client)).unwrap()
}

/// What an upstream reads of what is written for it.
fn read(
    headers: &HeaderMap,
    framing: Framing,
    route: &Route,
    identity: &Identity<'_>,
) -> Result<HeaderMap, Refusal> {
    let mut head = b"GET / HTTP/1.1\r\n".to_vec();
    write(&mut head, headers, framing, route, None, identity)?;
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut fields);
    assert_eq!(
        request.parse(&head).unwrap(),
        httparse::Status::Complete(head.len())
    );
    let fields: Vec<(&str, &str)> = request
        .headers
        .iter()
        .map(|field| (field.name, std::str::from_utf8(field.value).unwrap()))
        .collect();
    Ok(map(&fields))
}

/// What is set on every request.
const OURS: [&str; 7] = [
    "host",
    "x-forwarded-for",
    "forwarded",
    "x-forwarded-host",
    "x-forwarded-proto",
    "via",
    "x-request-id",
];

// P-05, P-08, attacks 14, 16, 17, 20.
#[test]
fn what_speaks_of_the_caller_goes_under_any_alias() {
    for name in [
        "authorization",
        "authorization_",
        "proxy-authorization",
        "proxy_authorization",
        "proxy-connection",
        "proxy",
        "dpop",
        "forwarded",
        "x-forwarded",
        "x-forwarded-user",
        "x_forwarded_user",
        "x-forwarded_user",
        "x.forwarded.email",
        "x-forwarded-client-cert",
        "x-real-ip",
        "x_real_ip",
        "x-original-url",
        "x-original-uri",
        "x-rewrite-url",
        "x-http-method",
        "x-http-method-override",
        "x_http_method_override",
        "x-method-override",
        "x-auth-request-user",
        "x_auth_request_email",
        "x-user",
        "x_user",
        "x-user-id",
        "x-user_agent_id",
        "x-remote-user",
        "remote-user",
        "remote_user",
        "x-ssl-client-cert",
        "ssl-client-verify",
        "ssl_client_s_dn",
        "x-client-cert",
        "x-client-cert-chain",
        "client-cert",
        "client-cert-chain",
        "x-client-ip",
        "true-client-ip",
        "true_client_ip",
        "cf-connecting-ip",
        "x-envoy-external-address",
        "x-goog-authenticated-user-email",
        "x-goog-iap-jwt-assertion",
        "x-amzn-oidc-data",
        "x-amzn-oidc-identity",
        "x-ms-client-principal",
        "x-ms-client-principal-id",
        "token-handler-version",
        "token_handler_version",
        "token-handler-gateway",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "trailer_",
        "transfer-encoding",
        "transfer_encoding",
        "content_length",
        "upgrade",
        "http2-settings",
        "expect",
        "cookie_",
        "x_request_id",
    ] {
        let headers = rewritten(&[(name, "evil"), (name, "evil")]);
        assert!(
            headers.iter().all(|(_, value)| value != "evil"),
            "{name}: {headers:?}"
        );
        assert_eq!(headers.len(), OURS.len(), "{name}: {headers:?}");
    }
}

#[test]
fn what_browsers_and_apps_send_stays() {
    for name in [
        "accept",
        "accept-encoding",
        "user-agent",
        "x-user-agent",
        "x_user_agent",
        "content-type",
        "content-encoding",
        "origin",
        "referer",
        "range",
        "if-none-match",
        "x-csrf-token",
        "x-requested-with",
        "x-trace",
        "traceparent",
        "priority",
        "pragma",
        "upgrade-insecure-requests",
        "dnt",
        "sec-fetch-site",
        "x-forwardedly",
        "x-users",
        "client-certainty-x",
        "teapot",
        "prox",
        "my_header",
        "a.b",
    ] {
        if name == "client-certainty-x" {
            // `Client-Cert*` is meant as it is written.
            continue;
        }
        let headers = rewritten(&[(name, "kept")]);
        assert_eq!(
            headers.get(name).map(HeaderValue::as_bytes),
            Some(&b"kept"[..]),
            "{name}"
        );
    }
}

// P-06, attack 19.
#[test]
fn connection_names_fields_away_but_not_ours() {
    let headers = rewritten(&[
        (
            "connection",
            "X-Forwarded-For, X-Forwarded-Proto, Authorization, x-secret, Host, via, content-length",
        ),
        ("x-secret", "1"),
        ("content-length", "3"),
        ("x-kept", "1"),
    ]);
    for name in OURS {
        assert!(headers.contains_key(name), "{name}");
    }
    assert!(!headers.contains_key("x-secret"));
    assert!(!headers.contains_key("connection"));
    assert!(headers.contains_key("x-kept") && headers.contains_key("content-length"));
}

// RFC 9112 §6: how the body is framed is ours to say, once.
#[test]
fn the_framing_is_written_anew() {
    let headers = map(&[("content-length", "5"), ("transfer-encoding", "chunked")]);
    let route = route("http://127.0.0.1:9001");
    let read = |framing| read(&headers, framing, &route, &identity("192.0.2.1")).unwrap();
    let length = read(Framing::Length(7));
    assert_eq!(length["content-length"], "7");
    assert!(!length.contains_key("transfer-encoding"));
    let chunked = read(Framing::Chunked);
    assert_eq!(chunked["transfer-encoding"], "chunked");
    assert!(!chunked.contains_key("content-length"));
    // Somebody in between took the body away.
    let nothing = read(Framing::Nothing);
    assert_eq!(nothing["content-length"], "0");
    assert!(!nothing.contains_key("transfer-encoding"));
    assert!(!rewritten(&[]).contains_key("content-length"));
}

// P-09.
#[test]
fn forwarded_is_ours_alone_and_well_formed() {
    let headers = rewritten(&[("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "6.6.6.6")]);
    assert_eq!(headers["x-forwarded-for"], "192.0.2.1");
    assert_eq!(
        headers["forwarded"],
        "for=192.0.2.1;host=\"shop.example.com\";proto=https"
    );
    assert_eq!(headers["x-forwarded-host"], "shop.example.com");
    assert_eq!(headers["x-forwarded-proto"], "https");
    assert_eq!(headers["host"], "127.0.0.1:9001");
    for name in ["forwarded", "x-forwarded-for", "host"] {
        assert_eq!(headers.get_all(name).iter().count(), 1);
    }
    let six = written(&[], &route("http://127.0.0.1:9001"), "2001:db8::1");
    assert_eq!(six["x-forwarded-for"], "2001:db8::1");
    assert_eq!(
        six["forwarded"],
        "for=\"[2001:db8::1]\";host=\"shop.example.com\";proto=https"
    );
}

// P-04.
#[test]
fn our_cookies_go_and_others_stay_unless_the_route_wants_none() {
    let cookie = "a=1; __Host-Http-shop-at=x; __Host-Http-other-rt.1=y; b=2";
    assert_eq!(rewritten(&[("cookie", cookie)])["cookie"], "a=1; b=2");
    assert!(!rewritten(&[("cookie", "__Host-Http-shop-at=x")]).contains_key("cookie"));
    let mut none = route("http://127.0.0.1:9001");
    none.drop_cookies = true;
    let headers = written(&[("cookie", cookie)], &none, "192.0.2.1");
    assert!(!headers.contains_key("cookie"));
}

#[test]
fn a_route_drops_what_it_names_under_any_alias() {
    let mut dropping = route("http://127.0.0.1:9001");
    dropping.drop_headers = vec![HeaderName::from_static("x-internal")];
    let headers = written(
        &[("x-internal", "1"), ("x_internal", "1"), ("x-internals", "1")],
        &dropping,
        "192.0.2.1",
    );
    assert!(!headers.contains_key("x-internal") && !headers.contains_key("x_internal"));
    assert!(headers.contains_key("x-internals"));
}

// Attack 14: the operator may have written the alias.
#[test]
fn a_route_drops_what_it_names_by_an_alias() {
    for spelled in ["x_internal", "x.internal", "X-Internal"] {
        let mut dropping = route("http://127.0.0.1:9001");
        dropping.drop_headers = vec![HeaderName::from_bytes(spelled.as_bytes()).unwrap()];
        let headers = written(
            &[("x-internal", "1"), ("x_internal", "1"), ("x.internal", "1")],
            &dropping,
            "192.0.2.1",
        );
        for name in ["x-internal", "x_internal", "x.internal"] {
            assert!(!headers.contains_key(name), "{spelled}: {name}");
        }
    }
}

// P-06, P-29.
#[test]
fn trailers_are_announced_only_where_they_can_come() {
    let chunked = rewritten(&[("transfer-encoding", "chunked"), ("trailer", "x-sum")]);
    assert_eq!(chunked["trailer"], "x-sum");
    assert!(!rewritten(&[("content-length", "3"), ("trailer", "x-sum")]).contains_key("trailer"));
}

// P-07.
#[test]
fn via_grows_and_a_loop_is_seen() {
    let headers = rewritten(&[("via", "1.1 front")]);
    let vias: Vec<_> = headers.get_all("via").iter().collect();
    assert_eq!(vias, ["1.1 front", "1.1 cloakroom-0011"]);
    let looped = map(&[("via", "1.0 a, 1.1 cloakroom-0011, 1.1 b")]);
    let refusal = read(
        &looped,
        Framing::Nothing,
        &route("http://127.0.0.1:9001"),
        &identity("192.0.2.1"),
    )
    .unwrap_err();
    assert_eq!(refusal.code, Code::UpstreamUnavailable);
    assert!(
        !rewritten(&[("via", "1.1 cloakroom-00112")]).is_empty(),
        "another one is no loop"
    );
}

proptest! {
    #[test]
    fn ipv4_addresses_are_written_as_everybody_writes_them(octets: [u8; 4]) {
        let mut text = Vec::new();
        push_ipv4(&mut text, octets);
        prop_assert_eq!(String::from_utf8(text).unwrap(), std::net::Ipv4Addr::from(octets).to_string());
    }

    #[test]
    fn whatever_comes_in_ours_is_there_once_and_theirs_is_not(
        fields in proptest::collection::vec(("[a-zA-Z][a-zA-Z_.-]{0,20}|x[-_.]forwarded[-_.][a-z]{1,5}|[Aa]uthorization[_.-]?", "[a-z]{0,8}"), 0..12),
        connection in "[a-z, -]{0,30}",
    ) {
        let mut fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.push(("connection", &connection));
        let headers = rewritten(&fields);
        for name in OURS {
            if name != "via" {
                prop_assert_eq!(headers.get_all(name).iter().count(), 1, "{}", name);
            }
        }
        for name in headers.keys() {
            let plain = name.as_str().replace(['_', '.'], "-");
            let plain = plain.trim_end_matches('-');
            prop_assert!(plain != "authorization" && plain != "connection", "{}", name);
            prop_assert!(!plain.starts_with("x-forwarded-") || OURS.contains(&name.as_str()), "{}", name);
        }
    }
}

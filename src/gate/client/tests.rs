//! Whose address counts: peers, proxies, and what they say.

use http::HeaderValue;

use super::*;

fn client(peer: &str, fields: &[(&'static str, &'static str)]) -> String {
    let trusted: Vec<IpNet> = ["10.0.0.0/8", "fd00::/8"].map(|net| net.parse().unwrap()).into();
    let headers = fields
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect();
    client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
}

// P-08, attack 20.
#[test]
fn an_untrusted_peer_is_the_client_whatever_it_says() {
    assert_eq!(
        client("192.0.2.1", &[("x-forwarded-for", "198.51.100.7")]),
        "192.0.2.1"
    );
    assert_eq!(
        client("192.0.2.1", &[("forwarded", "for=198.51.100.7")]),
        "192.0.2.1"
    );
}

#[test]
fn trusted_proxies_are_counted_from_the_right() {
    for (fields, expected) in [
        (vec![("x-forwarded-for", "198.51.100.7")], "198.51.100.7"),
        (
            vec![("x-forwarded-for", "6.6.6.6, 198.51.100.7, 10.1.1.1")],
            "198.51.100.7",
        ),
        (
            vec![
                ("x-forwarded-for", "6.6.6.6"),
                ("x-forwarded-for", "198.51.100.7"),
            ],
            "198.51.100.7",
        ),
        (
            vec![(
                "forwarded",
                "for=6.6.6.6;proto=http, For=\"[2001:db8::1]:4711\";by=10.0.0.9",
            )],
            "2001:db8::1",
        ),
        (vec![("forwarded", "for=198.51.100.7:80")], "198.51.100.7"),
        (vec![("x-forwarded-for", "10.2.2.2, 10.1.1.1")], "10.2.2.2"),
        (vec![("x-forwarded-for", "::ffff:198.51.100.7")], "198.51.100.7"),
        // Not an address: the last one known.
        (vec![("x-forwarded-for", "198.51.100.7, unknown")], "10.0.0.1"),
        (
            vec![("x-forwarded-for", "198.51.100.7, rubbish, 10.1.1.1")],
            "10.1.1.1",
        ),
        (vec![("forwarded", "for=_hidden")], "10.0.0.1"),
        (vec![("forwarded", "for=1.1.1.1;for=2.2.2.2")], "10.0.0.1"),
        (vec![("forwarded", "proto=https")], "10.0.0.1"),
        (vec![], "10.0.0.1"),
        // Both, and they disagree.
        (
            vec![("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "198.51.100.7")],
            "10.0.0.1",
        ),
        (
            vec![
                ("forwarded", "for=198.51.100.7"),
                ("x-forwarded-for", "198.51.100.7"),
            ],
            "198.51.100.7",
        ),
    ] {
        assert_eq!(client("10.0.0.1", &fields), expected, "{fields:?}");
    }
}

#[test]
fn mapped_addresses_are_their_ipv4_selves() {
    assert_eq!(
        client("::ffff:10.0.0.1", &[("x-forwarded-for", "198.51.100.7")]),
        "198.51.100.7"
    );
    assert_eq!(client("::ffff:192.0.2.1", &[]), "192.0.2.1");
}

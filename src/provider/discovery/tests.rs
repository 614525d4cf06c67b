//! Where metadata is looked for (D-02).

use super::metadata_url;

#[test]
fn metadata_lies_below_the_issuer() {
    for (issuer, expected) in [
        (
            "https://op.example",
            Some("https://op.example/.well-known/openid-configuration"),
        ),
        (
            "https://op.example/",
            Some("https://op.example/.well-known/openid-configuration"),
        ),
        (
            "https://op.example/realms/x",
            Some("https://op.example/realms/x/.well-known/openid-configuration"),
        ),
        (
            "https://op.example/realms/x/",
            Some("https://op.example/realms/x/.well-known/openid-configuration"),
        ),
        (
            "http://op.localhost:8082/a%20b",
            Some("http://op.localhost:8082/a%20b/.well-known/openid-configuration"),
        ),
        ("https://op.example/?tenant=1", None),
        ("https://op.example/#x", None),
        ("op.example", None),
        ("", None),
    ] {
        assert_eq!(
            metadata_url(issuer).as_ref().map(url::Url::as_str),
            expected,
            "{issuer}"
        );
    }
}

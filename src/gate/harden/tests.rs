//! What every answer carries, and what it leaves to the upstream.

use super::*;
use crate::gate::tests::app;

fn hardened(answer: Answer, app: Option<&App>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    apply(answer, app, RequestId(7), &mut headers);
    headers
}

// B-10, attacks 112, 149.
#[test]
fn our_answers_cannot_be_framed_sniffed_embedded_or_cached() {
    let headers = hardened(Answer::Ours, Some(&app()));
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ),
        ("cross-origin-resource-policy", "same-site"),
        ("strict-transport-security", "max-age=31536000"),
        ("cache-control", "no-store"),
        ("pragma", "no-cache"),
        ("x-request-id", "00000000000000000000000000000007"),
    ] {
        assert_eq!(headers.get(name).unwrap(), value);
    }
    let mut alone = app();
    alone.allowed_origins.clear();
    assert_eq!(
        hardened(Answer::Ours, Some(&alone))
            .get(CROSS_ORIGIN_RESOURCE_POLICY)
            .unwrap(),
        "same-origin"
    );
    assert_eq!(hardened(Answer::Ours, None).get(STRICT_TRANSPORT_SECURITY), None);
}

#[test]
fn upstream_answers_keep_their_own_policies() {
    let headers = hardened(Answer::Upstream, Some(&app()));
    assert_eq!(headers.len(), 2, "{headers:?}");
}

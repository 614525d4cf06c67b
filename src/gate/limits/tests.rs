//! Heads that are too large, or framed in two ways.

use http::{HeaderName, HeaderValue};

use super::*;

fn checked(uri: &str, headers: &HeaderMap) -> Result<(), (Code, bool)> {
    check(&uri.parse().unwrap(), Version::HTTP_11, headers, 32 * 1024)
        .map_err(|refusal| (refusal.code, refusal.close))
}

// E-06.
#[test]
fn long_targets_and_large_heads_have_their_own_answers() {
    let none = HeaderMap::new();
    assert_eq!(checked("/x", &none), Ok(()));
    assert_eq!(checked(&format!("/{}", "x".repeat(8191)), &none), Ok(()));
    assert_eq!(
        checked(&format!("/{}", "x".repeat(8192)), &none),
        Err((Code::UriTooLong, true))
    );
    assert_eq!(
        checked(&format!("/?{}", "x".repeat(8192)), &none),
        Err((Code::UriTooLong, true))
    );

    let mut large = HeaderMap::new();
    large.insert("x", HeaderValue::from_str(&"y".repeat(33_000)).unwrap());
    assert_eq!(checked("/x", &large), Err((Code::HeadersTooLarge, true)));

    let many: HeaderMap = (0..97)
        .map(|number| {
            (
                HeaderName::from_bytes(format!("x-{number}").as_bytes()).unwrap(),
                HeaderValue::from_static("y"),
            )
        })
        .collect();
    assert_eq!(checked("/x", &many), Err((Code::HeadersTooLarge, true)));
}

// P-10, attack 154.
#[test]
fn only_one_plain_chunked_is_understood() {
    let framed = |fields: &[(&'static str, &'static str)]| {
        let headers = fields
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        checked("/x", &headers)
    };
    assert_eq!(framed(&[("transfer-encoding", "chunked")]), Ok(()));
    assert_eq!(framed(&[("transfer-encoding", "Chunked")]), Ok(()));
    let refused = Err((Code::InvalidRequest, true));
    assert_eq!(framed(&[("transfer-encoding", "gzip, chunked")]), refused);
    assert_eq!(
        framed(&[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")]),
        refused
    );
    assert_eq!(
        framed(&[("transfer-encoding", "chunked"), ("content-length", "3")]),
        refused
    );
}

//! What upstreams see of `Cookie` (contract §5.10): everything but ours.

use http::HeaderMap;
use proptest::prelude::*;

use super::world::{header, headers};
use crate::session::{is_session_cookie_name, write_other_cookies};

#[test]
fn names_of_our_form_are_known_in_any_spelling() {
    for name in [
        "__Host-Http-shop-at",
        "__Host-Http-shop-rt",
        "__Host-Http-shop-id",
        "__Host-Http-shop-end",
        "__Host-Http-shop-login-0123abcd",
        "__Host-Http-shop-login-",
        "__Host-Http-other-at",
        "__Host-Http-a-b-c-at",
        "__Host-Http-0123456789abcdef-at",
        "__Host-Http-shop-at.1",
        "__Host-Http-shop-at.99999999",
        "__Host-Http-shop-at.",
        "__Host-Http-shop-end.2",
        "__Host-Http-login-login-00000000",
        "__Host-Http--login-at",
        "__HOST-HTTP-SHOP-AT",
        "__host-http-shop-Rt.1",
        " __Host-Http-shop-at",
        "__Host-Http-shop-at\t ",
        "\u{2000}__Host-Http-shop-at\u{a0}",
        "\"__Host-Http-shop-at".trim_start_matches('"'),
    ] {
        assert!(is_session_cookie_name(name.as_bytes()), "{name:?}");
    }
    assert!(
        is_session_cookie_name(b"\xa0__Host-Http-shop-at\x85"),
        "Latin-1 blanks"
    );
}

#[test]
fn other_names_are_not_ours() {
    for name in [
        "",
        "at",
        "theme",
        "__Host-Http-",
        "__Host-Http-at",
        "__Host-Http--at",
        "__Host-Http-shop",
        "__Host-Http-shop-",
        "__Host-Http-shop-att",
        "__Host-Http-shop-end2",
        "__Host-Http-shop-login",
        "__Host-Http-sh_op-at",
        "__Host-Http-sh op-at",
        "__Host-Http-0123456789abcdef0-at",
        "__Host-shop-at",
        "__Secure-Http-shop-at",
        "x__Host-Http-shop-at",
    ] {
        assert!(!is_session_cookie_name(name.as_bytes()), "{name:?}");
    }
}

/// `Cookie` fields, and what is left of them.
type Case = (&'static [&'static [u8]], Option<&'static [u8]>);

fn stripped(fields: &[&[u8]]) -> Option<Vec<u8>> {
    rest_of(&headers(fields))
}

fn rest_of(headers: &HeaderMap) -> Option<Vec<u8>> {
    let mut rest = b"before: ".to_vec();
    write_other_cookies(headers, &mut rest);
    let rest = rest.strip_prefix(b"before: ").expect("it only appends");
    (!rest.is_empty()).then(|| rest.to_vec())
}

#[test]
fn others_stay_byte_for_byte_and_in_order() {
    let cases: [Case; 12] = [
        (&[b"a=1; b=2"], Some(b"a=1; b=2")),
        // Nothing of ours: not a byte is touched.
        (&[b"a=1;b=2;  c"], Some(b"a=1;b=2;  c")),
        (&[b"a=1; __Host-Http-shop-at=x; b=2"], Some(b"a=1; b=2")),
        (&[b"__Host-Http-shop-at=x; a=1"], Some(b"a=1")),
        (&[b"a=1; __Host-Http-shop-at=x"], Some(b"a=1")),
        (&[b"__Host-Http-shop-at=x"], None),
        (
            &[b"__Host-Http-shop-at=x; __host-http-other-ID.3=y; __Host-Http-shop-login-1=z"],
            None,
        ),
        (
            &[b"n=M\xfcller=\"q\"; __Host-Http-shop-rt=x; \xff"],
            Some(b"n=M\xfcller=\"q\"; \xff"),
        ),
        (
            &[b"__Host-Http-shop-at =x; a= 1 ;\t__Host-Http-shop-at=y"],
            Some(b"a= 1"),
        ),
        (
            &[b"__Host-Http-shop-at; a=__Host-Http-shop-at=1"],
            Some(b"a=__Host-Http-shop-at=1"),
        ),
        (
            &[b"a=1", b"__Host-Http-shop-at=x", b"b=2; c=3"],
            Some(b"a=1; b=2; c=3"),
        ),
        (&[b""], None),
    ];
    for (fields, expected) in cases {
        assert_eq!(
            stripped(fields).as_deref(),
            expected,
            "{:?}",
            fields[0].escape_ascii().to_string()
        );
    }
    assert_eq!(stripped(&[]), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// However the fields are mixed, nothing of our form is left and nothing else is lost.
    #[test]
    fn nothing_of_ours_is_left_and_nothing_else_is_lost(
        pairs in prop::collection::vec(prop_oneof![
            "[a-z]{1,8}=[!-:<-~]{0,12}",
            "(__Host-Http-|__host-HTTP-)[a-z0-9]{1,16}-(at|rt|id|end|login-[0-9a-f]{8})(\\.[0-9]{1,3})?=[A-Za-z0-9_-]{0,20}",
        ], 0..12),
        cut in 0_usize..12,
    ) {
        let (first, second) = pairs.split_at(cut.min(pairs.len()));
        let (first, second) = (first.join("; "), second.join("; "));
        let others: Vec<_> = pairs
            .iter()
            .filter(|pair| !pair.to_ascii_lowercase().starts_with("__host-http-"))
            .cloned()
            .collect();
        let expected = (!others.is_empty()).then(|| others.join("; ").into_bytes());
        prop_assert_eq!(stripped(&[first.as_bytes(), second.as_bytes()]), expected);
    }

    #[test]
    fn any_bytes_can_be_stripped(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let bytes: Vec<u8> = bytes.into_iter().filter(|byte| *byte >= 32 && *byte != 127).collect();
        if let Some(rest) = rest_of(&header(&bytes)) {
            prop_assert!(rest.len() <= bytes.len());
        }
        is_session_cookie_name(&bytes);
    }
}

//! Paths that everybody reads alike, and those that nobody may.

use proptest::prelude::*;

use super::*;

fn canonical(raw: &str) -> Option<String> {
    CanonicalPath::read(raw).ok().map(|path| path.as_str().to_owned())
}

#[test]
fn plain_paths_pass_without_a_copy() {
    for raw in [
        "/",
        "/api",
        "/api/orders/1",
        "/api/",
        "/a.b/..c/c..",
        "/~x/%25",
        "/caf%C3%A9",
        "/a;b=1/c",
    ] {
        let path = CanonicalPath::read(raw).unwrap();
        assert!(
            matches!(path.into_text(), Cow::Borrowed(text) if text == raw),
            "{raw}"
        );
    }
}

#[test]
fn unreserved_characters_are_decoded_once() {
    assert_eq!(canonical("/%61pi/%7Ex").as_deref(), Some("/api/~x"));
    assert_eq!(canonical("/%2541").as_deref(), Some("/%2541"), "one level only");
    assert_eq!(canonical("/a%2Db").as_deref(), Some("/a-b"));
    assert!(CanonicalPath::read("/%41").unwrap().has_uppercase());
}

// Attacks 34, 35, 37.
#[test]
fn paths_that_two_servers_read_differently_are_refused() {
    for raw in [
        "",
        "*",
        "api",
        "//api/private",
        "/api//private",
        "/public/../api/private",
        "/public/./x",
        "/..",
        "/.",
        "/public/%2e%2e/api/private",
        "/public/.%2e/api",
        "/public/%2E./api",
        "/public/..;/api/private",
        "/public/..;x=1/api",
        "/public/%2e%2e;/api",
        "/public/..%3b/api",
        "/public/%252e%252e/api/private",
        "/public/%25252e%25252e/api",
        "/public/..%2fapi/private",
        "/public/..%252fapi",
        "/public/..%5capi",
        "/public/..%255capi",
        "/api\\private",
        "/api%5cprivate",
        "/api/private%00",
        "/api/private%0a.css",
        "/api/%7f",
        "/%zz",
        "/%",
        "/%4",
        "/api/\u{ff}",
        "/api/%c0%ae%c0%ae/x",
        "/api/%e0%80%ae",
        "/api/x#y",
        "/api x",
        "/api/\u{1}",
    ] {
        assert!(CanonicalPath::read(raw).is_err(), "{raw:?}");
    }
}

#[test]
fn absurd_nesting_is_refused_in_bounded_time() {
    let nested = format!("/{}2e", "%25".repeat(20).replace("%25%25", "%2525"));
    let deep = format!("/%{}41", "25".repeat(4000));
    assert!(CanonicalPath::read(&deep).is_err());
    let _ = CanonicalPath::read(&nested);
}

#[test]
fn an_encoded_slash_is_reported_not_decoded() {
    for raw in ["/a%2Fb", "/a%2fb"] {
        let path = CanonicalPath::read(raw).unwrap();
        assert!(path.has_encoded_slash());
        assert_eq!(path.as_str(), raw);
    }
    assert!(!CanonicalPath::read("/a%252fb").unwrap().has_encoded_slash());
}

#[test]
fn parameters_end_a_segment() {
    let cut = |raw| CanonicalPath::read(raw).unwrap().without_parameters();
    assert_eq!(cut("/api;v=1/orders;x").as_deref(), Some("/api/orders"));
    assert_eq!(cut("/api/orders"), None);
}

proptest! {
    #[test]
    fn nothing_panics_and_canonical_is_a_fixed_point(raw in "/?([a-zA-Z0-9._~;%/\\\\-]|%[0-9a-fA-F]{2}|%25|%2[eEfF]|é){0,24}") {
        if let Ok(path) = CanonicalPath::read(&raw) {
            let text = path.as_str().to_owned();
            let again = CanonicalPath::read(&text).unwrap();
            prop_assert_eq!(again.as_str(), &text);
            prop_assert_eq!(again.has_encoded_slash(), path.has_encoded_slash());
            prop_assert_eq!(again.has_uppercase(), text.bytes().any(|byte| byte.is_ascii_uppercase()));
            prop_assert!(again.as_str().is_ascii());
        }
    }

    #[test]
    fn no_reading_of_a_canonical_path_leaves_its_prefix(raw in "(/([a-c.;]|%2[eE]|%25|2e|%5[cC]|%3[bB]){0,6}){1,5}") {
        if let Ok(path) = CanonicalPath::read(&raw) {
            // However often a server decodes, and whether or not it knows parameters, no dot segment appears.
            let mut level = path.as_str().as_bytes().to_vec();
            for _ in 0..12 {
                for segment in level.split(|byte| matches!(byte, b'/' | b'\\')) {
                    let name = segment.split(|byte| *byte == b';').next().unwrap();
                    prop_assert!(name != b"." && name != b"..", "{}", String::from_utf8_lossy(&level));
                }
                level = percent_encoding::percent_decode(&level).collect();
            }
        }
    }

    #[test]
    fn arbitrary_text_never_panics(raw in "\\PC{0,40}") {
        let _ = CanonicalPath::read(&raw);
    }
}

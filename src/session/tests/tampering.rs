//! K-04, attacks 71 and 80: what was changed does not open, and nobody learns what was wrong with it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;

use super::world::{Jar, NOW, cookies, header, session_of, unreadable};
use crate::session::{Cookies, Parts, Replaces};

fn jar(cookies: &Cookies) -> Jar {
    Jar::of(
        &cookies
            .seal(&session_of(20), Parts::ALL, Replaces::Everything, NOW)
            .unwrap(),
    )
}

/// The one thing an answer may depend on: a well-formed header that names another key (contract §4).
fn names_another_key(value: &[u8], original: &[u8]) -> bool {
    let key_id = |value: &[u8]| {
        let header = URL_SAFE_NO_PAD.decode(value.get(..8)?).ok()?;
        (header[0] == 1).then(|| header[1..5].to_vec())
    };
    key_id(value).is_some_and(|found| Some(found) != key_id(original))
}

#[test]
fn every_flipped_bit_of_every_cookie_has_the_same_outcome() {
    let cookies = cookies();
    let jar = jar(&cookies);
    let mut left_alone = 0;
    for (name, value) in &jar.0 {
        for position in 0..value.len() {
            for bit in 0..8 {
                let mut changed = value.clone().into_bytes();
                changed[position] ^= 1 << bit;
                let mut others = jar.clone();
                others.0.remove(name);
                let mut cookie = others.headers()[http::header::COOKIE].as_bytes().to_vec();
                cookie.extend_from_slice(format!("; {name}=").as_bytes());
                cookie.extend_from_slice(&changed);
                // Control characters never get past the HTTP parser.
                if HeaderValue::from_bytes(&cookie).is_err() {
                    continue;
                }
                let clear = !names_another_key(&changed, value.as_bytes());
                left_alone += usize::from(!clear);
                assert_eq!(
                    unreadable(&cookies, &header(&cookie)),
                    Some(clear),
                    "{name} at {position}, bit {bit}"
                );
            }
        }
    }
    // 32 bits of key id in each of three cookies; not every flip of a character is one of base64.
    assert!((30..=200).contains(&left_alone), "{left_alone}");
}

#[test]
fn a_value_cut_short_or_with_more_at_its_end_does_not_open() {
    let cookies = cookies();
    let jar = jar(&cookies);
    for name in jar.0.keys() {
        for length in 0..jar.0[name].len() {
            let mut jar = jar.clone();
            jar.0.get_mut(name).unwrap().truncate(length);
            assert_eq!(
                unreadable(&cookies, &jar.headers()),
                Some(true),
                "{name} {length}"
            );
        }
        for more in ["A", "AA", "AAA", "AAAA", "=", "==", "%", ".", "\"", " x"] {
            let mut jar = jar.clone();
            jar.0.get_mut(name).unwrap().push_str(more);
            assert_eq!(
                unreadable(&cookies, &jar.headers()),
                Some(true),
                "{name} + {more}"
            );
        }
    }
}

/// Base64 that decodes to the same bytes by a lenient reader is not the same value.
#[test]
fn stray_bits_and_other_alphabets_do_not_open() {
    let cookies = cookies();
    // Lengths such that the last group is a partial one for at least two of them.
    for length in 20..24 {
        let set = cookies
            .seal(&session_of(length), Parts::ALL, Replaces::Everything, NOW)
            .unwrap();
        let jar = Jar::of(&set);
        let value = &jar.0["__Host-Http-shop-at"];
        if value.len().is_multiple_of(4) {
            continue;
        }
        let last = *value.as_bytes().last().unwrap();
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for other in alphabet.iter().filter(|other| **other != last) {
            let mut jar = jar.clone();
            let mut changed = value.clone();
            changed.pop();
            changed.push(char::from(*other));
            jar.0.insert("__Host-Http-shop-at".into(), changed);
            assert_eq!(unreadable(&cookies, &jar.headers()), Some(true), "{length}");
        }
    }
    let mut jar = jar(&cookies);
    let standard = jar.0["__Host-Http-shop-at"].replace('-', "+").replace('_', "/");
    assert_ne!(standard, jar.0["__Host-Http-shop-at"]);
    jar.0.insert("__Host-Http-shop-at".into(), standard);
    assert_eq!(unreadable(&cookies, &jar.headers()), Some(true));
}

/// Attack 80: nothing but the one sealed format is read.
#[test]
fn other_formats_are_no_session() {
    let cookies = cookies();
    for value in [
        "",
        "evil",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.",
        "{\"sub\":\"alice\"}",
        "%7B%22sub%22%3A%22alice%22%7D",
        "AQAAAA",
        "AgAAAAAB",
        "========",
    ] {
        let headers = header(format!("__Host-Http-shop-at={value}").as_bytes());
        assert_eq!(unreadable(&cookies, &headers), Some(true), "{value}");
    }
    // Well-formed, but under a key nobody here has.
    for value in [
        "AQAAAAAB",
        "AQAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let headers = header(format!("__Host-Http-shop-at={value}").as_bytes());
        assert_eq!(unreadable(&cookies, &headers), Some(false), "{value}");
    }
}

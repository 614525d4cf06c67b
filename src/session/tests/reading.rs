//! K-08, attacks 88 and 89: what counts as a cookie of ours.

use super::world::{Jar, NOW, assert_same, cookies, header, headers, opened, session, unreadable};
use crate::session::{Opened, Parts, Replaces};

const AT: &str = "__Host-Http-shop-at";

fn jar() -> Jar {
    Jar::of(
        &cookies()
            .seal(&session(), Parts::ALL, Replaces::Everything, NOW)
            .unwrap(),
    )
}

fn pairs() -> Vec<String> {
    jar()
        .0
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}

/// K-08: HTTP/2 splits the field.
#[test]
fn several_cookie_fields_count_as_one() {
    let pairs = pairs();
    let fields: Vec<_> = pairs.iter().map(String::as_bytes).collect();
    assert_same(&opened(&cookies(), &headers(&fields)).0, &session());
    let with_others = headers(&[b"theme=dark", fields[2], b"a=b; c", fields[0], fields[1], b";;"]);
    assert_same(&opened(&cookies(), &with_others).0, &session());
}

#[test]
fn neighbours_may_hold_anything() {
    let mut field = b"name=M\xfcller; =; ;;=x; \xff\xfe; a==b; \"q=\"; $Version=1;".to_vec();
    field.extend_from_slice(pairs().join(";\t ").as_bytes());
    field.extend_from_slice(b";last=\xe2\x80\x80");
    assert_same(&opened(&cookies(), &header(&field)).0, &session());
}

/// Attack 88: only the exact name is ours; none of these can be made to count as it.
#[test]
fn names_that_only_look_like_ours_are_not_read() {
    let value = jar().0[AT].clone();
    for name in [
        "\u{2000}__Host-Http-shop-at",
        "\u{a0}__Host-Http-shop-at",
        "__Host-Http-shop-at\u{2000}",
        "__Host-Http-shop-at ",
        "__Host-Http-shop-at\t",
        "__host-http-shop-at",
        "__HOST-HTTP-SHOP-AT",
        "__Host-Http-Shop-at",
        "__Host-shop-at",
        "__Secure-shop-at",
        "Host__-Http-shop-at",
        "__Host-Http-shop-at%20",
        "%5F_Host-Http-shop-at",
        "\"__Host-Http-shop-at",
        "$__Host-Http-shop-at",
        "__Host-Http-shopp-at",
        "__Host-Http--at",
        "__Host-Http-shop-att",
        "=__Host-Http-shop-at",
    ] {
        let headers = header(format!("{name}={value}").as_bytes());
        assert!(matches!(cookies().open(&headers), Opened::Absent), "{name:?}");
    }
    // No value at all is not a cookie of ours either.
    assert!(matches!(cookies().open(&header(AT.as_bytes())), Opened::Absent));
}

#[test]
fn blanks_around_a_pair_are_no_part_of_it() {
    let field = format!(" \t {} \t ;{}  ; {}", pairs()[0], pairs()[1], pairs()[2]);
    assert_same(&opened(&cookies(), &header(field.as_bytes())).0, &session());
}

/// Attack 89: two cookies of one name, which one is meant?
#[test]
fn two_different_cookies_of_one_name_are_no_session() {
    let cookies = cookies();
    let mine = pairs().join("; ");
    let other = Jar::of(
        &cookies
            .seal(&session(), Parts::ALL, Replaces::Everything, NOW)
            .unwrap(),
    );
    let again = Jar::of(
        &cookies
            .seal(&session(), Parts::ALL, Replaces::Everything, NOW)
            .unwrap(),
    );
    assert_ne!(other.0[AT], again.0[AT]);
    for name in jar().0.keys() {
        for value in [again.0[name].as_str(), "evil", ""] {
            let second = format!("{name}={value}");
            assert_eq!(
                unreadable(&cookies, &header(format!("{mine}; {second}").as_bytes())),
                Some(true)
            );
            assert_eq!(
                unreadable(&cookies, &header(format!("{second}; {mine}").as_bytes())),
                Some(true)
            );
            let fields = headers(&[mine.as_bytes(), second.as_bytes()]);
            assert_eq!(unreadable(&cookies, &fields), Some(true));
        }
    }
}

#[test]
fn the_same_cookie_twice_is_one() {
    let twice = [pairs(), pairs()].concat().join("; ");
    let cookies = cookies();
    assert!(matches!(
        cookies.open(&header(twice.as_bytes())),
        Opened::Session(..)
    ));
}

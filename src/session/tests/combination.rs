//! Which cookies make a session together (contract §4).

use super::world::{Jar, NOW, cookies, opened, session, unreadable};
use crate::session::{Generation, Opened, Parts, Replaces, SessionId};

const AT: &str = "__Host-Http-shop-at";
const RT: &str = "__Host-Http-shop-rt";
const ID: &str = "__Host-Http-shop-id";

fn jar() -> Jar {
    let set = cookies()
        .seal(&session(), Parts::ALL, Replaces::Everything, NOW)
        .unwrap();
    Jar::of(&set)
}

fn without(name: &str) -> Jar {
    let mut jar = jar();
    jar.0.remove(name);
    jar
}

#[test]
fn no_cookie_is_no_session() {
    assert!(matches!(cookies().open(&http::HeaderMap::new()), Opened::Absent));
    assert!(matches!(
        cookies().open(&Jar::default().headers()),
        Opened::Absent
    ));
}

/// A cookie that is missing is not one that was tampered with: the jar is left alone.
#[test]
fn without_the_access_cookie_there_is_no_session() {
    assert_eq!(unreadable(&cookies(), &without(AT).headers()), Some(false));
}

#[test]
fn a_session_that_has_a_refresh_token_needs_its_cookie() {
    assert_eq!(unreadable(&cookies(), &without(RT).headers()), Some(false));
}

#[test]
fn a_session_without_a_refresh_token_needs_no_cookie_for_it() {
    let mut session = session();
    session.refresh = None;
    session.access.has_refresh = false;
    let set = cookies()
        .seal(&session, Parts::ALL, Replaces::Everything, NOW)
        .unwrap();
    let (found, _) = opened(&cookies(), &Jar::of(&set).headers());
    assert!(found.refresh.is_none());
    assert_eq!(found.generation, Generation(3));
}

#[test]
fn every_session_needs_its_id_cookie() {
    assert_eq!(unreadable(&cookies(), &without(ID).headers()), Some(false));
}

/// Answers arrive in any order: the refresh token's generation decides about renewal.
#[test]
fn generations_of_one_session_open_together() {
    let cookies = cookies();
    let mut newer = session();
    newer.generation = Generation(4);
    newer.access.generation = Generation(4);
    let newer = Jar::of(
        &cookies
            .seal(&newer, Parts::ALL, Replaces::Everything, NOW)
            .unwrap(),
    );
    for (name, access, decides) in [(AT, 4, 3), (RT, 3, 4), (ID, 3, 3)] {
        let mut jar = jar();
        jar.0.insert(name.into(), newer.0[name].clone());
        let (found, _) = opened(&cookies, &jar.headers());
        assert_eq!(found.access.generation, Generation(access), "new {name}");
        assert_eq!(found.generation, Generation(decides), "new {name}");
    }
}

#[test]
fn cookies_of_two_sessions_are_no_session() {
    let cookies = cookies();
    let mut other = session();
    other.id = SessionId([8; 16]);
    let other = Jar::of(
        &cookies
            .seal(&other, Parts::ALL, Replaces::Everything, NOW)
            .unwrap(),
    );
    for name in [AT, RT, ID] {
        let mut jar = jar();
        jar.0.insert(name.into(), other.0[name].clone());
        assert_eq!(
            unreadable(&cookies, &jar.headers()),
            Some(false),
            "{name} of another session"
        );
    }
}

/// Nothing of the session is used when any of its cookies was tampered with.
#[test]
fn one_cookie_that_does_not_open_spoils_the_session() {
    for name in [AT, RT, ID] {
        let mut jar = jar();
        let value = jar.0.get_mut(name).unwrap();
        let last = if value.ends_with('A') { "Q" } else { "A" };
        value.replace_range(40..41, if &value[40..41] == "x" { "y" } else { "x" });
        value.replace_range(value.len() - 1.., last);
        assert_eq!(unreadable(&cookies(), &jar.headers()), Some(true), "{name}");
    }
}

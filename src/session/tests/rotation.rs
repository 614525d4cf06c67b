//! M-03: keys come and go without anybody being logged out.

use super::world::{Jar, NOW, app, assert_same, cookies_of, key, opened, session, unreadable};
use crate::config::CookieKey;
use crate::session::{Cookies, Parts, Replaces};

fn of(keys: &[CookieKey]) -> Cookies {
    cookies_of(keys, &app())
}

fn sealed_by(cookies: &Cookies) -> Jar {
    Jar::of(
        &cookies
            .seal(&session(), Parts::ALL, Replaces::Everything, NOW)
            .unwrap(),
    )
}

/// The two steps of contract §4: added last everywhere, then moved first; at each point all replicas read each other.
#[test]
fn a_rotation_in_two_steps_loses_no_session() {
    let steps = [
        vec![key(1)],
        vec![key(1), key(2)],
        vec![key(2), key(1)],
        vec![key(2)],
    ];
    let replicas: Vec<_> = steps.iter().map(|keys| of(keys)).collect();
    for (one, other) in [(0, 1), (1, 0), (1, 2), (2, 1), (2, 3)] {
        let jar = sealed_by(&replicas[one]);
        assert_same(&opened(&replicas[other], &jar.headers()).0, &session());
    }
}

#[test]
fn the_first_key_seals() {
    let jar = sealed_by(&of(&[key(2), key(1)]));
    assert_same(&opened(&of(&[key(2)]), &jar.headers()).0, &session());
    assert_eq!(unreadable(&of(&[key(1)]), &jar.headers()), Some(false));
}

/// A value under an unknown key is left alone, whatever else is in the jar: a replica may be behind.
#[test]
fn an_unknown_key_leaves_the_jar_alone() {
    let (here, elsewhere) = (of(&[key(1)]), of(&[key(9)]));
    let foreign = sealed_by(&elsewhere);
    assert_eq!(unreadable(&here, &foreign.headers()), Some(false));
    for name in foreign.0.keys() {
        let mut jar = sealed_by(&here);
        jar.0.insert(name.clone(), foreign.0[name].clone());
        assert_eq!(
            unreadable(&here, &jar.headers()),
            Some(false),
            "{name} of another key"
        );
    }
}

#[test]
fn a_mixed_jar_of_two_known_keys_opens() {
    let (old, new) = (of(&[key(1)]), of(&[key(2), key(1)]));
    let mut jar = sealed_by(&old);
    jar.apply(
        &new.seal(&session(), Parts::ACCESS, Replaces::Everything, NOW)
            .unwrap(),
    );
    assert_same(&opened(&new, &jar.headers()).0, &session());
}

/// The checked configuration never comes here; if it did, nothing would be sealed under a key anybody knows.
#[test]
fn without_keys_a_key_that_nobody_knows_is_used() {
    let cookies = of(&[]);
    let jar = sealed_by(&cookies);
    assert_same(&opened(&cookies, &jar.headers()).0, &session());
    assert_eq!(unreadable(&of(&[key(0)]), &jar.headers()), Some(false));
}

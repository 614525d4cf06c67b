//! M-03: keys come and go without anybody being logged out.

use super::farewell::farewell;
use super::login::pending;
use super::world::{Jar, NOW, app, assert_same, cookies_of, key, opened, session, unreadable};
use crate::config::CookieKey;
use crate::metrics::Meters;
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

/// Which values still need the old key: those are sealed anew.
#[test]
fn what_is_under_an_older_key_is_told() {
    let (old, new) = (of(&[key(1)]), of(&[key(2), key(1)]));
    let mut jar = sealed_by(&old);
    assert_eq!(opened(&old, &jar.headers()).1.outdated(), Parts::NONE);
    assert_eq!(opened(&new, &jar.headers()).1.outdated(), Parts::ALL);
    jar.apply(
        &new.seal(&session(), Parts::ACCESS, Replaces::Everything, NOW)
            .unwrap(),
    );
    let left = opened(&new, &jar.headers()).1.outdated();
    assert_eq!((left.access, left.refresh, left.id), (false, true, true));
}

/// By key and purpose; what a thread remembers is not opened again, but under an old key it is counted each time: an operator
/// who sees no increase may rely on it.
#[test]
fn openings_are_counted_by_key_and_an_old_one_each_time() {
    let meters = Meters::default();
    let (old, new) = (of(&[key(1)]), of(&[key(2), key(1)]).counted(&meters));
    let [old_id, new_id] = [key(1).id(), key(2).id()];
    let jar = sealed_by(&old);
    for time in 1..=3 {
        opened(&new, &jar.headers());
        assert_eq!((meters.opened(&old_id), meters.opened(&new_id)), (3 * time, 0));
    }
    let jar = sealed_by(&new);
    for _ in 0..3 {
        opened(&new, &jar.headers());
        assert_eq!((meters.opened(&old_id), meters.opened(&new_id)), (9, 3));
    }
    // What does not open is not counted.
    let foreign = sealed_by(&of(&[key(9)]));
    assert_eq!(unreadable(&new, &foreign.headers()), Some(false));
    assert_eq!(meters.opened(&old_id) + meters.opened(&new_id), 12);
}

/// A login that is pending while the keys move ends as it began; so does the way to the provider's logout.
#[test]
fn a_pending_login_and_a_farewell_outlive_the_move() {
    let (old, new) = (of(&[key(1)]), of(&[key(2), key(1)]));
    let login = pending("state-1", NOW);
    let mut jar = Jar::default();
    jar.apply(&old.seal_login(&login, &jar.headers(), NOW).unwrap());
    let found = new.open_login(&jar.headers(), login.state.expose(), NOW).unwrap();
    assert_eq!(found.nonce.expose(), login.nonce.expose());
    // A further login counts it, and does not push it out as one of an unknown key.
    let set = new
        .seal_login(&pending("state-2", NOW), &jar.headers(), NOW)
        .unwrap();
    assert_eq!(set.len(), 1);
    jar.apply(&old.seal_farewell(&farewell(100)).unwrap());
    assert!(new.open_farewell(&jar.headers(), NOW).is_some());
    assert!(of(&[key(2)]).open_farewell(&jar.headers(), NOW).is_none());
}

/// The checked configuration never comes here; if it did, nothing would be sealed under a key anybody knows.
#[test]
fn without_keys_a_key_that_nobody_knows_is_used() {
    let cookies = of(&[]);
    let jar = sealed_by(&cookies);
    assert_same(&opened(&cookies, &jar.headers()).0, &session());
    assert_eq!(unreadable(&of(&[key(0)]), &jar.headers()), Some(false));
}

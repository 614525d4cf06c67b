//! What this thread remembers changes how fast a session opens, and nothing else.

use http::HeaderMap;
use http::header::COOKIE;

use super::world::{
    Jar, NOW, app, assert_same, cookies, cookies_of, header, key, opened, session_of, unreadable,
};
use crate::session::recent::{SLOTS, remembered};
use crate::session::{Cookies, Generation, Opened, Parts, Replaces, Session, SessionId};

fn sealed(cookies: &Cookies, session: &Session) -> HeaderMap {
    Jar::of(
        &cookies
            .seal(session, Parts::ALL, Replaces::Everything, NOW)
            .unwrap(),
    )
    .headers()
}

#[test]
fn what_comes_again_opens_to_the_same() {
    let cookies = cookies();
    let headers = sealed(&cookies, &session_of(300));
    let (first, first_presented) = opened(&cookies, &headers);
    assert_eq!(remembered(), 1);
    let (again, again_presented) = opened(&cookies, &headers);
    assert_same(&first, &again);
    assert_eq!(first_presented, again_presented);
}

#[test]
fn a_byte_that_differs_from_what_is_remembered_is_opened_anew_and_refused() {
    // K-04, attack 71: also in the middle, which the slot does not look at.
    let cookies = cookies();
    let headers = sealed(&cookies, &session_of(100));
    opened(&cookies, &headers);
    let field = headers[COOKIE].as_bytes();
    for position in 0..field.len() {
        let mut changed = field.to_vec();
        changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
        assert!(
            !matches!(cookies.open(&header(&changed)), Opened::Session(..)),
            "byte {position}"
        );
    }
    opened(&cookies, &headers);
}

#[test]
fn what_one_app_or_ring_remembers_another_does_not_find() {
    // Attack 76, M-04.
    let cookies = cookies();
    let headers = sealed(&cookies, &session_of(100));
    opened(&cookies, &headers);
    assert_eq!(
        unreadable(&cookies_of(&[key(2)], &app()), &headers),
        Some(false),
        "after a rotation"
    );
    let mut other = app();
    other.provider.client_id = "another-client".into();
    assert_eq!(unreadable(&cookies_of(&[key(1)], &other), &headers), Some(true));
    opened(&cookies_of(&[key(1)], &app()), &headers);
}

#[test]
fn a_newer_generation_in_the_same_jar_is_what_opens() {
    let cookies = cookies();
    let mut session = session_of(100);
    let older = sealed(&cookies, &session);
    opened(&cookies, &older);
    session.generation = Generation(4);
    session.access.generation = Generation(4);
    let newer = sealed(&cookies, &session);
    assert_eq!(opened(&cookies, &newer).0.generation, Generation(4));
    assert_eq!(opened(&cookies, &older).0.generation, Generation(3));
}

#[test]
fn what_a_thread_remembers_is_bounded() {
    let cookies = cookies();
    let mut session = session_of(20);
    for number in 0..u16::try_from(SLOTS).unwrap() * 3 {
        let [high, low] = number.to_be_bytes();
        session.id = SessionId([high; 16]);
        session.id.0[15] = low;
        let headers = sealed(&cookies, &session);
        assert_eq!(opened(&cookies, &headers).0.id, session.id);
        assert_eq!(opened(&cookies, &headers).0.id, session.id);
    }
    assert!(
        remembered() <= SLOTS && remembered() > SLOTS / 4,
        "{}",
        remembered()
    );
}

//! K-06: what does not fit is refused, nothing is dropped in silence.

use super::world::{Jar, NOW, app, cookies, cookies_of, key, opened, presented, session, session_of};
use crate::session::{Cookies, Parts, Replaces, Session};

fn with_budget(budget: usize) -> Cookies {
    let mut app = app();
    app.session.cookie_budget = budget;
    cookies_of(&[key(1)], &app)
}

/// The bytes these cookies add to a `Cookie` field.
fn bytes(jar: &Jar) -> usize {
    jar.0
        .iter()
        .map(|(name, value)| name.len() + value.len() + "=; ".len())
        .sum()
}

#[test]
fn the_budget_counts_names_values_and_separators_of_all_three() {
    let session = session_of(2000);
    let set = with_budget(64 * 1024)
        .seal(&session, Parts::ALL, Replaces::Everything, NOW)
        .unwrap();
    let exact = bytes(&Jar::of(&set));

    assert!(
        with_budget(exact)
            .seal(&session, Parts::ALL, Replaces::Everything, NOW)
            .is_ok()
    );
    let refused = with_budget(exact - 1)
        .seal(&session, Parts::ALL, Replaces::Everything, NOW)
        .unwrap_err();
    assert_eq!((refused.needed, refused.budget), (exact, exact - 1));
    // What is not sealed anew counts too.
    let refused = with_budget(exact - 1)
        .seal(&session, Parts::ACCESS, Replaces::Everything, NOW)
        .unwrap_err();
    assert_eq!(refused.needed, exact);
}

/// Attack 85: 60 kB of groups.
#[test]
fn a_token_beyond_every_budget_is_refused() {
    for length in [60_000, 1_000_000] {
        assert!(
            with_budget(64 * 1024)
                .seal(&session_of(length), Parts::ALL, Replaces::Everything, NOW)
                .is_err()
        );
    }
}

/// The largest budget is usable to its end: no more chunks than are ever read back.
#[test]
fn a_session_that_just_fits_the_largest_budget_opens() {
    let cookies = with_budget(64 * 1024);
    let mut session = session();
    session.refresh = None;
    session.access.has_refresh = false;
    session.id_token = Some(crate::token::IdToken::new("i"));
    let largest = (40_000..49_152)
        .rev()
        .find(|length| {
            session.access.token = crate::token::AccessToken::new("t".repeat(*length));
            cookies
                .seal(&session, Parts::ALL, Replaces::Everything, NOW)
                .is_ok()
        })
        .unwrap();
    assert!(largest > 48_000, "{largest}");
    let jar = Jar::of(
        &cookies
            .seal(&session, Parts::ALL, Replaces::Everything, NOW)
            .unwrap(),
    );
    assert_eq!(jar.0.len(), 17);
    assert_eq!(opened(&cookies, &jar.headers()).1, presented([16, 0, 1]));
}

/// A callback cannot see Strict cookies of the past: every chunk number up to the budget goes (contract §4).
#[test]
fn a_login_clears_every_chunk_there_may_be() {
    let cookies = cookies();
    let mut past = Jar::default();
    for kind in ["at", "rt", "id"] {
        past.0.insert(format!("__Host-Http-shop-{kind}"), "old".into());
        past.0.insert(format!("__Host-Http-shop-{kind}.1"), "old".into());
    }
    past.apply(
        &cookies
            .seal(&session(), Parts::ALL, Replaces::Everything, NOW)
            .unwrap(),
    );
    assert_eq!(past.0.len(), 3, "{:?}", past.0.keys());
    assert!(past.0.values().all(|value| value != "old"));
}

#[test]
fn a_login_without_refresh_and_id_token_clears_those_of_the_past() {
    let cookies = cookies();
    let mut jar = Jar::of(
        &cookies
            .seal(&session(), Parts::ALL, Replaces::Everything, NOW)
            .unwrap(),
    );
    let bare = Session {
        refresh: None,
        id_token: None,
        access: crate::session::Access {
            has_refresh: false,
            ..session().access
        },
        ..session()
    };
    jar.apply(
        &cookies
            .seal(&bare, Parts::ALL, Replaces::Everything, NOW)
            .unwrap(),
    );
    assert_eq!(jar.0.keys().collect::<Vec<_>>(), ["__Host-Http-shop-at"]);
}

#[test]
fn nothing_is_cleared_that_was_not_presented() {
    let cookies = cookies();
    let replaces = Replaces::Presented(presented([1, 1, 1]));
    let set = cookies.seal(&session(), Parts::ALL, replaces, NOW).unwrap();
    assert_eq!(set.len(), 3);
}

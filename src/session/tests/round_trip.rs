//! What is sealed opens as it was.

use proptest::option;
use proptest::prelude::*;

use super::world::{Jar, NOW, SHARED, assert_same, cookies, opened, presented, session};
use crate::clock::Timestamp;
use crate::session::{Access, Generation, Identity, Parts, Replaces, Session, SessionId};
use crate::store::Epoch;
use crate::token::{AccessToken, IdToken, RefreshToken};
use std::time::Duration;

#[test]
fn a_sealed_session_opens_as_it_was() {
    let cookies = cookies();
    let session = session();
    let set = cookies
        .seal(&session, Parts::ALL, Replaces::Everything, NOW)
        .unwrap();
    let (found, seen) = opened(&cookies, &Jar::of(&set).headers());
    assert_same(&found, &session);
    assert_eq!(seen, presented([1, 1, 1]));
}

#[test]
fn a_slide_replaces_the_access_cookie_alone() {
    let cookies = cookies();
    let mut session = session();
    let mut jar = Jar::of(
        &cookies
            .seal(&session, Parts::ALL, Replaces::Everything, NOW)
            .unwrap(),
    );
    let before = jar.clone();
    let (_, presented) = opened(&cookies, &jar.headers());

    session.touched = NOW.after(Duration::from_secs(900));
    jar.apply(
        &cookies
            .seal(&session, Parts::ACCESS, Replaces::Presented(presented), NOW)
            .unwrap(),
    );

    assert_same(&opened(&cookies, &jar.headers()).0, &session);
    assert_ne!(jar.0["__Host-Http-shop-at"], before.0["__Host-Http-shop-at"]);
    assert_eq!(jar.0["__Host-Http-shop-rt"], before.0["__Host-Http-shop-rt"]);
    assert_eq!(jar.0["__Host-Http-shop-id"], before.0["__Host-Http-shop-id"]);
}

prop_compose! {
    fn any_access()(
        token in "\\PC{0,5000}",
        expires in option::of(any::<u64>()),
        generation in any::<u64>(),
        scope in option::of("\\PC{0,40}"),
    ) -> Access {
        Access {
            token: AccessToken::new(token),
            expires: expires.map(Timestamp::from_millis),
            generation: Generation(generation),
            scope: scope.map(Into::into),
            has_refresh: false,
        }
    }
}

prop_compose! {
    fn any_identity()(
        subject in "\\PC{0,255}",
        provider_session in option::of("\\PC{0,64}"),
        auth_time in option::of(any::<u64>()),
        acr in option::of("\\PC{0,64}"),
    ) -> Identity {
        Identity {
            subject: subject.into(),
            provider_session: provider_session.map(Into::into),
            auth_time,
            acr: acr.map(Into::into),
        }
    }
}

prop_compose! {
    pub(super) fn any_session()(
        id in any::<[u8; 16]>(),
        times in any::<[u64; 3]>(),
        idle in any::<u64>(),
        absolute in any::<u64>(),
        access in any_access(),
        refresh in option::of("\\PC{0,3000}"),
        id_token in "\\PC{0,3000}",
        has_refresh in any::<bool>(),
        identity in any_identity(),
    ) -> Session {
        Session {
            id: SessionId(id),
            generation: access.generation,
            started: Timestamp::from_millis(times[0]),
            touched: Timestamp::from_millis(times[1]),
            idle: Duration::from_millis(idle),
            absolute: Duration::from_millis(absolute),
            epoch: Epoch(times[2]),
            access: Access { has_refresh: has_refresh && refresh.is_some(), ..access },
            refresh: refresh.map(RefreshToken::new),
            id_token: Some(IdToken::new(id_token)),
            shelf: None,
            identity,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_session_opens_as_it_was(session in any_session()) {
        let set = SHARED.seal(&session, Parts::ALL, Replaces::Everything, NOW).unwrap();
        let (found, _) = opened(&SHARED, &Jar::of(&set).headers());
        assert_same(&found, &session);
    }
}

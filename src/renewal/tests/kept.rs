//! The sealed result of a renewal: for whoever holds the old refresh token of this session, and for nobody else.

use std::time::Duration;

use super::world::{World, alice, tokens};
use crate::config::AppId;
use crate::renewal::keep;
use crate::session::{Access, Generation, Identity, Session, SessionId};
use crate::token::{AccessToken, IdToken, RefreshToken};

async fn two_generations(world: &World) -> (Session, Session) {
    let (old, _) = world
        .sessions
        .begin(tokens(), alice(), None, world.sessions.now())
        .await
        .unwrap();
    let renewed = Session {
        generation: Generation(1),
        touched: old.touched.after(Duration::from_secs(580)),
        access: Access {
            token: AccessToken::new("at-1"),
            expires: Some(old.touched.after(Duration::from_secs(1180))),
            generation: Generation(1),
            scope: Some("openid".into()),
            has_refresh: true,
        },
        refresh: Some(RefreshToken::new("rt-1")),
        id_token: Some(IdToken::new("header.alice2.signature")),
        identity: Identity {
            acr: Some("gold".into()),
            ..alice()
        },
        ..old.clone()
    };
    (old, renewed)
}

fn shop() -> AppId {
    AppId("shop".into())
}

#[tokio::test]
async fn it_opens_with_the_old_session_and_is_the_new_one() {
    let world = World::new().await;
    let (old, renewed) = two_generations(&world).await;
    let sealed = keep::seal(&shop(), &old, &renewed, &*world.sessions.parts.random).unwrap();
    let opened = keep::open(&shop(), &old, &sealed).unwrap();
    // The redacted parts one by one, the rest as it prints.
    assert_eq!(format!("{opened:?}"), format!("{renewed:?}"));
    assert_eq!(opened.id, renewed.id);
    assert_eq!(opened.access.token.expose(), "at-1");
    assert_eq!(opened.refresh.unwrap().expose(), "rt-1");
    assert_eq!(opened.id_token.unwrap().expose(), "header.alice2.signature");
}

#[tokio::test]
async fn it_opens_for_nobody_else() {
    let world = World::new().await;
    let (old, renewed) = two_generations(&world).await;
    let sealed = keep::seal(&shop(), &old, &renewed, &*world.sessions.parts.random).unwrap();
    let others = [
        Session {
            refresh: Some(RefreshToken::new("rt-x")),
            ..old.clone()
        },
        Session {
            refresh: None,
            ..old.clone()
        },
        Session {
            id: SessionId([0; 16]),
            ..old.clone()
        },
        Session {
            generation: Generation(1),
            ..old.clone()
        },
    ];
    for other in others {
        assert!(keep::open(&shop(), &other, &sealed).is_none());
    }
    assert!(keep::open(&AppId("other".into()), &old, &sealed).is_none());
    for position in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[position] ^= 1;
        assert!(keep::open(&shop(), &old, &changed).is_none());
        assert!(keep::open(&shop(), &old, &sealed[..position]).is_none());
    }
}

#[tokio::test]
async fn it_shows_no_token() {
    let world = World::new().await;
    let (old, renewed) = two_generations(&world).await;
    let sealed = keep::seal(&shop(), &old, &renewed, &*world.sessions.parts.random).unwrap();
    for text in ["at-1", "rt-1", "alice", "openid"] {
        assert!(!sealed.windows(text.len()).any(|bytes| bytes == text.as_bytes()));
    }
    let again = keep::seal(&shop(), &old, &renewed, &*world.sessions.parts.random).unwrap();
    assert_ne!(sealed, again, "a nonce of its own each time");
}

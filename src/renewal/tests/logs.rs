//! What is logged: names of events, never a token, an id or a cookie.

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use super::script::{broken, invalid_grant, rotated};
use super::world::{World, session_of, tokens};

/// Collects what is written.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Written {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn events_are_named_and_secrets_are_not() {
    let written = Written::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(written.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    // With one dispatcher alive, tracing asks the thread that meets an event first, for all threads: a test running beside
    // this one would silence it. With two it asks them.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());

    let world = World::new().await;
    let mut browser = world.browser().await;
    let id = session_of(&world, &browser);
    let mut thief = browser.clone();
    world.provider.replies(broken);
    world.refresh(&mut browser).await.unwrap_err();
    world.clock.advance(1);
    world.provider.replies(rotated);
    world.refresh(&mut browser).await.unwrap();
    world.call(&mut browser).await.unwrap();
    world.clock.advance(61);
    world.call(&mut thief).await.unwrap_err();
    let mut other = world.browser_with(tokens()).await;
    world.provider.replies(invalid_grant);
    world.refresh(&mut other).await.unwrap_err();
    let leaving = world.browser().await;
    world.sessions.log_out(&leaving.headers()).await.unwrap();
    world.sessions.detached.settled().await;

    let log = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    for event in [
        "session_began",
        "session_renewal_failed",
        "session_renewed",
        "session_reuse_detected",
        "session_ended",
    ] {
        assert!(log.contains(event), "{event} is missing");
    }
    let ours: Vec<&str> = log.lines().filter(|line| line.contains(" cloakroom::")).collect();
    assert!(
        ours.iter()
            .any(|line| line.contains("WARN") && line.contains("session_reuse_detected"))
    );
    let id = format!("{:032x}", u128::from_be_bytes(id.0));
    for secret in ["at-0", "rt-0", "rt-2", "alice", "__Host-", "s3cr3t", id.as_str()] {
        assert!(
            !ours.iter().any(|line| line.contains(secret)),
            "{secret} is in the log"
        );
    }
}

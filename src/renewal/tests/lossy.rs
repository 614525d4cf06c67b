//! A network that loses answers and delivers them in any order costs nobody the session.

use std::collections::HashSet;

use futures_util::future::join_all;

use super::script::{invalid_grant, rotated};
use super::world::{Counted, World};
use crate::random::Random;

/// A number below `limit`.
fn below(random: &dyn Random, limit: usize) -> usize {
    usize::from(u16::from_le_bytes(random.bytes())) % limit
}

#[tokio::test]
async fn lost_and_shuffled_answers_cost_nobody_the_session() {
    // R-03, attacks 134 and 143. The provider is as strict as they come: a refresh token is good once.
    let chance = Counted::default();
    let chance: &dyn Random = &chance;
    let world = World::with(|app| app.session.absolute_timeout *= 10).await;
    let used = std::sync::Mutex::new(HashSet::new());
    world.provider.replies(move |asked| {
        if used.lock().unwrap().insert(asked.refresh.clone()) {
            rotated(asked)
        } else {
            invalid_grant(asked)
        }
    });
    let mut browser = world.browser().await;
    for step in 0..250 {
        world.clock.advance(below(chance, 200) as u64);
        let headers = browser.headers();
        let (sessions, headers) = (&world.sessions, &headers);
        let requests = (0..=below(chance, 4)).map(|_| {
            let explicit = below(chance, 5) == 0;
            async move {
                let admitted = if explicit {
                    sessions.refresh(headers).await
                } else {
                    sessions.admit(headers).await.map(Option::unwrap)
                };
                let admitted = admitted.unwrap_or_else(|refusal| panic!("step {step}: {refusal}"));
                sessions.cookies_for_answer(&admitted).await
            }
        });
        let requests: Vec<_> = requests.collect();
        let mut answers = join_all(requests).await;
        while !answers.is_empty() {
            let answer = answers.swap_remove(below(chance, answers.len()));
            // One in three is lost.
            if below(chance, 3) > 0 {
                browser.store(&answer);
            }
        }
    }
    let asked = world.provider.asked();
    assert!(asked.len() > 50, "there was something to lose: {}", asked.len());
    assert_eq!(
        asked.iter().collect::<HashSet<_>>().len(),
        asked.len(),
        "none was sent twice"
    );
}

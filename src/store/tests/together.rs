//! All rules together, in any order.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::{Fresh, G0, Kind, NOW, at, end, end_subject, keep, look, present, session};
use crate::session::Generation;
use crate::store::{EndReason, Store};

pub(super) async fn debug_tells_no_more_than_numbers(kind: &dyn Kind) {
    let store = kind.fresh().await;
    keep(&store, session(0x5151_5151), G0, b"sealed-bytes", NOW).await;
    end_subject(&store, Some("alice"), at(10), at(3600), at(10)).await;
    store.use_once([0x51; 32], at(600), NOW).await.unwrap();
    let shown = format!("{:?}", *store);
    for secret in ["sealed", "alice", "81, 81", "5151", "login.example"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

/// What may happen to one of a few sessions.
#[derive(Debug, Clone)]
enum Step {
    End(u32),
    Keep(u32, u64),
    Present(u32, u64),
    Wait(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    let session = 0..6_u32;
    let generation = 0..4_u64;
    prop_oneof![
        session.clone().prop_map(Step::End),
        (session.clone(), generation.clone()).prop_map(|(id, from)| Step::Keep(id, from)),
        (session, generation).prop_map(|(id, generation)| Step::Present(id, generation)),
        (0..400_u64).prop_map(Step::Wait),
    ]
}

/// Whatever happens in whatever order: ended stays ended, the newest only grows, nothing is kept for the ended.
pub(super) async fn the_rules_hold_in_any_order(kind: &dyn Kind) {
    any_life(kind, |store, steps| async move { live(&store, steps).await });
}

/// When all is over all room has come back.
pub(super) async fn room_comes_back_whatever_happened(kind: &dyn Kind) {
    any_life(kind, |store, steps| async move {
        live(&store, steps).await?;
        let (over, later) = (at(2_000_000), at(3_000_000));
        let all_bytes = vec![0; 100_000];
        let kept = store.keep_renewal(session(1000), G0, all_bytes, later, later, over);
        prop_assert_eq!(kept.await, Ok(true));
        let end = |number| store.end(session(number), EndReason::Revoked, later, over);
        let ended = join_all((1000..1100).map(end)).await;
        prop_assert!(ended.iter().all(Result::is_ok));
        prop_assert!(end(2000).await.is_err());
        Ok(())
    });
}

/// Holds `rule` against stores of this kind, each with another life.
fn any_life<F>(kind: &dyn Kind, rule: impl Fn(Fresh, Vec<Step>) -> F)
where
    F: Future<Output = Result<(), TestCaseError>>,
{
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(kind.lives())
    });
    let lives = prop::collection::vec(any_step(), 0..60);
    let runtime = tokio::runtime::Handle::current();
    let held = tokio::task::block_in_place(|| {
        runner.run(&lives, |steps| {
            runtime.block_on(async {
                let store = kind.small(|capacity| {
                    capacity.sessions = 100;
                    capacity.result_bytes = 100_000;
                });
                rule(store.await, steps).await
            })
        })
    });
    held.unwrap_or_else(|error| panic!("{error}"));
}

/// Takes the steps and looks at everything after each of them.
async fn live(store: &Arc<dyn Store>, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let (mut when, mut ended) = (NOW, HashSet::new());
    let far = at(1_000_000);
    let mut newest = [None; 6];
    for step in steps {
        match step {
            Step::End(id) => {
                end(store, session(id), EndReason::Revoked, far, when).await;
                ended.insert(id);
            }
            Step::Keep(id, from) => {
                let until = when.after(Duration::from_secs(600));
                let kept = store.keep_renewal(session(id), Generation(from), vec![0; 50], until, far, when);
                prop_assert_eq!(kept.await, Ok(!ended.contains(&id)));
            }
            Step::Present(id, generation) => {
                present(store, session(id), Generation(generation), when).await;
            }
            Step::Wait(seconds) => when = when.after(Duration::from_secs(seconds)),
        }
        for (id, newest) in (0..).zip(newest.iter_mut()) {
            let seen = look(store, session(id), when).await;
            prop_assert_eq!(seen.ended.is_some(), ended.contains(&id));
            let generation = seen.newest.map(|newest| newest.generation);
            prop_assert!(generation >= *newest);
            *newest = generation;
        }
    }
    Ok(())
}

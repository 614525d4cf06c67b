//! Random walks of the model and the real code in step.

use std::collections::BTreeSet;

use super::flight::Turn;
use super::moves::Move;
use super::replay::Replay;
use super::request::{Kind, Step};
use super::shelf::End;
use super::state::{Budget, Cookies, State};
use super::{NONE, expired};
use crate::random::Random;
use crate::renewal::tests::world::{Counted, World};

#[tokio::test(start_paused = true)]
async fn the_code_walks_in_step_with_the_model() {
    let seen = walk(100).await;
    // Walks that never came by a step say nothing about it.
    let all = [
        "Answer",
        "AnswerFollow",
        "Asking",
        "Claim",
        "EndFinal",
        "First",
        "Keep",
        "Landed",
        "LateLook",
        "Leave",
        "LeaveEnd",
        "LeaveFollow",
        "Refused",
        "Release",
        "Second",
        "Stand",
        "Waits",
    ];
    let missed: Vec<_> = all.iter().filter(|step| !seen.contains(**step)).collect();
    assert!(missed.is_empty(), "never came by {missed:?}");
}

#[tokio::test(start_paused = true)]
#[ignore = "long"]
async fn the_code_walks_in_step_with_the_model_for_long() {
    walk(3_000).await;
}

#[tokio::test(start_paused = true)]
async fn a_logout_that_the_store_forgets_during_a_renewal_holds() {
    // the flight looked before the logout, and lands in a store that knows of none. The provider is asked again.
    let world = World::new().await;
    let left = Budget {
        requests: 1,
        logouts: 1,
        copies: 1,
        epochs: 1,
        ..NONE
    };
    let mut replay = Replay::new(&world, expired(left)).await;
    let asks = [Move::Flight(0), Move::Flight(0), Move::Flight(0)];
    let leaves = [Move::Request(1), Move::Request(1), Move::Request(1)];
    let revokes = [Move::Revoker(0); 4];
    let ends = [Move::Flight(0), Move::Flight(0)];
    let all = [Move::Sends(Kind::Call, 0), Move::Request(0)]
        .into_iter()
        .chain(asks)
        .chain([Move::Sends(Kind::Logout, 1)])
        .chain(leaves)
        .chain([Move::Epoch, Move::Copies(Kind::Call, 0), Move::Request(1)])
        .chain([Move::Provider(0, Turn::Answers), Move::Flight(0), Move::Flight(0)])
        .chain(revokes)
        .chain(asks)
        .chain([Move::Provider(0, Turn::Answers)])
        .chain(ends);
    for happens in all {
        replay.go(happens).await;
    }
    assert!(replay.model.requests.is_empty(), "{:#?}", replay.model);
    assert_eq!(replay.model.store.ended, Some(End::Expired));
    assert_eq!(replay.model.answers, [Cookies::Clear; 3]);
}

/// So many walks, each to its end; which steps they came by.
async fn walk(walks: usize) -> BTreeSet<String> {
    let world = World::new().await;
    let chance = Counted::default();
    let mut seen = BTreeSet::new();
    let mut moves = 0;
    for _ in 0..walks {
        let mut replay = Replay::new(&world, expired(some_bounds(&chance))).await;
        loop {
            let possible = replay.model.moves();
            // The script holds one token request at a time.
            if possible.is_empty() || replay.model.two_are_asking() {
                break;
            }
            let happens = loop {
                let one = possible[below(&chance, possible.len())];
                // Or nothing would ever get far.
                if !is_rare(one, &replay.model) || below(&chance, 6) == 0 {
                    break one;
                }
            };
            replay.go(happens).await;
            note(&replay.model, &mut seen);
            moves += 1;
        }
    }
    println!("{walks} walks, {moves} moves");
    seen
}

fn some_bounds(chance: &dyn Random) -> Budget {
    let some = |most: usize| u8::try_from(below(chance, most + 1)).unwrap();
    Budget {
        requests: 2 + some(3),
        logouts: some(1),
        copies: some(1),
        moments: some(2),
        stalls: some(1),
        minutes: some(2),
        lifetimes: 1,
        crashes: some(1),
        epochs: some(1),
        lost: some(1),
        failures: some(2),
    }
}

/// Mishaps, and the end of a call that its API keeps waiting.
fn is_rare(happens: Move, state: &State) -> bool {
    let slow = |request: usize| matches!(state.requests[request].at, Step::Answer { .. });
    happens.is_mishap() || matches!(happens, Move::Request(request) if slow(request))
}

fn note(state: &State, seen: &mut BTreeSet<String>) {
    let requests = state.requests.iter().map(|request| format!("{:?}", request.at));
    let flights = state.replicas.iter().filter_map(|replica| replica.flight);
    let legs = flights.map(|flight| format!("{:?}", flight.at));
    seen.extend(requests.chain(legs).map(|step| {
        let name = step.split([' ', '(']).next();
        name.unwrap_or_default().to_owned()
    }));
}

fn below(chance: &dyn Random, limit: usize) -> usize {
    usize::from(u16::from_le_bytes(chance.bytes())) % limit
}

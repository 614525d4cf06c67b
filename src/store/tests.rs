//! The rules of the store (contract §9), one by one, held against every kind of store.
//!
//! A rule is a function that gets a [`Kind`] and asks it for empty stores. `rules!` and `counts_room!` list them: each is a
//! test of its own per kind, named after both (`memory::ends::the_first_reason_stays`). A rule that is not in the list is
//! dead code, and the compiler says so.
//!
//! Rules go by the time that they hand in. [`NOW`] lies in the future, so that a store that also counts by itself takes
//! nothing for over.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Capacity, Cutoff, EndReason, Look, SessionRef, Store, Whose};
use crate::clock::Timestamp;
use crate::session::{Generation, SessionId};

mod alone;
mod contents;
mod directory;
mod ends;
mod epoch;
#[cfg(feature = "file-store")]
mod file;
mod leases;
mod marks;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod refusals;
mod renewals;
mod room;
mod subjects;
mod together;

/// A kind of store.
pub(super) trait Kind: Send + Sync {
    /// An empty store that holds as much as `capacity` says, where it counts that itself.
    fn make(&self, capacity: Capacity) -> BoxFuture<'_, Fresh>;

    /// Whether this machine has what it takes.
    fn is_here(&self) -> bool {
        true
    }

    /// How many random lives of a store are lived through.
    fn lives(&self) -> u32 {
        256
    }
}

impl dyn Kind + '_ {
    /// An empty store.
    async fn fresh(&self) -> Fresh {
        self.make(Capacity::default()).await
    }

    /// An empty store that holds less than usual.
    async fn small(&self, change: impl FnOnce(&mut Capacity)) -> Fresh {
        let mut capacity = Capacity::default();
        change(&mut capacity);
        self.make(capacity).await
    }
}

/// A store that was just made, with what it lies in: that goes with it.
#[derive(Debug)]
pub(super) struct Fresh {
    store: Arc<dyn Store>,
    _ground: Option<Ground>,
}

type Ground = Box<dyn std::any::Any + Send + Sync>;

impl Fresh {
    /// In nothing but memory.
    fn new(store: impl Store) -> Self {
        Self {
            store: Arc::new(store),
            _ground: None,
        }
    }
}

impl Fresh {
    /// In something that goes with it.
    #[cfg(feature = "file-store")]
    fn on(store: impl Store, ground: impl std::any::Any + Send + Sync) -> Self {
        Self {
            store: Arc::new(store),
            _ground: Some(Box::new(ground)),
        }
    }
}

impl Deref for Fresh {
    type Target = Arc<dyn Store>;

    fn deref(&self) -> &Arc<dyn Store> {
        &self.store
    }
}

/// Each rule as a test.
macro_rules! tests {
    ($kind:expr; $($module:ident: $($rule:ident)*;)*) => {
        $(mod $module {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $rule() {
                    if !$crate::store::tests::Kind::is_here(&$kind) {
                        return;
                    }
                    $crate::store::tests::$module::$rule(&$kind).await;
                }
            )*
        })*
    };
}

/// The rules that every kind of store keeps.
macro_rules! rules {
    ($kind:expr) => {
        $crate::store::tests::tests! { $kind;
            contents:
                content_is_there_until_it_is_over
                content_goes_early_where_it_is_told_to_and_never_stays_longer;
            directory:
                a_session_is_found_by_handle_subject_and_the_providers_session_newest_first
                what_has_ended_or_is_over_is_not_listed
                a_recorded_session_ends_by_its_handle;
            ends:
                nothing_is_known_of_a_session_that_nothing_happened_to
                an_ended_session_stays_ended_until_its_absolute_end
                the_first_reason_stays
                a_second_end_does_not_shorten_the_first;
            leases:
                a_claim_holds_while_it_is_kept_up_and_until_it_is_released
                a_claim_that_is_not_kept_up_is_anybodys
                a_clock_that_is_set_back_makes_no_claim_of_hours;
            marks:
                a_mark_is_used_once
                a_mark_is_forgotten_when_it_is_over
                only_one_of_many_at_once_uses_a_mark;
            refusals:
                the_first_refusal_of_a_generation_is_remembered;
            renewals:
                a_renewal_is_kept_and_makes_the_next_generation_the_newest
                a_result_that_nobody_asks_for_goes_at_its_time_and_the_newest_stays_known
                the_end_wins_over_renewal
                a_result_outlives_the_end_for_its_time
                the_grace_ends_a_minute_after_the_new_generation_was_presented
                presenting_again_does_not_prolong_the_grace
                presenting_never_prolongs_a_result
                presenting_the_old_generation_starts_no_grace
                presenting_the_middle_of_three_generations_ends_only_what_is_older
                a_late_result_does_not_turn_back_the_newest
                a_second_result_for_one_generation_replaces_the_first;
            subjects:
                a_subjects_earlier_sessions_end_and_later_ones_do_not
                the_same_subject_of_another_issuer_is_another
                everybody_of_an_issuer_can_be_ended
                a_later_end_of_a_subject_reaches_further_and_undoes_nothing
                the_end_of_the_session_itself_is_told_before_its_subjects;
            together:
                debug_tells_no_more_than_numbers
                the_rules_hold_in_any_order;
        }
    };
}

/// What a kind of store keeps besides that counts its own room.
macro_rules! counts_room {
    ($kind:expr) => {
        $crate::store::tests::tests! { $kind;
            room:
                content_is_bounded_and_what_is_over_makes_room
                records_are_bounded_and_the_oldest_goes_first
                revocations_are_never_evicted
                renewals_leave_room_for_revocations
                what_is_over_is_forgotten_as_others_come
                the_count_holds_when_many_write_at_once
                marks_may_be_over_in_any_order
                the_oldest_mark_goes_first_when_all_room_is_taken
                refusals_are_bounded
                presenting_a_session_that_was_never_renewed_is_not_remembered
                results_are_bounded_in_number_and_in_bytes
                a_refused_renewal_takes_no_room
                room_comes_back_whatever_happened
                ends_of_subjects_are_never_evicted;
        }
    };
}

use {counts_room, rules, tests};

const NOW: Timestamp = Timestamp::from_secs(4_000_000_000);
const ISSUER: &str = "https://login.example.com";
const G0: Generation = Generation(0);
const G1: Generation = Generation(1);
const G2: Generation = Generation(2);

fn at(seconds: u64) -> Timestamp {
    NOW.after(Duration::from_secs(seconds))
}

fn session(number: u32) -> SessionId {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_le_bytes());
    SessionId(id)
}

async fn look_as(
    store: &Arc<dyn Store>,
    id: SessionId,
    subject: &str,
    started: Timestamp,
    when: Timestamp,
) -> Look {
    let session = SessionRef {
        id,
        issuer: ISSUER,
        subject,
        provider_session: None,
        started,
    };
    store.look(session, when).await.unwrap()
}

async fn look(store: &Arc<dyn Store>, id: SessionId, when: Timestamp) -> Look {
    look_as(store, id, "alice", NOW, when).await
}

async fn end(store: &Arc<dyn Store>, id: SessionId, reason: EndReason, until: Timestamp, when: Timestamp) {
    store.end(id, reason, until, when).await.unwrap();
}

async fn end_subject(
    store: &Arc<dyn Store>,
    subject: Option<&str>,
    before: Timestamp,
    until: Timestamp,
    when: Timestamp,
) {
    let cutoff = Cutoff {
        before,
        reason: EndReason::Revoked,
        until,
    };
    let whose = subject.map_or(Whose::Everybody, Whose::Subject);
    store.end_all(ISSUER, whose, cutoff, when).await.unwrap();
}

/// Keeps `sealed` as what the renewal of `from` brought, for 600 s; the session ends after an hour.
async fn keep(
    store: &Arc<dyn Store>,
    id: SessionId,
    from: Generation,
    sealed: &[u8],
    when: Timestamp,
) -> bool {
    let until = when.after(Duration::from_secs(600));
    let kept = store.keep_renewal(id, from, sealed.to_vec(), until, at(3600), when);
    kept.await.unwrap()
}

async fn kept(store: &Arc<dyn Store>, id: SessionId, from: Generation, when: Timestamp) -> Option<Vec<u8>> {
    store.renewal(id, from, when).await.unwrap()
}

async fn present(store: &Arc<dyn Store>, id: SessionId, generation: Generation, when: Timestamp) {
    store.presented(id, generation, when).await.unwrap();
}

//! What must hold in every state:
//!
//! 1. No lost session: the jar leads to a live one, now and at the next renewal, unless one of [`excuses`] applies.
//! 2. No resurrected one: nothing that was sent after a logout had been acknowledged is admitted ([`State::broken`], as 3 to 5).
//! 3. The provider is never sent a superseded refresh token.
//! 4. It is never asked twice at a time while leases are kept up.
//! 5. No answer sets cookies older than the newest known, or of an ended session.
//! 6. Nobody waits for ever.
//! 7. No token outlives the logout.

use super::shelf::End;
use super::state::State;

/// What is wrong, if anything is.
pub(super) fn judge(state: &State) -> Option<&'static str> {
    state
        .ghost
        .broken
        .or_else(|| (lost(state) && excuses(state).is_empty()).then_some(LOST))
        .or_else(|| stuck(state).then_some(STUCK))
        .or_else(|| outlives(state).then_some(OUTLIVES))
}

pub(super) const LOST: &str = "a session is lost";
pub(super) const REVIVED: &str = "a session lives after its logout was acknowledged";
pub(super) const SUPERSEDED: &str = "the provider is sent a superseded refresh token";
pub(super) const TWICE: &str = "the provider is asked twice at a time";
pub(super) const ROLLED_BACK: &str = "an answer sets cookies older than the newest known";
pub(super) const SET_AFTER_END: &str = "an answer sets cookies of an ended session";
pub(super) const NO_REUSE: &str = "a generation within its grace is taken for reuse";
pub(super) const STUCK: &str = "somebody waits for ever";
pub(super) const OUTLIVES: &str = "a token outlives the logout";

/// Nobody is under way, and the jar leads to no session.
pub(super) fn lost(state: &State) -> bool {
    state.is_quiet() && !state.leads_to_a_session()
}

/// What a session may be lost by.
pub(super) fn excuses(state: &State) -> Vec<&'static str> {
    let ghost = &state.ghost;
    let all = [
        // Somebody logged out.
        ("left", ghost.left),
        // A generation was shown a minute after a newer one.
        ("reuse", ghost.reuse),
        // A process died, or an answer was lost, after the provider had rotated and before the store was told.
        ("window", ghost.window),
        // A process stood still for longer than its lease while it asked.
        ("stalled", ghost.stalled),
        // The store lost its memory while somebody was a generation behind, or on the way.
        ("forgot", ghost.forgot),
        // An answer arrived behind a newer one, and nothing was asked for a minute.
        ("overtaken", ghost.overtaken),
    ];
    let apply = all.into_iter().filter(|(_, applies)| *applies);
    apply.map(|(name, _)| name).collect()
}

fn stuck(state: &State) -> bool {
    !state.is_quiet() && state.moves().is_empty()
}

/// All is done, and the provider still takes the tokens of a session that was left.
fn outlives(state: &State) -> bool {
    let ghost = &state.ghost;
    let excused = ghost.unrevoked || ghost.window || ghost.stalled || ghost.forgot || ghost.end_forgotten;
    let done = state.is_quiet() && state.revokers.is_empty();
    let left = ghost.acknowledged && state.store.ended == Some(End::LoggedOut);
    done && left && !excused && !state.provider.revoked
}

impl State {
    /// Whether what the browser holds can be used, now and when it has to be renewed.
    fn leads_to_a_session(&self) -> bool {
        let Some(jar) = self.jar else {
            return false;
        };
        let newest = self.store.newest.map_or(jar, |newest| newest.generation.max(jar));
        let handed = (jar..newest).all(|from| self.store.renewal(from, self.now));
        self.store.ended.is_none() && handed && !self.provider.revoked && self.provider.good == newest
    }
}

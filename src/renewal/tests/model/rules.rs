//! The rules of the protocol that can be broken on purpose: a search that finds nothing wrong with a broken rule would find
//! nothing wrong with anything.

/// Each `false` in the protocol as it is.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
pub(super) struct Rules {
    /// Whoever wants to renew just does.
    pub(super) no_lease: bool,
    /// A lease is not kept up while the provider takes its time.
    pub(super) no_keeping_up: bool,
    /// It is kept up only once the provider is asked.
    pub(super) keeps_up_late: bool,
    /// No second look once the right is there.
    pub(super) no_second_look: bool,
    /// The newest generation is known, what brought it is not kept.
    pub(super) keeps_nothing: bool,
    /// A result goes as soon as the new generation is shown.
    pub(super) no_grace: bool,
    /// A generation that a flight looks at counts as shown.
    pub(super) flights_present: bool,
    /// A renewal that is kept brings an ended session back.
    pub(super) renewal_wins: bool,
    /// What comes too late stays good at the provider.
    pub(super) keeps_late_tokens: bool,
    /// An answer sets what it was admitted with.
    pub(super) no_look_before_answer: bool,
    /// A refusal that is not final clears cookies.
    pub(super) loser_clears: bool,
    /// A lost token response is asked for again.
    pub(super) asks_again: bool,
    /// An old generation is as good as the newest.
    pub(super) no_reuse_detection: bool,
    /// A result goes a minute after the renewal, whether the browser has shown the new generation or not.
    pub(super) results_expire_unseen: bool,
    /// A session of another epoch is believed.
    pub(super) trusts_other_epochs: bool,
    /// A new generation is sealed under the epoch that its tokens arrive in.
    pub(super) epoch_on_arrival: bool,
    /// A logout clears cookies and ends nothing.
    pub(super) ends_nothing: bool,
}

//! The same promises where the tokens lie in the store: these files a second time, in a world of the other mode. What a
//! restart forgets is told in `fetching`, what is of cookies alone in `mixed` and `too_large`.
#![expect(
    clippy::duplicate_mod,
    reason = "what they promise, they promise for both modes"
)]

use super::script;

#[path = "endings.rs"]
mod endings;
#[path = "generations.rs"]
mod generations;
#[path = "lifetimes.rs"]
mod lifetimes;
#[path = "lossy.rs"]
mod lossy;
#[path = "one_flight.rs"]
mod one_flight;
#[path = "provider_says.rs"]
mod provider_says;
#[path = "replicas.rs"]
mod replicas;
#[path = "rotation.rs"]
mod rotation;

mod world {
    pub(super) use super::super::world::*;

    pub(super) type World = WorldOf<true>;
}

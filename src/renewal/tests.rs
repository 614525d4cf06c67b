//! What the renewal promises, by behaviour. A scripted provider on loopback, a clock moved by hand, no sleeping: whatever
//! must not be finished yet is held at the token endpoint.

mod endings;
mod epochs;
mod fetching;
mod generations;
mod in_store;
mod kept;
mod lifetimes;
mod logs;
mod lossy;
mod mixed;
mod model;
mod one_flight;
mod provider_says;
mod replicas;
mod rotation;
mod script;
mod shelves;
mod too_large;
mod world;

//! What the renewal promises, by behaviour.

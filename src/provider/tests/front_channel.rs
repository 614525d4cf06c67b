//! front_channel

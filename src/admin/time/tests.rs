//! Times are read and written.

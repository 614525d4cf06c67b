//! What the admin listener answers, through the function that the listener calls.

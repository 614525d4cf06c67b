//! What is sealed opens as it was.

use super::world::{Jar, NOW, assert_same, cookies, opened, session};
use crate::session::{Parts, Presented, Replaces};

#[test]
fn a_sealed_session_opens_as_it_was() {
    let cookies = cookies();
    let session = session();
    let set = cookies
        .seal(&session, Parts::ALL, Replaces::Everything, NOW)
        .unwrap();
    let (found, presented) = opened(&cookies, &Jar::of(&set).headers());
    assert_same(&found, &session);
    assert_eq!(presented, Presented { chunks: [1, 1, 1] });
}

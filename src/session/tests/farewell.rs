//! `-end`: from logout to the provider, once and soon.

use std::time::Duration;

use http::HeaderMap;

use super::world::{Jar, NOW, cookies};
use crate::session::Farewell;
use crate::token::IdToken;

pub(super) fn farewell(hint: usize) -> Farewell {
    Farewell {
        id: [9; 16],
        id_token: Some(IdToken::new("h".repeat(hint))),
        provider_session: Some("sid-1".into()),
        made: NOW,
    }
}

#[test]
fn a_farewell_opens_as_it_was() {
    for hint in [0, 900, 4000] {
        let jar = Jar::of(&cookies().seal_farewell(&farewell(hint)).unwrap());
        let found = cookies().open_farewell(&jar.headers(), NOW).unwrap();
        assert_eq!(format!("{found:?}"), format!("{:?}", farewell(hint)));
        assert_eq!(found.id_token.unwrap().expose().len(), hint);
    }
}

#[test]
fn a_farewell_is_good_for_two_minutes() {
    let jar = Jar::of(&cookies().seal_farewell(&farewell(10)).unwrap());
    let after = |seconds| NOW.after(Duration::from_secs(seconds));
    assert!(cookies().open_farewell(&jar.headers(), after(120)).is_some());
    assert!(cookies().open_farewell(&jar.headers(), after(121)).is_none());
    assert!(cookies().open_farewell(&HeaderMap::new(), NOW).is_none());
}

#[test]
fn a_farewell_beyond_the_budget_is_none() {
    assert!(cookies().seal_farewell(&farewell(7000)).is_none());
}

#[test]
fn clearing_a_farewell_names_every_chunk() {
    let mut jar = Jar::of(&cookies().seal_farewell(&farewell(4000)).unwrap());
    assert_eq!(jar.0.len(), 2);
    let set = cookies().clear_farewell(&jar.headers());
    jar.apply(&set);
    assert_eq!(jar, Jar::default());
}

//! Whatever an attacker puts into `Cookie`: no panic, no session, no long answer.

use proptest::prelude::*;

use super::login::pending;
use super::world::{NOW, SHARED, headers};
use crate::session::Opened;

/// Pieces that reach deep into the reading of cookies, and plain noise.
fn any_pair() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![
        "__Host-Http-shop-(at|rt|id|end)(\\.[0-9]{1,2})?",
        "__Host-Http-shop-login-[0-9a-f]{8}",
        "__Host-Http-shop-[a-z.0-9-]{0,12}",
        "\\PC{0,24}",
    ];
    let value = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        "AQ[A-Za-z0-9_-]{0,200}".prop_map(String::into_bytes),
        "[A-Za-z0-9_-]{0,200}={0,2}".prop_map(String::into_bytes),
    ];
    (name, prop_oneof!["=", "", " = ", ";", "=="], value)
        .prop_map(|(name, between, value)| [name.into_bytes(), between.into_bytes(), value].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_cookie_field_is_answered(
        fields in prop::collection::vec(prop::collection::vec(any_pair(), 0..8), 0..4),
    ) {
        let fields: Vec<Vec<u8>> = fields
            .into_iter()
            .map(|pairs| {
                let mut field = pairs.join(&b"; "[..]);
                field.retain(|byte| *byte >= 32 && *byte != 127 || *byte == b'\t');
                field
            })
            .collect();
        let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        let headers = headers(&fields);

        prop_assert!(!matches!(SHARED.open(&headers), Opened::Session(..)));
        prop_assert!(SHARED.clear(&headers).len() <= 3 * 16);
        prop_assert!(SHARED.open_farewell(&headers, NOW).is_none());
        prop_assert!(SHARED.clear_farewell(&headers).len() <= 16);
        prop_assert!(SHARED.open_login(&headers, "state", NOW).is_none());
        prop_assert!(SHARED.seal_login(&pending("state", NOW), &headers, NOW).unwrap().len() <= 65);
    }
}

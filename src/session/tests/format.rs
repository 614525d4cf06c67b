//! The sealed format is a promise to every cookie that is out there.

use super::world::{NOW, app, assert_same, cookies, cookies_of, header, key, opened, session_of};
use crate::session::content::{self, AccessContent, TokenContent};
use crate::session::seal::sealed_len;
use crate::session::{Parts, Presented, Replaces};

/// Cookies sealed by format 1 and content 1, under 32 bytes of 0x01. If this fails, everybody was logged out.
const SEALED: &str = concat!(
    "__Host-Http-shop-at=AbNRhOoBr1Vw9aGBC3r3jK9LxwpmDw31HkK6-R1NOMsH0hJX7pPd2yUYRLGNquiLVrCuzY4bdlOk",
    "XVdHGZiqenUhUSfvH2pI9TER3ODfsi1ua-Stdv4DPi8aVk9m0IqhcGn4NxMYHe-K2dNJ8qeN3c6KURZArObSv372P4Q-ObhS",
    "4dqHRbGZpR0ln9u93b8; ",
    "__Host-Http-shop-rt=AbNRhOoBzSZiFU5tdrKyuS5wwMrDzPU0-bdOtbiYRIvuDW1DEouEni1e-AzlZJviRV6fTaVbrBj2",
    "ukFc6vJk7d-xXZ0TEeBb8_269KPbACgvZuYtzeE; ",
    "__Host-Http-shop-id=AbNRhOoBzQSkdUSY4G21oTxfNx8fBP9tJHDySqm9528n0gz8QirQJ78KYyu2U9bSPJLPbXeJS_C1",
    "4mdOK4odWOt8cZj7tVQPCBC1f7DtWINU7ea62-I",
);

#[test]
fn what_was_sealed_by_this_format_still_opens() {
    let (found, _) = opened(&cookies(), &header(SEALED.as_bytes()));
    assert_same(&found, &session_of(8));
}

/// The same keys and the same randomness give the same values: nothing else goes into them.
#[test]
fn sealing_is_a_function_of_keys_content_and_randomness() {
    let set = cookies()
        .seal(
            &session_of(8),
            Parts::ALL,
            Replaces::Presented(Presented::default()),
            NOW,
        )
        .unwrap();
    let pairs: Vec<_> = set
        .iter()
        .map(|set| set.to_str().unwrap().split(';').next().unwrap())
        .collect();
    assert_eq!(pairs.join("; "), SEALED);
}

#[test]
fn content_of_another_version_or_with_bytes_left_over_is_not_read() {
    let session = session_of(8);
    let content = AccessContent::of(&session);
    let mut bytes = Vec::new();
    content::encode_onto(&content, &mut bytes);
    assert_eq!(bytes.len(), content::encoded_len(&content));
    assert!(content::decode::<AccessContent<'_>>(&bytes).is_some());
    for version in (0..=255).filter(|version| *version != bytes[0]) {
        let mut other = bytes.clone();
        other[0] = version;
        assert!(content::decode::<AccessContent<'_>>(&other).is_none());
    }
    for length in 0..bytes.len() {
        assert!(content::decode::<AccessContent<'_>>(&bytes[..length]).is_none());
    }
    bytes.push(0);
    assert!(content::decode::<AccessContent<'_>>(&bytes).is_none());
}

#[test]
fn the_length_of_a_value_is_known_before_it_is_sealed() {
    let cookies = cookies_of(&[key(1)], &app());
    for length in 0..50 {
        let session = session_of(length);
        let content = TokenContent::of(&session, "t");
        let binding = cookies
            .vault
            .bind(crate::session::keyring::Purpose::Refresh, "name");
        let value = cookies.vault.seal(&binding, &content, 1);
        assert_eq!(value.len(), sealed_len(content::encoded_len(&content)));
    }
}

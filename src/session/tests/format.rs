//! The sealed format is a promise to every cookie that is out there.

use super::world::{NOW, app, assert_same, cookies, cookies_of, header, key, opened, session_of};
use crate::session::content::{self, AccessContent, TokenContent};
use crate::session::pack::Packed;
use crate::session::seal::sealed_len;
use crate::session::{Parts, Presented, Replaces};

/// Cookies sealed by format 1 and content 2, under 32 bytes of 0x01. If this fails, everybody was logged out.
const SEALED: &str = concat!(
    "__Host-Http-shop-at=AbNRhOoBr1Vw9aGBC3r3jK9LxwpmDw31HkK6-R1NO8sH0hJX7pPd2yUYRLGNquiLVrCuzY4bdlOkX",
    "VdHGZiqenUhUSfuXmpI9TER3OCfUwoqK5YoQ_FiIToRUUIigIi8eWb9PncceeKP09Ut9tGX0IeWYZdkr5sOuHuVN4c2XWp0A_",
    "PIj2HZjM6HuFV08o_m; ",
    "__Host-Http-shop-rt=AbNRhOoBzSZiFU5tdrKyuS5wwMrDzPU0-bdOtbiYR4vuDW1DEouEni1e-AzlZJviRV6fTaVbrBj2u",
    "kFc6vM27d-xXZ0TESTgO1jtXCp7cluSmYOovpfk; ",
    "__Host-Http-shop-id=AbNRhOoBzQSkdUSY4G21oTxfNx8fBP9tJHDySqm95G8n0gz8QirQJ78KYyu2U9bSPJLPbXeJS_C14",
    "mdOK4tUWOt8cZj7tdMkaSq1XQ2xoZcX1RvuoUj7",
);

/// The same session in content 1, whose tokens are text.
const SEALED_BEFORE: &str = concat!(
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
    for sealed in [SEALED, SEALED_BEFORE] {
        let (found, _) = opened(&cookies(), &header(sealed.as_bytes()));
        assert_same(&found, &session_of(8));
    }
}

/// A slide reseals the access cookie alone: it then lies beside cookies of the content before.
#[test]
fn cookies_of_both_contents_open_together() {
    let pairs = |sealed: &'static str| sealed.split("; ").collect::<Vec<_>>();
    for number in 0..3 {
        let mut mixed = pairs(SEALED_BEFORE);
        mixed[number] = pairs(SEALED)[number];
        let (found, _) = opened(&cookies(), &header(mixed.join("; ").as_bytes()));
        assert_same(&found, &session_of(8));
    }
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
    let token = Packed::of(session.access.token.expose(), 1);
    let content = AccessContent::of(&session, &token);
    let mut bytes = Vec::new();
    content::encode_onto(&content, &mut bytes);
    assert_eq!(bytes.len(), content::encoded_len(&content));
    assert!(content::decode::<AccessContent<'_>>(&bytes).is_some());
    assert_eq!(bytes[0], 2);
    for version in (0..=255).filter(|version| !matches!(version, 1 | 2)) {
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
        let token = Packed::text("t");
        let content = TokenContent::of(&session, &token);
        let binding = cookies
            .vault
            .bind(crate::session::keyring::Purpose::Refresh, "name");
        let value = cookies.vault.seal(&binding, &content, 1);
        assert_eq!(value.len(), sealed_len(content::encoded_len(&content)));
    }
}

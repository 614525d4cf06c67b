//! The cookie between `logout` and `end-session` (contract §3, §4).

use http::{HeaderMap, HeaderValue};

use super::chunk::{self, MAX_CHUNKS};
use super::content::{self, FarewellContent};
use super::pack::{self, Packed};
use super::seal::sealed_len;
use super::set_cookie::{self, Attributes};
use super::{Cookies, FAREWELL_LIFETIME, Farewell, jar};
use crate::clock::Timestamp;

impl Cookies {
    /// `Set-Cookie` for `-end`, Max-Age=120; `None` when it would not fit into one cookie's chunks of the budget.
    pub fn seal_farewell(&self, farewell: &Farewell) -> Option<Vec<HeaderValue>> {
        let id_token = farewell.id_token.as_ref();
        let id_token = id_token.map(|token| Packed::of(token.expose(), pack::AT_ANY_PRICE));
        let content = FarewellContent::of(farewell, id_token.as_ref());
        let extent = chunk::extent(self.names.end().len(), sealed_len(content::encoded_len(&content)));
        if extent.bytes > self.budget || extent.chunks > MAX_CHUNKS {
            return None;
        }
        let value = self
            .vault
            .seal(&self.end, &content, u8::try_from(extent.chunks).ok()?);
        Some(
            chunk::split(self.names.end(), &value)
                .map(|(name, piece)| set_cookie::set(&name, piece, Attributes::End))
                .collect(),
        )
    }

    /// Opens `-end`, not older than two minutes.
    pub fn open_farewell(&self, headers: &HeaderMap, now: Timestamp) -> Option<Farewell> {
        let chunks = jar::read_end(headers, &self.names);
        let plain = self.open_value(&self.end, &chunks).ok()??;
        let (version, content): (_, FarewellContent<'_>) = content::decode(plain.bytes())?;
        if now.since(content.made) > FAREWELL_LIFETIME {
            return None;
        }
        content.to_farewell(version)
    }

    /// Clears `-end` and its chunks seen in `headers`.
    pub fn clear_farewell(&self, headers: &HeaderMap) -> Vec<HeaderValue> {
        let chunks = jar::read_end(headers, &self.names);
        std::iter::once(0)
            .chain(chunks.numbers().filter(|number| *number > 0))
            .map(|number| set_cookie::clear(&chunk::name(self.names.end(), number), Attributes::End))
            .collect()
    }
}

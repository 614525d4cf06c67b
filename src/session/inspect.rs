//! What each session cookie of a request is, for an operator: whether it opens, never what is in it.

use http::HeaderMap;

use super::cookies::Cookies;
use super::jar::SessionJar;
use super::names::Kind;
use super::seal::Unopened;

impl Cookies {
    /// Name and condition of the access, refresh and ID cookie.
    pub(crate) fn inspect(&self, headers: &HeaderMap) -> [(String, &'static str); 3] {
        let jar = SessionJar::read(headers, &self.names);
        [
            (Kind::Access, &jar.access),
            (Kind::Refresh, &jar.refresh),
            (Kind::Id, &jar.id),
        ]
        .map(|(kind, chunks)| {
            let condition = match self.open_value(self.binding(kind), chunks) {
                Ok(Some(_)) => "opens",
                Ok(None) => "is not there",
                Err(Unopened::UnknownKey) => "is sealed under a key that is not in the ring",
                Err(Unopened::Broken) => {
                    "does not open: changed, cut, or of another app, origin, issuer or client"
                }
            };
            (self.names.of(kind).to_owned(), condition)
        })
    }
}

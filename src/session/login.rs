//! The cookies of pending logins: one per login, found by a hash of its `state` (contract §4).
//!
//! A browser may have several logins open (tabs). At most five and 4 KiB of them are kept, the oldest go first: what
//! another site can make a browser do by starting logins is bounded, and the header stays below every proxy's limit.

use http::{HeaderMap, HeaderValue};
use subtle::ConstantTimeEq as _;

use super::chunk;
use super::content::{self, LoginContent};
use super::jar;
use super::keyring::Purpose;
use super::seal::{Unopened, sealed_len};
use super::set_cookie::{self, Attributes};
use super::{Cookies, LOGIN_LIFETIME, PendingLogin};
use crate::clock::Timestamp;

/// A pending login seen in a request.
struct Pending<'h> {
    name: &'h str,
    bytes: usize,
    started: Timestamp,
}

/// What a login cookie must remember does not fit into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the login cookie needs {needed} bytes and may have {budget}")]
pub struct LoginTooLarge {
    /// Bytes of `name=value; ` that it would take.
    pub needed: usize,
    /// What it may take (contract §4).
    pub budget: usize,
}

impl Cookies {
    /// `Set-Cookie` values for a login that starts: its cookie, and the clearing of the oldest pending ones beyond 5
    /// or 4 KiB together, and of those that are over.
    ///
    /// # Errors
    /// [`LoginTooLarge`] when the login cookie would exceed 2 KiB.
    pub fn seal_login(
        &self,
        login: &PendingLogin,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Vec<HeaderValue>, LoginTooLarge> {
        let name = self.names.login(login.state.expose());
        let content = LoginContent::of(login);
        let extent = chunk::extent(name.len(), sealed_len(content::encoded_len(&content)));
        if extent.bytes > MAX_BYTES_ONE {
            return Err(LoginTooLarge {
                needed: extent.bytes,
                budget: MAX_BYTES_ONE,
            });
        }
        let binding = self.vault.bind(Purpose::Login, &name);
        let value = self.vault.seal(&binding, &content, 1);
        let mut set = vec![set_cookie::set(&name, &value, Attributes::Login)];

        let (mut kept, over) = self.pending(headers, &name, now);
        kept.sort_by_key(|pending| std::cmp::Reverse(pending.started));
        let (mut count, mut bytes, mut full) = (1, extent.bytes, false);
        let evicted = kept.into_iter().filter_map(|pending| {
            count += 1;
            bytes += pending.bytes;
            // Once one has to go, every older one goes too.
            full |= count > MAX_PENDING || bytes > MAX_BYTES;
            full.then_some(pending.name)
        });
        set.extend(
            over.into_iter()
                .chain(evicted)
                .map(|name| set_cookie::clear(name, Attributes::Login)),
        );
        Ok(set)
    }

    /// Whether there is a cookie of any pending login, whatever it holds.
    pub fn has_login(&self, headers: &HeaderMap) -> bool {
        jar::read_logins(headers, &self.names).next().is_some()
    }

    /// The pending login that belongs to `state`: found by its hash, opened, `state` compared in constant time, not
    /// older than ten minutes.
    pub fn open_login(&self, headers: &HeaderMap, state: &str, now: Timestamp) -> Option<PendingLogin> {
        let name = self.names.login(state);
        let login = self
            .open_login_value(&name, jar::read_one(headers, &name)?)
            .ok()?;
        let same = bool::from(login.state.expose().as_bytes().ct_eq(state.as_bytes()));
        (same && is_young(login.started, now)).then_some(login)
    }

    /// Clears the login cookie that belongs to `state`.
    pub fn clear_login(&self, state: &str) -> HeaderValue {
        set_cookie::clear(&self.names.login(state), Attributes::Login)
    }

    /// Clears every pending login seen in `headers`: who logs out leaves nothing half begun behind (attack 128).
    pub fn clear_logins(&self, headers: &HeaderMap) -> Vec<HeaderValue> {
        jar::read_logins(headers, &self.names)
            .map(|(name, _)| set_cookie::clear(name, Attributes::Login))
            .collect()
    }

    /// The pending logins besides `own`: those that may still end, and the names of those that cannot.
    fn pending<'h>(
        &self,
        headers: &'h HeaderMap,
        own: &str,
        now: Timestamp,
    ) -> (Vec<Pending<'h>>, Vec<&'h str>) {
        let (mut kept, mut over) = (Vec::<Pending<'_>>::new(), Vec::new());
        for (name, value) in jar::read_logins(headers, &self.names) {
            if name == own || over.contains(&name) || kept.iter().any(|pending| pending.name == name) {
                continue;
            }
            let started = match self.open_login_value(name, value) {
                Ok(login) if is_young(login.started, now) => login.started,
                // Another replica may know the key; but when somebody has to go, these go first.
                Err(Unopened::UnknownKey) => Timestamp::default(),
                Ok(_) | Err(Unopened::Broken) => {
                    over.push(name);
                    continue;
                }
            };
            kept.push(Pending {
                name,
                bytes: chunk::extent(name.len(), value.len()).bytes,
                started,
            });
        }
        (kept, over)
    }

    fn open_login_value(&self, name: &str, value: &[u8]) -> Result<PendingLogin, Unopened> {
        let binding = self.vault.bind(Purpose::Login, name);
        let plain = self.vault.open(&binding, &[Some(value)])?;
        let (_, content): (_, LoginContent<'_>) = content::decode(plain.bytes()).ok_or(Unopened::Broken)?;
        Ok(content.to_login())
    }
}

fn is_young(started: Timestamp, now: Timestamp) -> bool {
    now.since(started) <= LOGIN_LIFETIME
}

/// Pending logins, the new one included.
const MAX_PENDING: usize = 5;
/// Bytes of all of them.
const MAX_BYTES: usize = 4096;
/// Bytes of one.
const MAX_BYTES_ONE: usize = 2048;

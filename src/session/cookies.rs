//! The cookies of one app: names, opening, sealing, clearing. Everything else in `session` serves this file.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use super::Session;
use super::assemble::{Assembled, Contents, NoSession, Tokens, assemble};
use super::chunk::{self, Extent, MAX_CHUNKS};
use super::content::{self, Content};
use super::jar::{self, Chunks, SessionJar};
use super::keyring::{Purpose, SEALING};
use super::names::{Kind, Names};
use super::pack;
use super::recent;
use super::seal::{Binding, Plain, Unopened, Vault, sealed_len};
use super::set_cookie::{self, Attributes};
use super::shelf::Shelved;
use crate::clock::Timestamp;
use crate::config::{App, CookieKey};
use crate::metrics::Meters;
use crate::random::Random;

/// What the `Cookie` fields of a request hold for one app.
#[derive(Debug)]
pub enum Opened {
    /// No session cookie of this app at all.
    Absent,
    /// There are session cookies, but they make no session. `clear` = a value under a known key did not open (it was
    /// tampered with): clear the jar. Otherwise leave it alone (a replica may be behind in a key rotation).
    Unreadable {
        /// Whether the answer clears the session cookies.
        clear: bool,
    },
    /// A session, and how many chunks of each cookie the browser presented.
    Session(Arc<Session>, Presented),
    /// A session whose tokens lie in the store, likewise: its content must be fetched first.
    Shelved(Box<Shelved>, Presented),
}

/// How many chunks of at, rt, id the request carried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Presented {
    /// Chunks of `-at`, `-rt`, `-id`, surplus ones included: what a reseal must clear.
    pub chunks: [u8; 3],
    /// How many of them the values were sealed for. What is beyond is of an earlier, longer value, and goes.
    pub sealed: [u8; 3],
    /// The place in the ring of the key of each: 0 is the key that seals.
    pub keys: [u8; 3],
}

impl Presented {
    /// Whether there are chunks that belong to no value.
    pub fn has_surplus(self) -> bool {
        self.chunks != self.sealed
    }

    /// What is sealed under a key that is not the first any more: sealed anew as it is used, so that the old key can go
    /// (contract §4).
    pub fn outdated(self) -> Parts {
        let [access, refresh, id] = self.keys.map(|key| key != SEALING);
        Parts { access, refresh, id }
    }
}

/// Which cookies to seal anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// `-at`
    pub access: bool,
    /// `-rt`
    pub refresh: bool,
    /// `-id`
    pub id: bool,
}

impl Parts {
    /// After a login or a renewal.
    pub const ALL: Self = Self {
        access: true,
        refresh: true,
        id: true,
    };
    /// When only the idle timeout slides.
    pub const ACCESS: Self = Self {
        access: true,
        ..Self::NONE
    };
    /// When nothing of the session changes.
    pub const NONE: Self = Self {
        access: false,
        refresh: false,
        id: false,
    };

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            access: self.access || other.access,
            refresh: self.refresh || other.refresh,
            id: self.id || other.id,
        }
    }
}

/// What the new cookies replace: decides which surplus chunks are cleared along.
#[derive(Debug, Clone, Copy)]
pub enum Replaces {
    /// These, seen in the request.
    Presented(Presented),
    /// Unknown (a callback cannot see Strict cookies of the past): every chunk number up to the budget.
    Everything,
}

/// The tokens do not fit into `session.cookie_budget`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the session needs {needed} bytes of cookies (at {at}, rt {rt}, id {id}) and `session.cookie_budget` is {budget}: raise \
     it together with the header limits of every proxy in front, or have the provider put less into its tokens",
    at = cookies[0], rt = cookies[1], id = cookies[2],
)]
pub struct TooLarge {
    /// Bytes of `name=value; ` that the session would take.
    pub needed: usize,
    /// How they are shared out: `-at`, `-rt`, `-id`, each with its chunks.
    pub cookies: [usize; 3],
    /// `session.cookie_budget`.
    pub budget: usize,
}

/// The cookies of one app.
pub struct Cookies {
    pub(super) names: Names,
    pub(super) vault: Vault,
    access: Binding,
    refresh: Binding,
    id: Binding,
    pub(super) end: Binding,
    pub(super) budget: usize,
    persistent: bool,
    absolute: Duration,
    /// Whose openings this thread may remember as these cookies'.
    pub(super) owner: u64,
}

impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cookies(***)")
    }
}

impl Cookies {
    /// Derives the sub-keys of this app from the ring, once (contract §4).
    pub fn new(keys: &[CookieKey], app: &App, random: Arc<dyn Random>) -> Self {
        let names = Names::new(app.id.as_str());
        let vault = Vault::new(keys, app, random);
        Self {
            access: vault.bind(Purpose::Access, names.of(Kind::Access)),
            refresh: vault.bind(Purpose::Refresh, names.of(Kind::Refresh)),
            id: vault.bind(Purpose::Id, names.of(Kind::Id)),
            end: vault.bind(Purpose::End, names.end()),
            names,
            vault,
            budget: app.session.cookie_budget,
            persistent: app.session.persistent,
            absolute: app.session.absolute_timeout,
            owner: recent::new_owner(),
        }
    }

    /// Counts what is opened from now on, by key.
    #[must_use]
    pub fn counted(mut self, meters: &Meters) -> Self {
        self.vault.count(meters);
        self
    }

    /// Opens the session in the `Cookie` fields of a request. Never fails, never tells why.
    pub fn open(&self, headers: &HeaderMap) -> Opened {
        let field = jar::only_field(headers);
        if let Some(field) = field
            && let Some((session, presented)) = recent::find(self.owner, field)
        {
            let [access, refresh, id] = presented.keys;
            for (purpose, key) in [
                (Purpose::Access, access),
                (Purpose::Refresh, refresh),
                (Purpose::Id, id),
            ] {
                self.vault.opened_again(purpose, key);
            }
            return Opened::Session(session, presented);
        }
        let opened = self.open_anew(headers);
        if let Some(field) = field
            && let Opened::Session(session, presented) = &opened
        {
            recent::keep(self.owner, field, session, *presented);
        }
        opened
    }

    fn open_anew(&self, headers: &HeaderMap) -> Opened {
        let jar = SessionJar::read(headers, &self.names);
        let chunks = [jar.access.presented, jar.refresh.presented, jar.id.presented];
        if chunks == [0; 3] {
            return Opened::Absent;
        }
        let access = self.open_value(&self.access, &jar.access);
        let refresh = self.open_value(&self.refresh, &jar.refresh);
        let id = self.open_value(&self.id, &jar.id);
        // One value of an unknown key, and the jar is left alone, whatever else is wrong with it: the replica that knows
        // the key may find nothing wrong.
        let failures = [access.as_ref().err(), refresh.as_ref().err(), id.as_ref().err()];
        if failures.contains(&Some(&Unopened::UnknownKey)) {
            return Opened::Unreadable { clear: false };
        }
        let (Ok(access), Ok(refresh), Ok(id)) = (access, refresh, id) else {
            return Opened::Unreadable { clear: true };
        };
        let presented = Presented {
            chunks,
            sealed: [&access, &refresh, &id].map(|plain| plain.as_ref().map_or(0, |plain| plain.chunks)),
            keys: [&access, &refresh, &id].map(|plain| plain.as_ref().map_or(SEALING, |plain| plain.key)),
        };
        match assemble(access.as_ref(), refresh.as_ref(), id.as_ref()) {
            Ok(Assembled::Session(session)) => Opened::Session(Arc::new(session), presented),
            // An ID cookie is left over from before the session moved: it goes.
            Ok(Assembled::Shelved(shelved)) => {
                let [at, rt, _] = presented.sealed;
                let sealed = [at, rt, 0];
                Opened::Shelved(Box::new(shelved), Presented { sealed, ..presented })
            }
            Err(NoSession { clear }) => Opened::Unreadable { clear },
        }
    }

    /// `Set-Cookie` values that hold `session` (its `touched` must be set by the caller), with surplus chunks cleared.
    ///
    /// # Errors
    /// [`TooLarge`] when at, rt and id together exceed the budget.
    pub fn seal(
        &self,
        session: &Session,
        parts: Parts,
        replaces: Replaces,
        now: Timestamp,
    ) -> Result<Vec<HeaderValue>, TooLarge> {
        let (tokens, extents) = self.packed(session)?;
        let Contents { access, refresh, id } = tokens.contents(session);
        let attributes = self.session_attributes(session, now);
        let [access_extent, refresh_extent, id_extent] = extents;
        let mut set = Vec::new();
        if parts.access {
            self.put(&mut set, Kind::Access, access_extent, Some(&access), attributes);
        }
        if parts.refresh {
            self.put(
                &mut set,
                Kind::Refresh,
                refresh_extent,
                refresh.as_ref(),
                attributes,
            );
        }
        if parts.id {
            self.put(&mut set, Kind::Id, id_extent, id.as_ref(), attributes);
        }
        for ((kind, resealed), (extent, presented)) in [
            (Kind::Access, parts.access),
            (Kind::Refresh, parts.refresh),
            (Kind::Id, parts.id),
        ]
        .into_iter()
        .zip(extents.into_iter().zip(replaces.chunks(self.budget)))
        {
            if resealed {
                self.clear_chunks(&mut set, kind, extent.chunks..presented);
            }
        }
        Ok(set)
    }

    /// `Set-Cookie` values that clear the surplus chunks of what is not sealed anew: of `resealed`, sealing clears them.
    pub fn clear_surplus(&self, presented: Presented, resealed: Parts) -> Vec<HeaderValue> {
        let mut set = Vec::new();
        for ((kind, resealed), (sealed, presented)) in [
            (Kind::Access, resealed.access),
            (Kind::Refresh, resealed.refresh),
            (Kind::Id, resealed.id),
        ]
        .into_iter()
        .zip(presented.sealed.into_iter().zip(presented.chunks))
        {
            if !resealed {
                self.clear_chunks(&mut set, kind, usize::from(sealed)..usize::from(presented));
            }
        }
        set
    }

    /// `Set-Cookie` values that clear the app's session cookies: the plain names always, and every chunk seen in `headers`.
    pub fn clear(&self, headers: &HeaderMap) -> Vec<HeaderValue> {
        let jar = SessionJar::read(headers, &self.names);
        let mut set = Vec::new();
        for (kind, chunks) in [
            (Kind::Access, &jar.access),
            (Kind::Refresh, &jar.refresh),
            (Kind::Id, &jar.id),
        ] {
            self.clear_chunks(&mut set, kind, std::iter::once(0));
            self.clear_chunks(&mut set, kind, chunks.numbers().filter(|number| *number > 0));
        }
        set
    }

    /// `Ok(None)`: nothing of it is there.
    pub(super) fn open_value(
        &self,
        binding: &Binding,
        chunks: &Chunks<'_>,
    ) -> Result<Option<Plain>, Unopened> {
        if chunks.presented == 0 {
            return Ok(None);
        }
        if chunks.ambiguous {
            let unknown = chunks
                .values
                .first()
                .copied()
                .flatten()
                .is_some_and(|head| self.vault.names_unknown_key(head));
            return Err(if unknown {
                Unopened::UnknownKey
            } else {
                Unopened::Broken
            });
        }
        self.vault.open(binding, &chunks.values).map(Some)
    }

    pub(super) fn binding(&self, kind: Kind) -> &Binding {
        match kind {
            Kind::Access => &self.access,
            Kind::Refresh => &self.refresh,
            Kind::Id => &self.id,
        }
    }

    /// The tokens of `session` so that its cookies fit into the budget, and what at, rt and id take.
    pub(super) fn packed(&self, session: &Session) -> Result<(Tokens, [Extent; 3]), TooLarge> {
        let mut tokens = Tokens::pack(session, pack::WORTH_ITS_TIME);
        if self.fits(&self.extents(session, &tokens)).is_err() {
            tokens = Tokens::pack(session, pack::AT_ANY_PRICE);
        }
        let extents = self.extents(session, &tokens);
        self.fits(&extents)?;
        Ok((tokens, extents))
    }

    /// What at, rt and id take.
    fn extents(&self, session: &Session, tokens: &Tokens) -> [Extent; 3] {
        let Contents { access, refresh, id } = tokens.contents(session);
        [
            self.extent(Kind::Access, Some(&access)),
            self.extent(Kind::Refresh, refresh.as_ref()),
            self.extent(Kind::Id, id.as_ref()),
        ]
    }

    fn fits(&self, extents: &[Extent; 3]) -> Result<(), TooLarge> {
        let cookies = extents.map(|extent| extent.bytes);
        let needed = cookies.iter().sum();
        if needed > self.budget || extents.iter().any(|extent| extent.chunks > MAX_CHUNKS) {
            return Err(TooLarge {
                needed,
                cookies,
                budget: self.budget,
            });
        }
        Ok(())
    }

    fn extent(&self, kind: Kind, content: Option<&impl Content>) -> Extent {
        content.map_or_else(Extent::default, |content| {
            chunk::extent(
                self.names.of(kind).len(),
                sealed_len(content::encoded_len(content)),
            )
        })
    }

    fn put(
        &self,
        set: &mut Vec<HeaderValue>,
        kind: Kind,
        extent: Extent,
        content: Option<&impl Content>,
        attributes: Attributes,
    ) {
        let (Some(content), Ok(chunks)) = (content, u8::try_from(extent.chunks)) else {
            return;
        };
        let value = self.vault.seal(self.binding(kind), content, chunks);
        let pieces = chunk::split(self.names.of(kind), &value);
        set.extend(pieces.map(|(name, piece)| set_cookie::set(&name, piece, attributes)));
    }

    fn clear_chunks(&self, set: &mut Vec<HeaderValue>, kind: Kind, numbers: impl Iterator<Item = usize>) {
        let base = self.names.of(kind);
        set.extend(
            numbers.map(|number| set_cookie::clear(&chunk::name(base, number), Attributes::Session(None))),
        );
    }

    fn session_attributes(&self, session: &Session, now: Timestamp) -> Attributes {
        let left = || session.absolute_end(self.absolute).since(now).as_secs();
        Attributes::Session(self.persistent.then(left))
    }
}

impl Replaces {
    /// How many chunks of each session cookie may be in the jar.
    fn chunks(self, budget: usize) -> [usize; 3] {
        match self {
            Self::Presented(presented) => presented.chunks.map(usize::from),
            Self::Everything => [chunk::most_within(budget); 3],
        }
    }
}

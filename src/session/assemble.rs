//! Three opened values ⇄ one session: what belongs together, and the tokens packed for it.
//!
//! Each value says by its version where the tokens of its generation lie. The refresh cookie decides, as it does about the
//! generation: a session that moved to the store or back leaves answers under way that bring an access cookie of before.

use serde::Serialize;

use super::Session;
use super::content::shelved::{self, Facts, Handle, is_shelved};
use super::content::{self, AccessContent, Content, TokenContent, Version};
use super::pack::Packed;
use super::seal::Plain;
use super::shelf::{Shelf, Shelved};
use crate::clock::Timestamp;
use crate::token::{IdToken, RefreshToken};

/// The tokens of a session as its cookies hold them.
pub(super) enum Tokens {
    /// Packed, in the cookies themselves.
    Here {
        /// The access token.
        access: Packed,
        /// The refresh token.
        refresh: Option<Packed>,
        /// The ID token.
        id: Option<Packed>,
    },
    /// In the store.
    Shelved(Shelf),
}

/// What at, rt and id hold.
pub(super) struct Contents<'a> {
    pub(super) access: AtContent<'a>,
    pub(super) refresh: Option<RtContent<'a>>,
    pub(super) id: Option<TokenContent<'a>>,
}

/// `at`, wherever the tokens lie.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum AtContent<'a> {
    Here(AccessContent<'a>),
    Shelved(Facts<'a>),
}

/// `rt`, wherever the tokens lie.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum RtContent<'a> {
    Here(TokenContent<'a>),
    Shelved(Handle),
}

impl Content for AtContent<'_> {
    fn version(&self) -> u8 {
        match self {
            Self::Here(content) => content.version(),
            Self::Shelved(content) => content.version(),
        }
    }
}

impl Content for RtContent<'_> {
    fn version(&self) -> u8 {
        match self {
            Self::Here(content) => content.version(),
            Self::Shelved(content) => content.version(),
        }
    }
}

impl Tokens {
    /// Packs them; `worth` as for [`Packed::of`]. Nothing is to be packed of what lies in the store.
    pub(super) fn pack(session: &Session, worth: usize) -> Self {
        if let Some(shelf) = &session.shelf {
            return Self::Shelved(shelf.clone());
        }
        let refresh = session.refresh.as_ref();
        let id = session.id_token.as_ref();
        Self::Here {
            access: Packed::of(session.access.token.expose(), worth),
            refresh: refresh.map(|token| Packed::of(token.expose(), worth)),
            id: id.map(|token| Packed::of(token.expose(), worth)),
        }
    }

    /// What at, rt and id hold.
    pub(super) fn contents<'a>(&'a self, session: &'a Session) -> Contents<'a> {
        let token = |token: &'a Packed| TokenContent::of(session, token);
        match self {
            Self::Here { access, refresh, id } => Contents {
                access: AtContent::Here(AccessContent::of(session, access)),
                refresh: refresh.as_ref().map(token).map(RtContent::Here),
                id: id.as_ref().map(token),
            },
            Self::Shelved(shelf) => Contents {
                access: AtContent::Shelved(Facts::of(session)),
                refresh: Some(RtContent::Shelved(Handle::of(session, shelf))),
                id: None,
            },
        }
    }
}

/// Values that opened but make no session.
pub(super) struct NoSession {
    /// Whether the jar is to be cleared.
    pub(super) clear: bool,
}

/// What these values make together.
pub(super) enum Assembled {
    /// A session.
    Session(Session),
    /// A session whose tokens lie in the store.
    Shelved(Shelved),
}

/// The session that these values make together.
pub(super) fn assemble(
    access: Option<&Plain>,
    refresh: Option<&Plain>,
    id: Option<&Plain>,
) -> Result<Assembled, NoSession> {
    if refresh.is_some_and(|refresh| is_shelved(refresh.bytes())) {
        return assemble_shelved(access, refresh, id).map(Assembled::Shelved);
    }
    let access = access.map(begun).transpose()?;
    let refresh = decode::<TokenContent<'_>>(refresh)?;
    let id = decode::<TokenContent<'_>>(id)?;
    // No login ends without an ID token: where its cookie is lost, so is a part of the session (K-07).
    let (Some(access), Some((id_version, id))) = (access, id) else {
        return Err(INCOMPLETE);
    };
    let foreign = |token: &TokenContent<'_>| token.common.session != access.session.id;
    if refresh.as_ref().is_some_and(|(_, refresh)| foreign(refresh))
        || foreign(&id)
        || access.needs_refresh && refresh.is_none()
    {
        return Err(INCOMPLETE);
    }

    let mut session = access.session;
    if !access.has_token {
        // The session has moved back into its cookies, and an answer from before came late: renewed before it is used.
        session.access.expires = Some(Timestamp::default());
    }
    if let Some((version, refresh)) = refresh {
        session.generation = refresh.common.generation;
        session.refresh = Some(RefreshToken::new(refresh.token(version).ok_or(UNREADABLE)?));
    }
    session.id_token = Some(IdToken::new(id.token(id_version).ok_or(UNREADABLE)?));
    Ok(Assembled::Session(session))
}

/// A session whose tokens lie in the store: `rt` tells where. An ID cookie is left over from before it moved there.
fn assemble_shelved(
    access: Option<&Plain>,
    refresh: Option<&Plain>,
    id: Option<&Plain>,
) -> Result<Shelved, NoSession> {
    let access = access.map(begun).transpose()?;
    let handle = refresh.and_then(|refresh| shelved::decode::<Handle>(refresh.bytes()));
    let handle = handle.ok_or(UNREADABLE)?;
    let id = decode::<TokenContent<'_>>(id)?;
    let Some(access) = access else {
        return Err(INCOMPLETE);
    };
    let session = handle.common.session;
    if access.session.id != session || id.is_some_and(|(_, id)| id.common.session != session) {
        return Err(INCOMPLETE);
    }
    let facts = Session {
        generation: handle.common.generation,
        ..access.session
    };
    Ok(Shelved::new(facts, handle.to_shelf()))
}

/// What an access cookie begins.
struct Begun {
    session: Session,
    /// Whether the access token is in it.
    has_token: bool,
    /// Without a refresh cookie it is not whole.
    needs_refresh: bool,
}

fn begun(access: &Plain) -> Result<Begun, NoSession> {
    if !is_shelved(access.bytes()) {
        let (version, access) = content::decode::<AccessContent<'_>>(access.bytes()).ok_or(UNREADABLE)?;
        return Ok(Begun {
            session: access.to_session(version).ok_or(UNREADABLE)?,
            has_token: true,
            needs_refresh: access.has_refresh,
        });
    }
    let facts = shelved::decode::<Facts<'_>>(access.bytes()).ok_or(UNREADABLE)?;
    Ok(Begun {
        session: facts.to_session(),
        has_token: false,
        needs_refresh: true,
    })
}

fn decode<'p, T: serde::Deserialize<'p>>(
    plain: Option<&'p Plain>,
) -> Result<Option<(Version, T)>, NoSession> {
    plain
        .map(|plain| content::decode(plain.bytes()).ok_or(UNREADABLE))
        .transpose()
}

/// A part of it is missing, or of another session.
const INCOMPLETE: NoSession = NoSession { clear: false };
/// Authentic, and yet nothing that this version reads.
const UNREADABLE: NoSession = NoSession { clear: true };

//! Three opened values ⇄ one session: what belongs together, and the tokens packed for it.

use super::Session;
use super::content::{self, AccessContent, TokenContent, Version};
use super::pack::Packed;
use super::seal::Plain;
use crate::token::{IdToken, RefreshToken};

/// The tokens of a session as its cookies hold them.
pub(super) struct Tokens {
    access: Packed,
    refresh: Option<Packed>,
    id: Option<Packed>,
}

impl Tokens {
    /// Packs them; `worth` as for [`Packed::of`].
    pub(super) fn pack(session: &Session, worth: usize) -> Self {
        let refresh = session.refresh.as_ref();
        let id = session.id_token.as_ref();
        Self {
            access: Packed::of(session.access.token.expose(), worth),
            refresh: refresh.map(|token| Packed::of(token.expose(), worth)),
            id: id.map(|token| Packed::of(token.expose(), worth)),
        }
    }

    /// What at, rt and id hold.
    pub(super) fn contents<'a>(
        &'a self,
        session: &'a Session,
    ) -> (
        AccessContent<'a>,
        Option<TokenContent<'a>>,
        Option<TokenContent<'a>>,
    ) {
        let token = |token: &'a Option<Packed>| token.as_ref().map(|token| TokenContent::of(session, token));
        (
            AccessContent::of(session, &self.access),
            token(&self.refresh),
            token(&self.id),
        )
    }
}

/// Values that opened but make no session.
pub(super) struct NoSession {
    /// Whether the jar is to be cleared.
    pub(super) clear: bool,
}

/// The session that these values make together.
pub(super) fn assemble(
    access: Option<&Plain>,
    refresh: Option<&Plain>,
    id: Option<&Plain>,
) -> Result<Session, NoSession> {
    let incomplete = || NoSession { clear: false };

    let access = decode::<AccessContent<'_>>(access)?;
    let refresh = decode::<TokenContent<'_>>(refresh)?;
    let id = decode::<TokenContent<'_>>(id)?;
    // No login ends without an ID token: where its cookie is lost, so is a part of the session (K-07).
    let (Some((version, access)), Some((id_version, id))) = (access, id) else {
        return Err(incomplete());
    };
    let foreign = |token: &TokenContent<'_>| token.common.session != access.common.session;
    if refresh.as_ref().is_some_and(|(_, refresh)| foreign(refresh))
        || foreign(&id)
        || access.has_refresh && refresh.is_none()
    {
        return Err(incomplete());
    }

    let mut session = access.to_session(version).ok_or(UNREADABLE)?;
    if let Some((version, refresh)) = refresh {
        session.generation = refresh.common.generation;
        session.refresh = Some(RefreshToken::new(refresh.token(version).ok_or(UNREADABLE)?));
    }
    session.id_token = Some(IdToken::new(id.token(id_version).ok_or(UNREADABLE)?));
    Ok(session)
}

fn decode<'p, T: serde::Deserialize<'p>>(
    plain: Option<&'p Plain>,
) -> Result<Option<(Version, T)>, NoSession> {
    plain
        .map(|plain| content::decode(plain.bytes()).ok_or(UNREADABLE))
        .transpose()
}

/// Authentic, and yet nothing that this version reads.
const UNREADABLE: NoSession = NoSession { clear: true };

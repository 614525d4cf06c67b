//! One path, one owner: within an app and between apps on one host (contract §7).

use super::Origin;
use super::check::Check;
use super::path::is_under;
use super::problem::{Code, Place};
use super::schema::join;
use super::table::{Field, Table, quoted};

/// Who answers below a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Agent,
    Route,
    /// The SPA's files answer what nobody else does.
    Spa,
}

/// A part of an origin's paths that an app takes.
pub(super) struct Claim<'a> {
    app: usize,
    host: Box<str>,
    authority: Box<str>,
    owner: Owner,
    path: Box<str>,
    key: String,
    place: &'a Place,
    origin_place: &'a Place,
}

impl<'a> Claim<'a> {
    /// `field` is where the path is written; without it, the default of `table` is claimed.
    pub(super) fn new(
        app: usize,
        origin: &Origin,
        owner: Owner,
        path: &str,
        field: Option<&Field<'a>>,
        table: &Table<'a>,
    ) -> Self {
        Self {
            app,
            host: origin.host().into(),
            authority: origin.authority().into(),
            owner,
            path: path.into(),
            key: field.map_or_else(|| join(&table.path, "agent_path"), |field| field.path.clone()),
            place: field.map_or_else(|| table.place(), Field::place),
            origin_place: table
                .field("origin")
                .map_or_else(|| table.place(), |field| field.place()),
        }
    }
}

/// Reports each path that has two owners, and apps that share a cookie zone.
pub(super) fn inspect(claims: &[Claim<'_>], check: &mut Check<'_>) {
    for (index, claim) in claims.iter().enumerate() {
        let earlier = claims.get(..index).unwrap_or_default();
        if let Some((message, fix)) = earlier.iter().find_map(|other| conflict(other, claim)) {
            check
                .error(Code::OVERLAP, &claim.key, claim.place, message)
                .with_fix(fix);
        }
        // Once per app: its agent path is its first claim.
        if claim.owner == Owner::Agent {
            warn_of_shared_zone(earlier, claim, check);
        }
    }
}

fn conflict(other: &Claim<'_>, claim: &Claim<'_>) -> Option<(String, &'static str)> {
    if other.authority != claim.authority {
        return None;
    }
    let path = quoted(&claim.path);
    if other.app == claim.app {
        return match (other.owner, claim.owner) {
            (Owner::Agent, Owner::Route) if is_under(&claim.path, &other.path) => Some((
                format!("the route {path} lies under the app's `agent_path`"),
                "move the route, or choose another `agent_path`",
            )),
            (Owner::Route, Owner::Route) if other.path == claim.path => Some((
                format!("another route of this app has the path {path}"),
                "a path has one route: merge them, or make one of them longer",
            )),
            _ => None,
        };
    }
    let nested = is_under(&claim.path, &other.path) || is_under(&other.path, &claim.path);
    match (other.owner, claim.owner) {
        (Owner::Spa, Owner::Spa) => Some((
            format!("`{}` already delivers an SPA on this origin", other.key),
            "deliver one SPA from here, the other from its own origin",
        )),
        (Owner::Spa, _) | (_, Owner::Spa) => None,
        _ if nested => Some((
            format!(
                "{path} overlaps with {} of another app on this origin",
                quoted(&other.path)
            ),
            "apps that share an origin need disjoint agent paths and routes",
        )),
        _ => None,
    }
}

fn warn_of_shared_zone(earlier: &[Claim<'_>], claim: &Claim<'_>, check: &mut Check<'_>) {
    let Some(other) = earlier.iter().find(|other| other.host == claim.host) else {
        return;
    };
    let (message, cause) = if other.authority == claim.authority {
        (
            format!(
                "another app has the origin of this one, {}",
                quoted(&claim.authority)
            ),
            "one origin is one trust zone: script of either SPA can act in the other's session",
        )
    } else {
        (
            format!("another app is on the host of this one, {}", quoted(&claim.host)),
            "one host, all its ports, is one cookie zone: browsers send each app the other's cookies",
        )
    };
    let app = claim.key.split('.').next().unwrap_or_default();
    check
        .warning(
            Code::ONE_COOKIE_ZONE,
            &join(app, "origin"),
            claim.origin_place,
            message,
        )
        .with_cause(cause)
        .with_fix("give apps that do not trust each other hosts of their own");
}

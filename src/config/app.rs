//! `[[app]]`: one SPA, its origins and paths.

use std::sync::Arc;

use super::check::Check;
use super::landing::{self, Ground};
use super::overlap::{Claim, Owner};
use super::problem::Code;
use super::schema::{Key, Kind, nearest};
use super::table::{Field, Table, may_hold_a_secret, quoted};
use super::{App, AppId, Origin, Route, Scheme, SpaFiles};
use super::{meant, path, provider, route, secret, session, site};

pub(super) const KEYS: &[Key] = &[
    Key::new("id", Kind::Text),
    Key::new("origin", Kind::Text),
    Key::new("spa_origin", Kind::Text),
    Key::new("agent_path", Kind::Text),
    Key::new("allowed_origins", Kind::Texts),
    Key::new("error_path", Kind::Text),
    Key::new("post_logout_path", Kind::Text),
    Key::table("spa", SPA_KEYS),
    Key::table("provider", provider::KEYS),
    Key::table("session", session::KEYS),
    Key::tables("route", route::KEYS),
    Key::later("forward_auth"),
    Key::later("policy"),
];

const SPA_KEYS: &[Key] = &[Key::new("dir", Kind::Text)];

/// Reads one `[[app]]`. What it claims of the address space is added to `claims` even where the app is wrong
/// elsewhere, so that overlaps are reported with everything else.
pub(super) fn read<'a>(
    table: &Table<'a>,
    index: usize,
    claims: &mut Vec<Claim<'a>>,
    check: &mut Check<'_>,
) -> Option<App> {
    let id = table.required("id", "`id = \"shop\"`", check, app_id);
    let origin = table.required("origin", "`origin = \"https://shop.example.com\"`", check, origin);
    let allowed_origins = table.each("allowed_origins", check, |field, check| {
        allowed_origin(field, origin.as_ref(), check)
    });
    let listed = allowed_origins.as_deref().unwrap_or_default();
    let spa_origin = match table.field("spa_origin") {
        None => origin.clone(),
        Some(field) => spa_origin(&field, origin.as_ref(), listed, check),
    };
    let agent_path = table.or("agent_path", AGENT_PATH.into(), check, |field, check| {
        path::read(field, false, check)
    });
    if let (Some(origin), Some(agent_path)) = (&origin, &agent_path) {
        claims.push(Claim::new(
            index,
            origin,
            Owner::Agent,
            agent_path,
            table.field("agent_path").as_ref(),
            table,
        ));
    }

    let mut routes = Vec::new();
    for route in table.tables("route") {
        let read = route::read(&route, check);
        if let (Some(path), Some(origin)) = (&read.path, &origin) {
            claims.push(Claim::new(
                index,
                origin,
                Owner::Route,
                path,
                route.field("path").as_ref(),
                &route,
            ));
        }
        routes.push(read);
    }
    let route_paths: Vec<Box<str>> = routes.iter().filter_map(|route| route.path.clone()).collect();

    let ground = Ground {
        origin: origin.as_ref(),
        spa_origin: spa_origin.as_ref(),
        allowed: listed,
        agent_path: agent_path.as_deref(),
        routes: &route_paths,
    };
    let error_path = table.or("error_path", "/".into(), check, |field, check| {
        landing::read(field, &ground, check)
    });
    let post_logout_path = table.or("post_logout_path", "/".into(), check, |field, check| {
        landing::read(field, &ground, check)
    });
    let spa = table.optional("spa", check, |_, check| spa(&table.table("spa")?, check));
    meant::warn_of_a_way_back_to_no_page(origin.as_ref(), listed, table, check);
    if let (Some(origin), Some(field)) = (&origin, table.field("spa")) {
        claims.push(Claim::new(index, origin, Owner::Spa, "/", Some(&field), table));
    }

    if table.field("provider").is_none() {
        table.missing(
            "provider",
            "`[app.provider]` with `issuer`, `client_id` and `client_secret`",
            check,
        );
    }
    let public: Vec<&str> = routes.iter().filter_map(route::Reading::public_path).collect();
    let provider = table
        .table("provider")
        .and_then(|provider| provider::read(&provider, &ground, &public, check));
    let session = session::read(table, check);
    let all_routes: Option<Vec<Arc<Route>>> = routes
        .into_iter()
        .map(|route| route.checked.map(Arc::new))
        .collect();
    Some(App {
        id: id?,
        origin: origin?,
        spa_origin: spa_origin?,
        agent_path: agent_path?,
        allowed_origins: allowed_origins?,
        error_path: error_path?,
        post_logout_path: post_logout_path?,
        spa: spa?,
        provider: provider?,
        session: session?,
        routes: all_routes?,
    })
}

/// Reports every id that an earlier app has.
pub(super) fn refuse_equal_ids(apps: &[Table<'_>], check: &mut Check<'_>) {
    let mut seen: Vec<&str> = Vec::new();
    for field in apps.iter().filter_map(|app| app.field("id")) {
        let Some(id) = field.text() else { continue };
        if seen.contains(&id) {
            check
                .wrong(
                    Code::APP_ID_TWICE,
                    &field,
                    format!("another app has the id {}", quoted(id)),
                )
                .with_cause(
                    "the id is in the names of cookies: two apps would overwrite each other's sessions",
                )
                .with_fix("give it another id");
        }
        seen.push(id);
    }
}

fn app_id(field: &Field<'_>, check: &mut Check<'_>) -> Option<AppId> {
    let text = field.text()?;
    let well_formed = text
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if well_formed && (1..=16).contains(&text.len()) {
        return Some(AppId(text.into()));
    }
    check
        .wrong(Code::APP_ID, field, format!("{} is no app id", quoted(text)))
        .with_cause("the id is in the names of cookies: 1 to 16 characters of a-z, 0-9 and `-`")
        .with_fix("choose a short name, as `shop`");
    None
}

fn origin(field: &Field<'_>, check: &mut Check<'_>) -> Option<Origin> {
    let text = field.text()?;
    // A `Host` loses its trailing dot before it is compared: such an origin would never be found.
    let plain = |origin: &Origin| !text.ends_with('/') && !origin.host().ends_with('.');
    let Some(origin) = Origin::parse(text).filter(plain) else {
        let problem = check.wrong(
            Code::ORIGIN,
            field,
            format!("{} is not a web origin", quoted(text)),
        );
        problem.with_cause(
            "an origin is scheme, host and port as browsers send them: lower case, no path, no default port",
        );
        match as_browsers_send_it(text) {
            Some(meant) => problem.with_fix(format!("write `\"{meant}\"`")),
            None => problem.with_fix("write it as `\"https://shop.example.com\"`"),
        };
        return None;
    };
    if origin.scheme() == Scheme::Http && !origin.is_loopback() {
        check
            .wrong(
                Code::PLAIN_HTTP,
                field,
                format!(
                    "`http` is for loopback names only, and {} is none",
                    quoted(origin.host())
                ),
            )
            .with_cause(
                "browsers keep `__Host-` cookies from plain http, and the network would see every session",
            )
            .with_fix(format!("write `\"https://{}\"`", origin.authority()));
        return None;
    }
    Some(origin)
}

/// The origin of what was written, if it has one.
fn as_browsers_send_it(text: &str) -> Option<String> {
    // `null` is what browsers send where an origin is nobody's.
    if may_hold_a_secret(text) || text == "null" {
        return None;
    }
    let url = url::Url::parse(text)
        .ok()
        .filter(url::Url::has_host)
        .or_else(|| url::Url::parse(&format!("https://{text}")).ok())?;
    let meant = url.origin().ascii_serialization();
    if Origin::parse(&meant)?.host().ends_with('.') {
        return None;
    }
    Some(meant)
}

fn allowed_origin(field: &Field<'_>, own: Option<&Origin>, check: &mut Check<'_>) -> Option<Origin> {
    if field.text()? == "*" {
        check
            .wrong(Code::ORIGIN, field, "`*` is not a web origin")
            .with_cause("any page could then call the API with the user's session")
            .with_fix("list the SPA's origins, each as browsers send it");
        return None;
    }
    let listed = origin(field, check)?;
    if let Some(own) = own
        && !site::same_site(own, &listed)
    {
        check
            .wrong(
                Code::CROSS_SITE,
                field,
                format!(
                    "{} is not same-site with {}",
                    quoted(listed.as_str()),
                    quoted(own.as_str())
                ),
            )
            .with_cause(
                "the session's cookies are SameSite=Strict: they never travel from a page of another site \
                 (same scheme, same registrable domain; `a.localhost` and `b.localhost` are two sites)",
            )
            .with_fix("serve SPA and API below one registrable domain");
        return None;
    }
    Some(listed)
}

fn spa_origin(
    field: &Field<'_>,
    own: Option<&Origin>,
    listed: &[Origin],
    check: &mut Check<'_>,
) -> Option<Origin> {
    let spa = origin(field, check)?;
    // Without a readable `origin` nothing can be said about the pair.
    if own.is_none_or(|own| *own == spa) || listed.contains(&spa) {
        return Some(spa);
    }
    let problem = check.wrong(
        Code::SPA_ORIGIN,
        field,
        format!(
            "{} is neither `origin` nor one of `allowed_origins`",
            quoted(spa.as_str())
        ),
    );
    match nearest(spa.as_str(), listed.iter().map(Origin::as_str)) {
        Some(near) => problem.with_fix(format!("did you mean `\"{near}\"`?")),
        None => problem
            .with_fix("add it to `allowed_origins`, or remove it where the SPA is served from `origin`"),
    };
    None
}

fn spa(table: &Table<'_>, check: &mut Check<'_>) -> Option<SpaFiles> {
    table.required("dir", "`dir = \"dist\"`", check, |field, check| {
        let text = field.text()?;
        let dir = secret::beside(check, text);
        // Absolute, so that a later change of the working folder serves nothing else.
        match std::path::absolute(&dir) {
            Ok(dir) if dir.is_dir() => Some(SpaFiles::Dir(dir)),
            _ => {
                check
                    .wrong(
                        Code::NAMED_FILE,
                        field,
                        format!("{} is not a folder", quoted(text)),
                    )
                    .with_cause("relative paths start at the folder of the configuration file")
                    .with_fix("build the SPA first, or correct the path");
                None
            }
        }
    })
}

const AGENT_PATH: &str = "/oauth-agent";

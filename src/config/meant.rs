//! What is right and perhaps not meant: where browsers reach an app, and where they come back to (warnings only).

use super::check::Check;
use super::problem::Code;
use super::table::{Table, quoted};
use super::{Origin, Server};

/// On a loopback name nothing stands between browser and service unless somebody put it there: a port of its own in `origin`
/// is a dev server that passes requests on, or a mistake.
pub(super) fn warn_of_another_port(
    server: &Server,
    origin: Option<&Origin>,
    table: &Table<'_>,
    check: &mut Check<'_>,
) {
    let (Some(origin), Some(field)) = (origin, table.field("origin")) else {
        return;
    };
    let port = server.listen.port();
    // Port 0 is any that is free: nobody knows yet.
    if !origin.is_loopback() || port == 0 || origin.port() == port {
        return;
    }
    check
        .warning(
            Code::ANOTHER_PORT,
            &field.path,
            field.place(),
            format!(
                "browsers come to {}, and this service listens on port {port}",
                quoted(origin.as_str())
            ),
        )
        .with_cause(format!(
            "something on port {} (a dev server, perhaps) has to pass `agent_path` and the routes on, with the `Host` that \
             browsers send",
            origin.port()
        ))
        .with_fix(format!(
            "nothing, where it does; where nothing stands in between, write `\"http://{}:{port}\"`",
            origin.host()
        ));
}

/// Pages on further origins, and every way back leads to `origin`, where no page is known to be.
pub(super) fn warn_of_a_way_back_to_no_page(
    origin: Option<&Origin>,
    allowed: &[Origin],
    table: &Table<'_>,
    check: &mut Check<'_>,
) {
    let (Some(origin), Some(field)) = (origin, table.field("allowed_origins")) else {
        return;
    };
    let Some(further) = allowed.iter().find(|allowed| *allowed != origin) else {
        return;
    };
    if table.field("spa_origin").is_some() || table.field("spa").is_some() {
        return;
    }
    check
        .warning(
            Code::WAY_BACK,
            &field.path,
            field.place(),
            format!(
                "a login and a logout end at {}, not at an allowed origin",
                quoted(origin.as_str())
            ),
        )
        .with_cause(
            "`return_to`, `error_path` and `post_logout_path` resolve at `spa_origin`, which is `origin` where it is not \
             written; and without `spa` no page is served there",
        )
        .with_fix(format!(
            "`spa_origin = {}` where the page is there; `spa_origin = {}` says that it is meant",
            written(further),
            written(origin)
        ));
}

fn written(origin: &Origin) -> String {
    format!("\"{origin}\"")
}

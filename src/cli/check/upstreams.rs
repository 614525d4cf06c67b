//! Whether the upstreams of an app take connections, tried as the proxy would: name, TCP, and TLS with its certificate check.
//! Nothing is sent to them.

use std::time::Duration;

use super::super::exit::Failure;
use crate::config::{App, Route, Transport};
use crate::proxy::Connector;

/// What came of one upstream.
pub(super) struct Found {
    /// Which one, and how it stands.
    pub(super) text: String,
    /// What to do about it, where it cannot be reached.
    pub(super) fix: Option<&'static str>,
}

/// Tries each upstream of `app` once, some at a time.
///
/// # Errors
/// When TLS cannot be set up at all.
pub(super) async fn try_all(app: &App) -> Result<Vec<Found>, Failure> {
    let routes = distinct(app);
    let with_tls = routes
        .iter()
        .any(|route| route.upstream.transport() == Transport::Tls);
    let connector = Connector::new(with_tls)
        .map_err(|error| Failure::failed(format!("TLS towards upstreams cannot be set up: {error}")))?;
    let mut found = Vec::new();
    for some in routes.chunks(AT_ONCE) {
        let tries: Vec<_> = some
            .iter()
            .map(|route| {
                let (connector, upstream) = (connector.clone(), route.upstream.clone());
                let within = route.connect_timeout.min(LONGEST);
                tokio::spawn(async move { connector.reaches(&upstream, within).await })
            })
            .collect();
        for (route, tried) in some.iter().zip(tries) {
            let upstream = &route.upstream;
            found.push(match tried.await {
                Ok(Ok(())) => Found {
                    text: format!("{upstream} takes connections"),
                    fix: None,
                },
                Ok(Err(why)) => unreachable(route, &why),
                Err(error) => unreachable(route, &format!("a bug: {error}")),
            });
        }
    }
    Ok(found)
}

fn unreachable(route: &Route, why: &str) -> Found {
    Found {
        text: format!("{} (route `{}`): {why}", route.upstream, route.path),
        fix: Some("start the API, or correct `upstream`; until then its calls end in 502 or 504"),
    }
}

/// One route for each transport, host and port.
fn distinct(app: &App) -> Vec<&Route> {
    let mut distinct: Vec<&Route> = Vec::new();
    for route in &app.routes {
        let place = |route: &Route| {
            let upstream = &route.upstream;
            (upstream.transport(), upstream.host().to_owned(), upstream.port())
        };
        if distinct.iter().all(|known| place(known) != place(route)) {
            distinct.push(route);
        }
    }
    distinct
}

/// Whoever calls `check` waits for it: `connect_timeout` holds, up to this.
const LONGEST: Duration = Duration::from_secs(5);
/// As many sockets as any process may have.
const AT_ONCE: usize = 64;

//! The parts of each app, made once: sessions, agent, SPA, routes with their way out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderValue;
use http::uri::PathAndQuery;
use http::{Method, Request, Response, Uri};
use tower::ServiceExt as _;

use super::reload::{Heirlooms, Lasting, UpstreamName};
use super::{BuildError, Inner};
use crate::agent::{Agent, Asked, Endpoint, Places};
use crate::body::{Hurried, RequestBody, ResponseBody};
use crate::config::{App, Config, Origin, Route, Scheme, Transport};
use crate::gate::app::{Match, Prefixes};
use crate::metrics::AppMeters;
use crate::provider::Provider;
use crate::proxy::{Connector, Passage};
use crate::renewal::{SessionParts, Sessions};
use crate::session::Cookies;
use crate::spa::Spa;

/// One app, ready to serve.
#[derive(Debug)]
pub(super) struct AppRuntime {
    pub(super) app: Arc<App>,
    pub(super) sessions: Sessions,
    pub(super) spa: Option<Spa>,
    pub(super) meters: AppMeters,
    /// What upstreams are told about the public side.
    pub(super) host: HeaderValue,
    pub(super) scheme: &'static str,
    agent: axum::Router,
    routes: Vec<Arc<RouteRuntime>>,
}

/// One route, ready to forward.
#[derive(Debug)]
pub(super) struct RouteRuntime {
    pub(super) route: Arc<Route>,
    pub(super) passage: Passage,
    /// For `Allow` and preflights.
    pub(super) methods: HeaderValue,
}

/// What stands at a prefix.
#[derive(Debug)]
pub(super) enum Target {
    /// The agent of this app.
    Agent(Arc<AppRuntime>),
    /// A route of this app.
    Route(Arc<AppRuntime>, Arc<RouteRuntime>),
}

impl Target {
    /// What the log calls the place.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Agent(app) => &app.app.agent_path,
            Self::Route(_, route) => &route.route.path,
        }
    }
}

/// All apps of one origin.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) prefixes: Prefixes<Target>,
    /// Who answers where no prefix matches: the app with a SPA, else the first.
    rest: Arc<AppRuntime>,
}

impl Site {
    /// The app that answers.
    pub(super) fn app_of<'s>(&'s self, target: Option<Match<'s, Target>>) -> &'s AppRuntime {
        match target.map(|found| found.target) {
            Some(Target::Agent(app) | Target::Route(app, _)) => app,
            None => &self.rest,
        }
    }
}

impl AppRuntime {
    /// Passes a request on to the agent's router, under the path that the router knows.
    pub(super) async fn ask_agent(
        &self,
        endpoint: Endpoint,
        asked: Asked,
        request: Request<RequestBody>,
    ) -> Response<ResponseBody> {
        let (mut parts, body) = request.into_parts();
        let query = parts
            .uri
            .query()
            .map_or(String::new(), |query| format!("?{query}"));
        // The endpoint's own path and a query that was part of a target: always a target.
        parts.uri = format!("/{}{query}", endpoint.path())
            .parse::<PathAndQuery>()
            .map_or_else(|_| Uri::from_static("/"), Uri::from);
        parts.extensions.insert(asked);
        let request = Request::from_parts(parts, axum::body::Body::new(Hurried::new(body, BODY_TIME)));
        match self.agent.clone().oneshot(request).await {
            Ok(response) => response.map(ResponseBody::Any),
            Err(never) => match never {},
        }
    }
}

/// Builds every app of the configuration. What an app of `before` had under way goes on in the app of the same id.
pub(super) fn build(
    config: &Config,
    lasting: &Lasting,
    heirlooms: &mut Heirlooms,
    before: Option<&Inner>,
) -> Result<Vec<Arc<AppRuntime>>, BuildError> {
    let Lasting {
        clock,
        random,
        store,
        meters,
        ..
    } = lasting;
    let needs_tls = config
        .apps
        .iter()
        .flat_map(|app| &app.routes)
        .any(|route| route.upstream.transport() == Transport::Tls);
    let connector = Connector::new(needs_tls)
        .map_err(|error| BuildError(format!("TLS towards upstreams cannot be set up: {error}")))?;
    config
        .apps
        .iter()
        .map(|app| {
            let provider = match known_provider(before, app) {
                Some(provider) => provider,
                None => Provider::new(&app.provider, Arc::clone(clock))
                    .map(Arc::new)
                    .map_err(|error| BuildError(format!("app `{}`: {error}", app.id.as_str())))?,
            };
            let (under_way, places) = heirlooms.of_app(&app.id);
            let app_meters = meters.of_app(app.id.as_str());
            let parts = SessionParts {
                app: Arc::clone(app),
                cookies: Cookies::new(&config.keys, app, Arc::clone(random)).counted(meters),
                provider: Arc::clone(&provider),
                store: Arc::clone(store),
                clock: Arc::clone(clock),
                random: Arc::clone(random),
                meters: app_meters.clone(),
            };
            let sessions = Sessions::going_on(parts, under_way);
            let agent = Agent {
                app: Arc::clone(app),
                sessions: sessions.clone(),
                provider,
                store: Arc::clone(store),
                clock: Arc::clone(clock),
                random: Arc::clone(random),
                places,
                frames: Places::default(),
                longest_session: longest_session(config, app),
            };
            let routes = app
                .routes
                .iter()
                .map(|route| prepare(route, &connector, &mut heirlooms.upstreams))
                .collect();
            Ok(Arc::new(AppRuntime {
                host: HeaderValue::from_str(app.origin.authority())
                    .map_err(|error| BuildError(format!("app `{}`: {error}", app.id.as_str())))?,
                scheme: match app.origin.scheme() {
                    Scheme::Http => "http",
                    Scheme::Https => "https",
                },
                spa: app
                    .spa
                    .as_ref()
                    .map(|files| Spa::new(files, app, Arc::clone(random))),
                app: Arc::clone(app),
                meters: app_meters,
                sessions,
                agent: agent.router(),
                routes,
            }))
        })
        .collect()
}

/// The provider of the app of this id, where nothing about it is different: its metadata and keys are known then, and still
/// serve while it is down.
fn known_provider(before: Option<&Inner>, app: &App) -> Option<Arc<Provider>> {
    let old = before?.apps.iter().find(|old| old.app.id == app.id)?;
    old.app
        .provider
        .is_same_as(&app.provider)
        .then(|| Arc::clone(&old.sessions.parts.provider))
}

/// How long a session may last that a logout of `app`'s provider ends: those of other apps of the issuer are among them.
fn longest_session(config: &Config, app: &App) -> Duration {
    config
        .apps
        .iter()
        .filter(|other| other.provider.issuer == app.provider.issuer)
        .map(|other| other.session.absolute_timeout)
        .fold(app.session.absolute_timeout, Duration::max)
}

/// Puts apps that share an origin together.
pub(super) fn sites(apps: &[Arc<AppRuntime>]) -> Vec<(Origin, Site)> {
    let mut by_authority: Vec<(Origin, Vec<Arc<AppRuntime>>)> = Vec::new();
    for app in apps {
        let app = Arc::clone(app);
        let origin = &app.app.origin;
        match by_authority
            .iter_mut()
            .find(|(known, _)| known.authority() == origin.authority())
        {
            Some((_, apps)) => apps.push(app),
            None => by_authority.push((origin.clone(), vec![app])),
        }
    }
    by_authority
        .into_iter()
        .filter_map(|(origin, apps)| {
            let rest = apps.iter().find(|app| app.spa.is_some()).or(apps.first())?;
            let rest = Arc::clone(rest);
            let prefixes = Prefixes::new(apps.iter().flat_map(targets));
            Some((origin, Site { prefixes, rest }))
        })
        .collect()
}

fn targets(app: &Arc<AppRuntime>) -> impl Iterator<Item = (Box<str>, Target)> {
    let agent = (app.app.agent_path.clone(), Target::Agent(Arc::clone(app)));
    let routes = app.routes.iter().map(|route| {
        (
            route.route.path.clone(),
            Target::Route(Arc::clone(app), Arc::clone(route)),
        )
    });
    std::iter::once(agent).chain(routes)
}

fn prepare(
    route: &Arc<Route>,
    connector: &Connector,
    keys: &mut HashMap<UpstreamName, u64>,
) -> Arc<RouteRuntime> {
    let upstream = &route.upstream;
    let key = *keys
        .entry((upstream.transport(), upstream.host().into(), upstream.port()))
        .or_insert_with(Passage::new_key);
    Arc::new(RouteRuntime {
        route: Arc::clone(route),
        passage: Passage::new(Arc::clone(route), connector.clone(), key),
        methods: methods(route),
    })
}

/// The methods of a route as a list; where it names none, those that everybody knows.
fn methods(route: &Route) -> HeaderValue {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    let mut names: Vec<&str> = Vec::new();
    for method in route.methods.as_deref().unwrap_or(&known) {
        let implied = (method == Method::GET).then_some("HEAD");
        for name in [Some(method.as_str()), implied].into_iter().flatten() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    HeaderValue::try_from(names.join(", ")).unwrap_or(HeaderValue::from_static("GET, HEAD"))
}

/// How long the body of an agent request may take to arrive: it is a form, not a file (attack 163).
const BODY_TIME: Duration = Duration::from_secs(15);

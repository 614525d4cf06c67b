//! What is counted: the numbers that operators look at, and nothing about anybody.
//!
//! 1. A label is one of a few words: an app of the configuration, an error code, a key id. Nothing that a browser or a
//!    provider sends becomes one, so no traffic makes more series (G-05).
//! 2. What a proxied call pays is one addition without ordering. What else is counted is rare beside it.
//! 3. Counted where it happens and kept as long as the process: no reload begins anew.
//! 4. The metrics of one [`crate::TokenHandler`] are its own: two in one process do not add up.
//!
//! Every family stands in [`FAMILIES`], which `docs/reference/metrics.md` repeats; a test compares.

use std::sync::Arc;

use prometheus::core::Collector;
use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

#[cfg(test)]
mod tests;

/// Everything that one handler counts.
#[derive(Debug)]
pub struct Meters {
    registry: Registry,
    requests: IntCounterVec,
    refusals: IntCounterVec,
    logins: IntCounterVec,
    renewals: IntCounterVec,
    ended: IntCounterVec,
    opens: IntCounterVec,
    reloads: IntCounterVec,
    keys: IntGaugeVec,
    connections: IntGauge,
    connections_taken: IntCounter,
    connections_refused: IntCounter,
    store_up: IntGauge,
    draining: IntGauge,
}

/// What one app counts: handles that are looked up once.
#[derive(Debug, Clone)]
pub struct AppMeters(Arc<OfApp>);

#[derive(Debug)]
struct OfApp {
    app: Box<str>,
    /// By source and class of status.
    answers: [[IntCounter; CLASSES.len()]; SOURCES.len()],
    meters: Arc<Meters>,
}

/// Who made an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// This service: the agent, or a refusal.
    Cloakroom,
    /// The SPA's files.
    Spa,
    /// The upstream of a route.
    Upstream,
}

/// Counts one connection while it lives.
#[derive(Debug)]
pub struct OpenConnection(IntGauge);

/// Counts the opened values of one cookie key, by purpose.
#[derive(Debug, Clone)]
pub struct KeyMeter(Arc<[IntCounter; PURPOSES.len()]>);

/// What a key of the ring is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRole {
    /// The first of the ring.
    Seals,
    /// Any other.
    Opens,
}

impl Default for Meters {
    fn default() -> Self {
        let registry = Registry::new();
        let [
            requests,
            refusals,
            logins,
            renewals,
            ended,
            opens,
            reloads,
            keys,
            connections,
            taken,
            refused,
            store_up,
            draining,
            build,
        ] = &FAMILIES;
        let meters = Self {
            requests: counters(&registry, requests),
            refusals: counters(&registry, refusals),
            logins: counters(&registry, logins),
            renewals: counters(&registry, renewals),
            ended: counters(&registry, ended),
            opens: counters(&registry, opens),
            reloads: counters(&registry, reloads),
            keys: gauges(&registry, keys),
            connections: gauges(&registry, connections).with_label_values(NONE),
            connections_taken: counters(&registry, taken).with_label_values(NONE),
            connections_refused: counters(&registry, refused).with_label_values(NONE),
            store_up: gauges(&registry, store_up).with_label_values(NONE),
            draining: gauges(&registry, draining).with_label_values(NONE),
            registry,
        };
        gauges(&meters.registry, build)
            .with_label_values(&[env!("CARGO_PKG_VERSION")])
            .set(1);
        // There from the start, so that a first failure is a step and not a new series.
        for outcome in RELOADS {
            meters.reloads.with_label_values(&[outcome]);
        }
        meters
    }
}

impl Meters {
    /// What the app of this id counts; the empty one stands for requests that are for no app.
    pub fn of_app(self: &Arc<Self>, app: &str) -> AppMeters {
        let answers =
            SOURCES.map(|source| CLASSES.map(|class| self.requests.with_label_values(&[app, source, class])));
        AppMeters(Arc::new(OfApp {
            app: app.into(),
            answers,
            meters: Arc::clone(self),
        }))
    }

    /// What is opened under the cookie key of this id.
    pub fn of_key(&self, key: &str) -> KeyMeter {
        KeyMeter(Arc::new(
            PURPOSES.map(|purpose| self.opens.with_label_values(&[key, purpose])),
        ))
    }

    /// The ring as it is from now on.
    pub fn ring(&self, keys: impl IntoIterator<Item = (String, KeyRole)>) {
        self.keys.reset();
        for (key, role) in keys {
            self.keys.with_label_values(&[&*key, role.word()]).set(1);
        }
    }

    /// How many values have been opened under the cookie key of this id.
    pub fn opened(&self, key: &str) -> u64 {
        self.of_key(key).0.iter().map(IntCounter::get).sum()
    }

    /// A connection came; `full`: there was no room for it.
    pub fn connection(&self, full: bool) -> OpenConnection {
        if full {
            self.connections_refused.inc();
        } else {
            self.connections_taken.inc();
        }
        self.connections.inc();
        OpenConnection(self.connections.clone())
    }

    /// A connection was closed unheard, for there were too many.
    pub fn connection_dropped(&self) {
        self.connections_refused.inc();
    }

    /// A reload was done, or refused.
    pub fn reload(&self, done: bool) {
        let [yes, no] = RELOADS;
        let outcome = if done { yes } else { no };
        self.reloads.with_label_values(&[outcome]).inc();
    }

    /// Everything, as a scraper reads it ([`CONTENT_TYPE`]).
    pub fn text(&self, store_up: bool, draining: bool) -> String {
        self.store_up.set(i64::from(store_up));
        self.draining.set(i64::from(draining));
        let mut text = String::new();
        if let Err(error) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text) {
            tracing::error!(event = "metrics_not_written", %error, "this is a bug");
        }
        text
    }
}

impl AppMeters {
    /// An answer of this status went out.
    pub fn answer(&self, source: Source, status: http::StatusCode) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        let of_source = self.0.answers.get(source as usize);
        if let Some(counter) = of_source.and_then(|classes| classes.get(class)) {
            counter.inc();
        }
    }

    /// A request was refused with this code.
    pub fn refused(&self, code: &'static str) {
        self.count(&self.0.meters.refusals, code, 1);
    }

    /// A login came to its end: `ok`, or the code of its failure.
    pub fn login(&self, outcome: &'static str) {
        self.count(&self.0.meters.logins, outcome, 1);
    }

    /// A renewal at the provider came to its end.
    pub fn renewal(&self, outcome: &'static str) {
        self.count(&self.0.meters.renewals, outcome, 1);
    }

    /// So many sessions ended, for this reason.
    pub fn ended(&self, reason: &'static str, sessions: usize) {
        self.count(&self.0.meters.ended, reason, sessions as u64);
    }

    /// What all apps of this handler count.
    pub fn all(&self) -> &Arc<Meters> {
        &self.0.meters
    }

    fn count(&self, counters: &IntCounterVec, word: &str, by: u64) {
        counters.with_label_values(&[&*self.0.app, word]).inc_by(by);
    }
}

impl Default for AppMeters {
    /// Of an app that nobody scrapes.
    fn default() -> Self {
        Arc::<Meters>::default().of_app("")
    }
}

impl KeyMeter {
    /// A value was opened; `purpose` is its place in [`PURPOSES`].
    pub(crate) fn opened(&self, purpose: usize) {
        if let Some(counter) = self.0.get(purpose) {
            counter.inc();
        }
    }
}

impl KeyRole {
    /// As the label says it.
    const fn word(self) -> &'static str {
        match self {
            Self::Seals => "seals",
            Self::Opens => "opens",
        }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// One family of series.
#[derive(Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

const fn family(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
    Family { name, labels, help }
}

/// Every family there is, in the order of [`Meters`].
pub const FAMILIES: [Family; 14] = [
    family(
        "cloakroom_requests_total",
        &["app", "source", "class"],
        "Answers that went out, by who made them and the class of their status.",
    ),
    family(
        "cloakroom_refusals_total",
        &["app", "code"],
        "Requests that this service refused, by error code.",
    ),
    family(
        "cloakroom_logins_total",
        &["app", "outcome"],
        "Logins that came back from the provider: ok, or the error code of their failure.",
    ),
    family(
        "cloakroom_renewals_total",
        &["app", "outcome"],
        "Renewals that this process began, by what came of them.",
    ),
    family(
        "cloakroom_sessions_ended_total",
        &["app", "reason"],
        "Sessions that were ended before their time, by reason.",
    ),
    family(
        "cloakroom_cookie_opens_total",
        &["key", "purpose"],
        "Cookie values that were opened, by the id of their key and what they hold.",
    ),
    family(
        "cloakroom_reloads_total",
        &["outcome"],
        "Reloads of the configuration.",
    ),
    family(
        "cloakroom_cookie_key_info",
        &["key", "role"],
        "The cookie keys of the ring: 1 for each, by id and role.",
    ),
    family(
        "cloakroom_connections",
        &[],
        "Connections that are open on the public listener.",
    ),
    family(
        "cloakroom_connections_accepted_total",
        &[],
        "Connections that the public listener took.",
    ),
    family(
        "cloakroom_connections_refused_total",
        &[],
        "Connections that came when there was no room.",
    ),
    family(
        "cloakroom_store_up",
        &[],
        "1 while the store can be reached, 0 while it cannot.",
    ),
    family(
        "cloakroom_draining",
        &[],
        "1 from the signal to stop on, 0 before.",
    ),
    family(
        "cloakroom_build_info",
        &["version"],
        "Always 1; the version is the label.",
    ),
];

/// What a cookie value holds, in the order of [`KeyMeter::opened`].
pub(crate) const PURPOSES: [&str; 5] = ["at", "rt", "id", "login", "end"];

/// The format of [`Meters::text`].
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

const SOURCES: [&str; 3] = ["cloakroom", "spa", "upstream"];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
const RELOADS: [&str; 2] = ["done", "refused"];
const NONE: &[&str; 0] = &[];

#[expect(
    clippy::expect_used,
    reason = "names and labels are the constants above; the first test that makes a handler would find a wrong one"
)]
fn counters(registry: &Registry, family: &Family) -> IntCounterVec {
    let counters = IntCounterVec::new(Opts::new(family.name, family.help), family.labels);
    registered(registry, counters.expect("a name of the list"))
}

#[expect(clippy::expect_used, reason = "as with counters")]
fn gauges(registry: &Registry, family: &Family) -> IntGaugeVec {
    let gauges = IntGaugeVec::new(Opts::new(family.name, family.help), family.labels);
    registered(registry, gauges.expect("a name of the list"))
}

#[expect(clippy::expect_used, reason = "no name stands twice in the list")]
fn registered<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> C {
    registry
        .register(Box::new(collector.clone()))
        .expect("a name of its own");
    collector
}

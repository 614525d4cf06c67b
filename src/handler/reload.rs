//! Another configuration in place of the current one, while it serves.
//!
//! 1. The whole is built anew, or nothing changes ([`TokenHandler::reload`]).
//! 2. What belongs to users outlives it: the store with its epoch, sessions and pending logins (they are in browsers, and
//!    open while their key is in the ring), renewals under way. One flight per session stays one, also where the request
//!    that began it was of the old configuration and the one that waits is of the new.
//! 3. What was learned outlives it where nothing about it is different: a provider's metadata and keys, idle connections to
//!    an upstream.
//! 4. Requests in flight end as they began; the next one on the same connection is of the new configuration.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderValue;

use super::runtime::{self, AppRuntime};
use super::{BuildError, Environment, Inner, TokenHandler};
use crate::agent::Places;
use crate::clock::Clock;
use crate::config::{AppId, Config, Redis, StoreKind, Transport};
use crate::gate::RequestIds;
use crate::gate::app::Hosts;
use crate::metrics::{KeyRole, Meters};
use crate::random::Random;
use crate::renewal::UnderWay;
#[cfg(feature = "file-store")]
use crate::store::FileStore;
#[cfg(feature = "redis")]
use crate::store::RedisStore;
use crate::store::{AloneStore, MemoryStore, Store};

/// What no reload changes.
#[derive(Debug)]
pub(super) struct Lasting {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) store: Arc<dyn Store>,
    pub(super) meters: Arc<Meters>,
    ids: RequestIds,
    via: HeaderValue,
    heirlooms: Mutex<Heirlooms>,
}

/// What is handed on, by whom it belongs to. It grows with the names that were ever configured, and with nothing else; an
/// app that goes and comes back finds what it had under way.
#[derive(Debug, Default)]
pub(super) struct Heirlooms {
    apps: HashMap<AppId, (UnderWay, Places)>,
    /// The names of idle connections in the pools of all threads.
    pub(super) upstreams: HashMap<UpstreamName, u64>,
}

/// Names one upstream: routes to it share their idle connections.
pub(super) type UpstreamName = (Transport, Box<str>, u16);

impl TokenHandler {
    /// Puts `config` in place of the current configuration, for every clone of this handler, or changes nothing. Sessions,
    /// logins, renewals under way and requests in flight go on.
    ///
    /// `[server] listen`, `[admin]` and `[store]` are not looked at: whoever listens decides about the former, the store
    /// stays the one that there is. [`crate::config::Changes`] tells what is different.
    ///
    /// Blocks for as long as it takes to derive keys and, where an upstream is `https`, to read the platform's roots: call
    /// it from `spawn_blocking`.
    ///
    /// # Errors
    /// [`BuildError`] as with [`Self::new`]; the current configuration stays.
    pub fn reload(&self, config: &Config) -> Result<(), BuildError> {
        let live = self.view.live();
        let next = self.lasting.build(config, Some(&live.current()))?;
        // First the store: what it is given from the swap on may be of the new keys.
        self.lasting.store.use_keys(&config.keys);
        live.swap(next);
        Ok(())
    }
}

impl Lasting {
    /// With the store that `environment` brings, else the one that `config` names.
    pub(super) fn new(config: &Config, environment: Environment) -> Result<Self, BuildError> {
        let Environment { clock, random, store } = environment;
        let store = match store {
            Some(store) => store,
            None => own_store(config, &clock, &random)?,
        };
        let pseudonym = u64::from_le_bytes(random.bytes());
        Ok(Self {
            ids: RequestIds::new(&*random),
            via: HeaderValue::try_from(format!("1.1 cloakroom-{pseudonym:016x}"))
                .map_err(|error| BuildError(error.to_string()))?,
            clock,
            random,
            store,
            meters: Arc::default(),
            heirlooms: Mutex::default(),
        })
    }

    /// Everything that `config` describes, in the place of `before`.
    pub(super) fn build(&self, config: &Config, before: Option<&Inner>) -> Result<Inner, BuildError> {
        let mut heirlooms = self.heirlooms.lock().unwrap_or_else(PoisonError::into_inner);
        let apps: Vec<Arc<AppRuntime>> = runtime::build(config, self, &mut heirlooms, before)?;
        self.meters
            .ring(config.keys.iter().enumerate().map(|(index, key)| {
                let role = if index == 0 {
                    KeyRole::Seals
                } else {
                    KeyRole::Opens
                };
                (key.id(), role)
            }));
        Ok(Inner {
            ids: self.ids,
            hosts: Hosts::new(runtime::sites(&apps)),
            trusted_proxies: config.server.trusted_proxies.clone(),
            max_header_bytes: config.server.max_header_bytes,
            via: self.via.clone(),
            apps,
            unplaced: self.meters.of_app(""),
        })
    }

    /// What every app has under way, those that are not served any more too.
    pub(super) fn under_way(&self) -> Vec<UnderWay> {
        let heirlooms = self.heirlooms.lock().unwrap_or_else(PoisonError::into_inner);
        heirlooms
            .apps
            .values()
            .map(|(under_way, _)| under_way.clone())
            .collect()
    }
}

/// The store that `config` names.
fn own_store(
    config: &Config,
    clock: &Arc<dyn Clock>,
    random: &Arc<dyn Random>,
) -> Result<Arc<dyn Store>, BuildError> {
    match &config.store {
        StoreKind::Memory { file: None } => Ok(Arc::new(MemoryStore::new(&**random))),
        StoreKind::Memory { file: Some(path) } => in_file(path, config, random, &**clock),
        StoreKind::Redis(redis) => shared_store(redis, config, clock, random),
        StoreKind::None => Ok(Arc::new(AloneStore::new(&**random))),
    }
}

#[cfg(feature = "file-store")]
fn in_file(
    path: &Path,
    config: &Config,
    random: &Arc<dyn Random>,
    clock: &dyn Clock,
) -> Result<Arc<dyn Store>, BuildError> {
    match FileStore::open(path, &config.keys, Arc::clone(random), clock.now()) {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => Err(BuildError(format!(
            "the store cannot be kept in `{}`: {error}",
            path.display()
        ))),
    }
}

#[cfg(not(feature = "file-store"))]
fn in_file(_: &Path, _: &Config, _: &Arc<dyn Random>, _: &dyn Clock) -> Result<Arc<dyn Store>, BuildError> {
    Err(BuildError("this build has no `store.file`".to_owned()))
}

#[cfg(feature = "redis")]
fn shared_store(
    redis: &Redis,
    config: &Config,
    clock: &Arc<dyn Clock>,
    random: &Arc<dyn Random>,
) -> Result<Arc<dyn Store>, BuildError> {
    RedisStore::start(redis, &config.keys, Arc::clone(clock), Arc::clone(random))
        .map(|store| Arc::new(store) as Arc<dyn Store>)
        .map_err(|error| BuildError(error.to_string()))
}

#[cfg(not(feature = "redis"))]
fn shared_store(
    _: &Redis,
    _: &Config,
    _: &Arc<dyn Clock>,
    _: &Arc<dyn Random>,
) -> Result<Arc<dyn Store>, BuildError> {
    Err(BuildError(
        "`store.kind = \"redis\"` is not in this build".to_owned(),
    ))
}

impl Heirlooms {
    /// What the app has under way, and the places for logins that are being finished.
    pub(super) fn of_app(&mut self, id: &AppId) -> (UnderWay, Places) {
        self.apps.entry(id.clone()).or_default().clone()
    }
}

#[cfg(test)]
mod tests;

//! What whoever looks after a running service may look at: the admin listener, the command line.

use std::sync::Arc;

use super::TokenHandler;
use crate::clock::Timestamp;
use crate::config::App;
use crate::gate::RequestId;
use crate::metrics::Meters;
use crate::store::Store;

impl TokenHandler {
    /// What is counted.
    pub(crate) fn meters(&self) -> &Arc<Meters> {
        &self.lasting.meters
    }

    /// Shared state.
    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.lasting.store
    }

    /// The current time, as all who share the store agree on it.
    pub(crate) fn now(&self) -> Timestamp {
        self.lasting.store.time(self.lasting.clock.now())
    }

    /// The apps that are served now.
    pub(crate) fn apps(&self) -> Vec<Arc<App>> {
        let current = self.view.current();
        current.apps.iter().map(|app| Arc::clone(&app.app)).collect()
    }

    /// A name for a request that does not come through [`Self::handle`].
    pub(crate) fn next_request_id(&self) -> RequestId {
        self.view.current().ids.next()
    }
}

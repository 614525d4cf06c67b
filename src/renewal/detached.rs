//! Tasks that must finish though the browser has gone: redemptions, rotations, revocations. Counted, so that a shutdown can wait.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Sessions, UnderWay};

/// How many such tasks run.
#[derive(Debug, Default)]
pub(super) struct Detached(watch::Sender<usize>);

impl UnderWay {
    /// Waits until no redemption, renewal or revocation is under way: what a shutdown does after the last request, bounded by
    /// its own deadline. A rotation that is cut off costs its user the session, a revocation leaves a token alive.
    pub(crate) async fn settled(&self) {
        self.detached.settled().await;
    }
}

impl Detached {
    pub(super) async fn settled(&self) {
        let mut running = self.0.subscribe();
        // An error means that the counter is gone, which `self` holds.
        let _counted = running.wait_for(|running| *running == 0).await;
    }
}

impl Sessions {
    /// Runs `task` whatever becomes of the request that wants it. It may be waited for; dropping the handle ends nothing.
    pub(crate) fn detach(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        let running = Running::new(&self.detached);
        tokio::spawn(async move {
            let _running = running;
            task.await;
        })
    }
}

/// One task; dropped with it, also when it panics.
struct Running(Arc<Detached>);

impl Running {
    fn new(detached: &Arc<Detached>) -> Self {
        detached
            .0
            .send_modify(|running| *running = running.saturating_add(1));
        Self(Arc::clone(detached))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0
            .0
            .send_modify(|running| *running = running.saturating_sub(1));
    }
}

//! Signals: the first SIGTERM or SIGINT drains, the second ends at once, SIGHUP never kills.

use super::exit::Failure;

/// The signals of this process, caught from now on.
#[derive(Debug)]
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn listen() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};

        let catch =
            |kind| signal(kind).map_err(|error| Failure::failed(format!("cannot catch signals: {error}")));
        Ok(Self {
            terminate: catch(SignalKind::terminate())?,
            interrupt: catch(SignalKind::interrupt())?,
            hang_up: catch(SignalKind::hangup())?,
        })
    }

    /// Resolves at the first signal to stop; from then on the second ends the process, whatever is in flight.
    pub(super) async fn shutdown(mut self) {
        self.stop().await;
        tracing::info!(event = "draining", "draining; a second signal ends at once");
        tokio::spawn(async move {
            self.stop().await;
            tracing::warn!(event = "stop_forced", "ended by a second signal");
            std::process::exit(1);
        });
    }

    async fn stop(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => {
                    tracing::warn!(event = "reload_refused", "SIGHUP: reloading is not available in this version, nothing has changed");
                }
            }
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "catching signals can fail elsewhere")]
    pub(super) fn listen() -> Result<Self, Failure> {
        Ok(Self {})
    }

    pub(super) async fn shutdown(self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a signal to wait for, only the end of the process ends it.
            std::future::pending::<()>().await;
        }
        tokio::spawn(async {
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(1);
            }
        });
    }
}

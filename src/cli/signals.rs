//! Signals: the first SIGTERM or SIGINT drains, the second ends at once, SIGHUP reloads where there is something to
//! reload; it never kills.

use super::exit::Failure;

/// The signals to stop, caught from now on.
#[derive(Debug)]
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

/// The hang-ups, caught from now on. Once caught, one that nobody waits for does nothing.
#[derive(Debug)]
pub(super) struct HangUps {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

/// Catches the signals of this process.
pub(super) fn listen() -> Result<(Signals, HangUps), Failure> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};

        let catch =
            |kind| signal(kind).map_err(|error| Failure::failed(format!("cannot catch signals: {error}")));
        let signals = Signals {
            terminate: catch(SignalKind::terminate())?,
            interrupt: catch(SignalKind::interrupt())?,
        };
        let hang_ups = HangUps {
            signal: catch(SignalKind::hangup())?,
        };
        Ok((signals, hang_ups))
    }
    #[cfg(not(unix))]
    {
        Ok((Signals {}, HangUps {}))
    }
}

impl Signals {
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

    #[cfg(unix)]
    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn stop(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a signal to wait for, only the end of the process ends it.
            std::future::pending::<()>().await;
        }
    }
}

impl HangUps {
    /// Waits for the next one. Several that came while nobody waited are one.
    #[cfg(unix)]
    pub(super) async fn next(&mut self) {
        if self.signal.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// There are none here.
    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}

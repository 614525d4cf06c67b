//! A deadline that costs next to nothing to move: the timer behind it is set again only when it fires too early or
//! would fire too late.

use std::future::Future as _;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// The deadline of one upstream connection.
#[derive(Debug, Default)]
pub(super) struct Timer {
    deadline: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    /// Sets the deadline that [`Self::is_overdue`] checks; `None` = none.
    pub(super) fn set(&mut self, after: Option<Duration>) {
        self.deadline = after.map(|after| Instant::now() + after);
    }

    /// Whether the deadline has passed; otherwise sees to it that the task is woken when it does.
    pub(super) fn is_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.deadline else {
            return false;
        };
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        // Outside the task's budget: a timer that is put off because the task has read a lot would never fire.
        let mut unhurried = tokio::task::unconstrained(sleep.as_mut());
        while Pin::new(&mut unhurried).poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return true;
            }
            sleep.as_mut().reset(deadline);
            unhurried = tokio::task::unconstrained(sleep.as_mut());
        }
        false
    }
}

#[cfg(test)]
mod tests;

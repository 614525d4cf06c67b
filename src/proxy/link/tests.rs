//! The timer of a link.

use std::future::poll_fn;

use super::*;

// A task that reads fast has no budget left when its timer is set: the stall that follows must end it all the same.
#[tokio::test]
async fn a_deadline_holds_though_it_was_set_by_a_task_without_budget() {
    let mut timer = Timer {
        deadline: Some(Instant::now() + Duration::from_millis(20)),
        ..Timer::default()
    };
    let overdue = poll_fn(|cx| {
        while tokio::task::coop::has_budget_remaining() {
            let _ = std::pin::pin!(tokio::task::coop::consume_budget()).poll(cx);
        }
        if timer.is_overdue(cx.waker()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    });
    tokio::time::timeout(Duration::from_secs(20), overdue)
        .await
        .expect("the timer never fired");
}

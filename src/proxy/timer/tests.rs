//! The deadline of a connection.

use std::future::poll_fn;
use std::task::Poll;

use super::*;

// A task that reads fast has no budget left when its timer is set: the stall that follows must end it all the same.
#[tokio::test]
async fn a_deadline_holds_though_it_was_set_by_a_task_without_budget() {
    let mut timer = Timer::default();
    timer.set(Some(Duration::from_millis(20)));
    let overdue = poll_fn(|cx| {
        while tokio::task::coop::has_budget_remaining() {
            let _ = std::pin::pin!(tokio::task::coop::consume_budget()).poll(cx);
        }
        if timer.is_overdue(cx) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    });
    tokio::time::timeout(Duration::from_secs(20), overdue)
        .await
        .expect("the timer never fired");
}

// The timer behind it is moved only when it must be: whoever moves the deadline is woken at the new one all the same.
#[tokio::test]
async fn a_deadline_that_moves_is_kept_where_it_is_now() {
    let mut timer = Timer::default();
    for later in [5, 15, 1] {
        timer.set(Some(Duration::from_secs(3600)));
        assert!(!poll_fn(|cx| Poll::Ready(timer.is_overdue(cx))).await);
        let began = Instant::now();
        timer.set(Some(Duration::from_millis(later)));
        poll_fn(|cx| {
            if timer.is_overdue(cx) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        assert!(began.elapsed() >= Duration::from_millis(later));
    }
    timer.set(None);
    assert!(!poll_fn(|cx| Poll::Ready(timer.is_overdue(cx))).await);
}

//! The binary ends, however it ends, and is started again: with a file nothing is forgotten, without one nothing is believed
//! (contract §9).

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::{Value, json};

use crate::world::{Binary, Browser, Plan, Reply};

fn in_a_file() -> Plan {
    Plan {
        top: "[store]\nfile = \"state.redb\"".to_owned(),
        ..Plan::default()
    }
}

async fn log_out(browser: &Browser) -> Reply {
    browser.post("/oauth-agent/logout", &json!({})).await
}

fn said(reply: &Reply) -> (u16, Option<String>) {
    (reply.status.as_u16(), reply.code())
}

fn revoked() -> (u16, Option<String>) {
    (401, Some("session_revoked".to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_file_a_logout_outlives_every_restart() {
    // Attacks 79, 128: a saved cookie.
    let mut service = Binary::serve(&in_a_file()).await;
    let browser = service.browser();
    browser.sign_in(&service.provider).await;
    let saved = browser.copy();
    assert_eq!(log_out(&browser).await.status, 200);
    for signal in ["TERM", "KILL", "TERM"] {
        let process = service.restart(signal).await;
        let saved = saved.copy().by_way_of(process);
        assert_eq!(said(&saved.get("/api/x").await), revoked(), "{signal}");
        assert_eq!(saved.session().await["reason"], "logged_out", "{signal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_file_a_restart_renews_nobody() {
    let mut service = Binary::serve(&in_a_file()).await;
    let browser = service.browser();
    browser.sign_in(&service.provider).await;
    for signal in ["TERM", "KILL"] {
        let process = service.restart(signal).await;
        assert_eq!(browser.by_way_of(process).get("/api/x").await.status, 200);
    }
    assert_eq!(service.provider.token_requests("refresh_token"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_file_sessions_that_live_in_the_store_outlive_a_restart() {
    let plan = Plan {
        session: "mode = \"store\"".to_owned(),
        ..in_a_file()
    };
    let mut service = Binary::serve(&plan).await;
    let browser = service.browser();
    browser.sign_in(&service.provider).await;
    let leaving = service.browser();
    leaving.sign_in(&service.provider).await;
    let saved = leaving.copy();
    assert_eq!(log_out(&leaving).await.status, 200);
    let process = service.restart("KILL").await;
    assert_eq!(browser.by_way_of(process).get("/api/x").await.status, 200);
    assert_eq!(saved.by_way_of(process).get("/api/x").await.status, 401);
    assert_eq!(service.provider.token_requests("refresh_token"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_file_a_session_is_renewed_before_its_token_is_used() {
    // Contract §9: another epoch.
    let mut service = Binary::serve(&Plan::default()).await;
    let browser = service.browser();
    browser.sign_in(&service.provider).await;
    let process = service.restart("TERM").await;
    assert_eq!(browser.by_way_of(process).get("/api/x").await.status, 200);
    assert_eq!(service.provider.token_requests("refresh_token"), 1);
    assert_eq!(browser.by_way_of(process).get("/api/x").await.status, 200);
    assert_eq!(service.provider.token_requests("refresh_token"), 1);
}

/// The answer of a renewal is lost with the process that sent it: who comes with the old cookies is given the new ones, and
/// the spent refresh token is not sent again.
#[tokio::test(flavor = "multi_thread")]
async fn with_a_file_the_result_of_a_renewal_outlives_a_kill() {
    // Attack 134.
    let mut service = Binary::serve(&in_a_file()).await;
    let browser = service.browser();
    browser.sign_in(&service.provider).await;
    let lost = browser.copy();
    let renewed = lost.post("/oauth-agent/refresh", &json!({})).await;
    assert_eq!(renewed.status, 200);
    let process = service.restart("KILL").await;
    let answer = browser.by_way_of(process).get("/api/x").await;
    assert_eq!(answer.status, 200);
    assert!(!answer.set_cookies().is_empty());
    assert_eq!(service.provider.token_requests("refresh_token"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_file_a_used_state_stays_used() {
    // C-06; attack 47: a callback that is replayed with a copy of the login cookie.
    let mut service = Binary::serve(&in_a_file()).await;
    let browser = service.browser();
    let back = service.provider.approve(&browser.start_login(&json!({})).await);
    let thief = browser.copy();
    assert_eq!(browser.come_back(&back).await.status, 303);
    let process = service.restart("KILL").await;
    let replayed = thief.by_way_of(process).come_back(&back).await;
    assert_eq!(
        replayed.location_parameter("login_error").as_deref(),
        Some("login_state_invalid")
    );
    assert_eq!(service.provider.token_requests("authorization_code"), 1);
}

/// Killed in the middle of a flood of logouts: those that were answered hold.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_of_logouts_takes_none_that_was_answered() {
    let mut service = Binary::serve(&in_a_file()).await;
    let mut process = None;
    for round in 0..3 {
        let mut leaving = FuturesUnordered::new();
        for _ in 0..24 {
            let browser = match process {
                Some(process) => service.browser().by_way_of(process),
                None => service.browser(),
            };
            browser.sign_in(&service.provider).await;
            let saved = browser.copy();
            leaving.push(tokio::spawn(async move {
                let answered = browser.fetch(http::Method::POST, "/oauth-agent/logout");
                let answered = answered.json(&json!({})).try_send().await;
                (saved, answered.is_ok_and(|answer| answer.status == 200))
            }));
        }
        let mut answered = Vec::new();
        while let Some(Ok((saved, ended))) = leaving.next().await {
            if ended {
                answered.push(saved);
            }
            if answered.len() == 4 * (round + 1) {
                service.signal("KILL");
            }
        }
        assert!(answered.len() >= 4 * (round + 1));
        let again = service.restart("KILL").await;
        for saved in answered {
            let saved = saved.by_way_of(again);
            assert_eq!(said(&saved.get("/api/x").await), revoked());
        }
        process = Some(again);
    }
}

/// A second process would be told nothing that the first one learns: it does not start.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_do_not_share_a_file() {
    let service = Binary::serve(&in_a_file()).await;
    let (code, log) = service.start_another();
    assert_eq!(code, Some(78), "{log}");
    let last = log.lines().last().unwrap();
    assert!(
        last.contains("state.redb") && last.contains("another process has it open"),
        "{last}"
    );
    let answer: Value = service.browser().session().await;
    assert_eq!(answer["is_logged_in"], false, "the first one goes on");
}

//! What is counted is what the manual says, and no more.

use std::sync::Arc;

use http::StatusCode;

use super::*;

fn row(family: &Family) -> String {
    let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
    format!("| `{}` | {} |", family.name, labels.join(", "))
}

/// docs/reference/metrics.md: name and labels of every family, and no others.
#[test]
fn every_family_stands_in_the_manual() {
    let page = include_str!("../../docs/reference/metrics.md");
    let documented: Vec<String> = page
        .lines()
        .filter(|line| line.starts_with("| `cloakroom_"))
        .map(|line| {
            let mut cells = line.split('|').skip(1);
            let (name, labels) = (cells.next().unwrap().trim(), cells.next().unwrap().trim());
            format!("| {name} | {labels} |")
        })
        .collect();
    let built: Vec<String> = FAMILIES.iter().map(row).collect();
    assert_eq!(
        documented, built,
        "docs/reference/metrics.md and src/metrics.rs differ"
    );
}

#[test]
fn an_answer_is_counted_by_app_source_and_class() {
    let meters = Arc::new(Meters::default());
    let shop = meters.of_app("shop");
    shop.answer(Source::Upstream, StatusCode::NO_CONTENT);
    shop.answer(Source::Upstream, StatusCode::OK);
    shop.answer(Source::Cloakroom, StatusCode::UNAUTHORIZED);
    // No class has it: not counted, and nothing breaks.
    shop.answer(Source::Cloakroom, StatusCode::from_u16(999).unwrap());
    let text = meters.text(true, false);
    for line in [
        "cloakroom_requests_total{app=\"shop\",class=\"2xx\",source=\"upstream\"} 2",
        "cloakroom_requests_total{app=\"shop\",class=\"4xx\",source=\"cloakroom\"} 1",
        "cloakroom_store_up 1",
        "cloakroom_draining 0",
        "# TYPE cloakroom_requests_total counter",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

/// Two clones of an app's meters, as two configurations have them, count on.
#[test]
fn a_reload_counts_on() {
    let meters = Arc::new(Meters::default());
    meters.of_app("shop").ended("logged_out", 1);
    meters.of_app("shop").ended("logged_out", 2);
    meters.of_key("0a1b2c3d").opened(0);
    meters.of_key("0a1b2c3d").opened(3);
    assert_eq!(meters.opened("0a1b2c3d"), 2);
    let text = meters.text(false, true);
    assert!(
        text.contains("cloakroom_sessions_ended_total{app=\"shop\",reason=\"logged_out\"} 3"),
        "{text}"
    );
    assert!(
        text.contains("cloakroom_cookie_opens_total{key=\"0a1b2c3d\",purpose=\"login\"} 1"),
        "{text}"
    );
}

#[test]
fn a_key_that_left_the_ring_is_not_told_any_more() {
    let meters = Meters::default();
    let of = |key: &str, role| (key.to_owned(), role);
    meters.ring([of("0a1b2c3d", KeyRole::Seals), of("1f2e3d4c", KeyRole::Opens)]);
    meters.ring([of("1f2e3d4c", KeyRole::Seals)]);
    let text = meters.text(true, false);
    assert!(!text.contains("0a1b2c3d"), "{text}");
    assert!(
        text.contains("cloakroom_cookie_key_info{key=\"1f2e3d4c\",role=\"seals\"} 1"),
        "{text}"
    );
}

#[test]
fn connections_are_counted_while_they_are_open() {
    let meters = Meters::default();
    let (one, two) = (meters.connection(false), meters.connection(true));
    assert_eq!(meters.connections.get(), 2);
    drop((one, two));
    assert_eq!(meters.connections.get(), 0);
    assert_eq!(meters.connections_taken.get(), 1);
    assert_eq!(meters.connections_refused.get(), 1);
}

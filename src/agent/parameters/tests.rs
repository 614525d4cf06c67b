//! Parameters are read as they stand.

use super::Parameters;

#[test]
fn a_value_counts_once_and_only_if_it_says_something() {
    let parameters = Parameters::of_query(Some("a=1&b=&c=2&c=3&d=%2B+%26&e"));
    assert_eq!(parameters.once("a"), Some("1"));
    assert_eq!(parameters.once("b"), None);
    assert_eq!(parameters.once("c"), None);
    assert_eq!(parameters.once("d"), Some("+ &"));
    assert_eq!(parameters.once("e"), None);
    assert_eq!(parameters.once("f"), None);
    assert_eq!(parameters.repeated(), Some("c"));
    assert_eq!(Parameters::of_query(Some("a=1&b=1")).repeated(), None);
    assert_eq!(Parameters::of_query(None).iter().count(), 0);
}

#[test]
fn names_are_compared_decoded() {
    assert_eq!(
        Parameters::of_query(Some("code=a&%63ode=b")).repeated(),
        Some("code")
    );
}

#[test]
fn debug_shows_no_value() {
    let parameters = Parameters::of_query(Some("code=secret"));
    assert_eq!(format!("{parameters:?}"), r#"{"code"}"#);
}

#[test]
fn a_name_is_shown_short_and_harmless() {
    assert_eq!(super::shown("a\r\nb"), "a\u{fffd}\u{fffd}b");
    assert_eq!(super::shown(&"ä".repeat(100)).chars().count(), 64);
}

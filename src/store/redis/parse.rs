//! What Redis answers, taken apart: what does not have the form that was asked for is an error, never a panic.

use std::str::FromStr;

use redis::Value;

use super::link::Trouble;
use crate::clock::Timestamp;

pub(super) const SOMETHING_ELSE: Trouble = Trouble::Answer("Redis answers something else");

/// The elements of a list. A map is a list of pairs.
pub(super) fn list(value: Value) -> Result<Vec<Value>, Trouble> {
    match value {
        Value::Array(values) | Value::Set(values) => Ok(values),
        Value::Map(pairs) => Ok(pairs
            .into_iter()
            .map(|(key, value)| Value::Array(vec![key, value]))
            .collect()),
        Value::Nil => Ok(Vec::new()),
        _ => Err(SOMETHING_ELSE),
    }
}

/// As many elements as were asked for.
pub(super) fn exactly<const N: usize>(value: Value) -> Result<[Value; N], Trouble> {
    list(value)?.try_into().map_err(|_| SOMETHING_ELSE)
}

pub(super) fn bytes(value: Value) -> Result<Vec<u8>, Trouble> {
    maybe_bytes(value)?.ok_or(SOMETHING_ELSE)
}

pub(super) fn maybe_bytes(value: Value) -> Result<Option<Vec<u8>>, Trouble> {
    match value {
        Value::BulkString(bytes) => Ok(Some(bytes)),
        Value::SimpleString(text) => Ok(Some(text.into_bytes())),
        Value::Nil | Value::Boolean(false) => Ok(None),
        _ => Err(SOMETHING_ELSE),
    }
}

pub(super) fn text(value: Value) -> Result<String, Trouble> {
    String::from_utf8(bytes(value)?).map_err(|_| SOMETHING_ELSE)
}

/// A number, as such or as text.
pub(super) fn number<T: FromStr + TryFrom<i64>>(value: Value) -> Result<T, Trouble> {
    maybe_number(value)?.ok_or(SOMETHING_ELSE)
}

pub(super) fn maybe_number<T: FromStr + TryFrom<i64>>(value: Value) -> Result<Option<T>, Trouble> {
    match value {
        Value::Int(number) => T::try_from(number).map(Some).map_err(|_| SOMETHING_ELSE),
        other => match maybe_bytes(other)? {
            None => Ok(None),
            Some(bytes) => {
                let text = std::str::from_utf8(&bytes).map_err(|_| SOMETHING_ELSE)?;
                text.parse().map(Some).map_err(|_| SOMETHING_ELSE)
            }
        },
    }
}

/// A yes or no that scripts answer as 1 or 0.
pub(super) fn yes(value: Value) -> Result<bool, Trouble> {
    match number::<i64>(value)? {
        1 => Ok(true),
        0 => Ok(false),
        _ => Err(SOMETHING_ELSE),
    }
}

pub(super) fn time(value: Value) -> Result<Timestamp, Trouble> {
    number(value).map(Timestamp::from_millis)
}

/// Two fields in front of a list: what every entry of a stream has.
pub(super) fn field(pairs: Vec<Value>, name: &str) -> Result<Value, Trouble> {
    let mut values = pairs.into_iter();
    while let (Some(key), Some(value)) = (values.next(), values.next()) {
        if maybe_bytes(key)?.as_deref() == Some(name.as_bytes()) {
            return Ok(value);
        }
    }
    Err(SOMETHING_ELSE)
}

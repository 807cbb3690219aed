//! Spider's answers, read leniently: what is absent, `null` or of another type is empty.

use serde_json::Value;

/// A text at a path such as `IId.NameId`; empty when there is none.
pub(super) fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    let found = path.split('.').try_fold(value, |value, key| value.get(key));
    found.and_then(Value::as_str).unwrap_or_default()
}

/// A whole number at a path, written as a number or as a text.
pub(super) fn whole(value: &Value, path: &str) -> Option<u64> {
    let found = path.split('.').try_fold(value, |value, key| value.get(key))?;
    found.as_u64().or_else(|| found.as_str()?.trim().parse().ok())
}

/// The elements of a list at a path; none when there is no list.
pub(super) fn rows<'v>(value: &'v Value, path: &str) -> impl Iterator<Item = &'v Value> {
    let found = path.split('.').try_fold(value, |value, key| value.get(key));
    found.and_then(Value::as_array).into_iter().flatten()
}

/// Whether a flag is set; `None` when it is not told.
pub(super) fn flag(value: &Value, key: &str) -> Option<bool> {
    value.get(key)?.as_bool()
}

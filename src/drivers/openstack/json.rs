//! OpenStack's answers, read leniently: what is absent, `null` or of another type is empty.

use serde_json::Value;

fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('/').try_fold(value, |value, key| value.get(key))
}

/// A text at a path such as `flavor/original_name`; empty when there is none.
pub(super) fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

/// A whole number at a path. OpenStack writes "no limit" as -1, which is none.
pub(super) fn whole(value: &Value, path: &str) -> Option<u64> {
    at(value, path).and_then(Value::as_u64)
}

/// The elements of a list at a path; none when there is no list.
pub(super) fn rows<'v>(value: &'v Value, path: &str) -> impl Iterator<Item = &'v Value> {
    at(value, path).and_then(Value::as_array).into_iter().flatten()
}

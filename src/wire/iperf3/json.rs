//! Numbers and flags of iperf3's JSON: what has the wrong type is as if it had not been sent.

use serde_json::{Map, Value};

use super::{Code, Refusal};

/// Objects and lists within each other at most.
const DEEPEST: usize = 8;

/// The members of an object.
pub(super) struct Object<'a>(pub(super) &'a Map<String, Value>);

/// Reads one object.
pub(super) fn read(bytes: &[u8], code: Code) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) if members.values().all(|value| is_flat(value, DEEPEST)) => Ok(members),
        Ok(Value::Object(_)) => Err(Refusal::new(code, "JSON within JSON within JSON, too deep")),
        Ok(_) => Err(Refusal::new(code, "JSON that is no object")),
        Err(error) => Err(Refusal::new(code, format_args!("no JSON: {error}"))),
    }
}

fn is_flat(value: &Value, deepest: usize) -> bool {
    match value {
        Value::Array(all) => deepest > 0 && all.iter().all(|value| is_flat(value, deepest - 1)),
        Value::Object(all) => deepest > 0 && all.values().all(|value| is_flat(value, deepest - 1)),
        _ => true,
    }
}

impl<'a> Object<'a> {
    /// A whole number. Versions up to 3.13 write -1 as 2^64 - 1: what is 2^63 or more is -1.
    pub(super) fn int(&self, key: &str) -> Option<i64> {
        let number = self.0.get(key)?;
        if let Some(int) = number.as_i64() {
            return Some(int);
        }
        let float = number.as_f64()?;
        Some(if float >= i64::MAX as f64 { -1 } else { float as i64 })
    }

    /// A number that is none below 0.
    pub(super) fn count(&self, key: &str) -> Option<u64> {
        u64::try_from(self.int(key)?).ok()
    }

    /// A number with a fraction; never one that is none.
    pub(super) fn float(&self, key: &str) -> Option<f64> {
        self.0.get(key)?.as_f64().filter(|float| float.is_finite())
    }

    /// A flag that is sent as `true`, or as a number other than 0.
    pub(super) fn flag(&self, key: &str) -> bool {
        match self.0.get(key) {
            Some(Value::Bool(set)) => *set,
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            _ => false,
        }
    }

    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.0.get(key)?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_read_as_any_version_writes_them() {
        let value = json!({"a": 18_446_744_073_709_551_615u64, "b": -1, "c": 3.7, "d": 1e300, "e": "7", "f": [], "g": 5});
        let object = Object(value.as_object().expect("an object"));
        let int = |key| object.int(key);
        assert_eq!([int("a"), int("b"), int("c"), int("d")], [Some(-1), Some(-1), Some(3), Some(-1)]);
        assert_eq!([int("e"), int("f"), int("g"), int("h")], [None, None, Some(5), None]);
        assert_eq!((object.count("b"), object.count("g"), object.float("c")), (None, Some(5), Some(3.7)));
    }

    #[test]
    fn only_an_object_that_is_not_deep_is_read() {
        let deep = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(deep(8).as_bytes(), Code::PARAMS).is_ok());
        for bytes in [deep(9), deep(1000), "[]".to_owned(), "7".to_owned(), "{".to_owned(), String::new()] {
            assert_eq!(
                read(bytes.as_bytes(), Code::PARAMS).map_err(|refusal| refusal.code),
                Err(Code::PARAMS)
            );
        }
    }
}

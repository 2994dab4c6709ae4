//! What differs between two looks at a host (`--diff`): settings and errors, not what is different each second.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::{Class, Failure};

/// Differences that are told.
const MOST: usize = 500;
/// What differs at any two moments, by the last word of its path, and says nothing alone.
const RESTLESS: [&str; 40] = [
    "available_bytes",
    "busy_ratio",
    "bytes",
    "connected_s",
    "connections",
    "connections_count",
    "cpu_s",
    "entries",
    "ephemeral_used",
    "frequency_ppm",
    "inodes_used_ratio",
    "interrupt_ratio",
    "load",
    "max_error_ms",
    "memory_bytes",
    "offset_ms",
    "packets",
    "processed",
    "rate_bps",
    "rate_s",
    "requeued",
    "resident_bytes",
    "rtt_ms",
    "rx_bitrate_bps",
    "rx_bytes",
    "rx_packets",
    "squeezed",
    "states",
    "steal_ratio",
    "swap_free_bytes",
    "tcp",
    "throttled_ratio",
    "tx_bitrate_bps",
    "tx_bytes",
    "tx_packets",
    "udp",
    "uptime_s",
    "used_ratio",
    "waiting",
    "waiting_bytes",
];
/// Words in the names of counters that say that something went wrong.
const TROUBLE: [&str; 12] = [
    "abort", "drop", "err", "fail", "lost", "loss", "overflow", "prune", "retrans", "reset", "timeout",
    "discard",
];
/// By what the members of a list are known, the first of these that they have.
const KEYS: [&str; 9] =
    ["name", "destination", "address", "mount", "variable", "server", "priority", "what", "interface"];

/// Something that is not what it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SysInfoChange")]
pub struct Change {
    /// Where in the report: `interfaces.eth0.mtu_bytes`.
    pub path: String,
    /// What it was; null where it was not there.
    pub before: Value,
    /// What it is; null where it is no longer there.
    pub after: Value,
}

/// The report in a record, as `--json` writes it; `what` is the file.
///
/// # Errors
/// Class `usage`: it is no record of this probe, or one of a run that failed.
pub(super) fn report(octets: &[u8], what: &str) -> Result<Value, Failure> {
    let wrong = |why: String| Class::Usage.because(format_args!("--diff {what}: {why}"));
    let mut record: Value =
        serde_json::from_slice(octets).map_err(|error| wrong(format!("it is not JSON: {error}")))?;
    if record.pointer("/probe/kind").and_then(Value::as_str) != Some("sysinfo") {
        return Err(wrong("it is no record of sysinfo; write one by `waddleperf sysinfo --json`".to_owned()));
    }
    let report = record.pointer_mut("/outcome/report").map(Value::take);
    report.filter(Value::is_object).ok_or_else(|| wrong("its run has no report".to_owned()))
}

/// What changed from the report `before` to `after`, in their order. Parts that only one of the two has are left out.
pub(super) fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut walk = Walk(Vec::new());
    if let (Value::Object(before), Value::Object(after)) = (before, after) {
        for (part, old) in before {
            let is_judgement = matches!(part.as_str(), "findings" | "changes" | "unavailable" | "processes");
            match after.get(part) {
                Some(new) if !is_judgement && !old.is_null() && !new.is_null() => {
                    walk.compare(part, old, new);
                }
                _ => {}
            }
        }
    }
    walk.0
}

struct Walk(Vec<Change>);

impl Walk {
    fn compare(&mut self, path: &str, before: &Value, after: &Value) {
        let (parent, last) = path.rsplit_once('.').unwrap_or(("", path));
        let counts = parent.ends_with("counters") || parent.ends_with("counters_per_second");
        let is_restless = RESTLESS.contains(&last)
            || parent.ends_with("counters_per_second")
            || parent.ends_with("kernel.sockets")
            || parent.ends_with("softnet_since")
            || parent.ends_with("errors_since")
            || path.contains(".pressure.")
            || path.starts_with("neighbours.") && last == "state"
            || counts && !TROUBLE.iter().any(|word| last.to_ascii_lowercase().contains(word));
        if is_restless || before == after || self.0.len() >= MOST {
            return;
        }
        match (before, after) {
            (Value::Object(old), Value::Object(new)) => {
                let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
                for name in names {
                    let of =
                        |all: &serde_json::Map<String, Value>| all.get(name).cloned().unwrap_or_default();
                    self.compare(&format!("{path}.{name}"), &of(old), &of(new));
                }
            }
            (Value::Array(old), Value::Array(new)) => self.lists(path, old, new),
            _ => self.0.push(Change { path: path.to_owned(), before: before.clone(), after: after.clone() }),
        }
    }

    /// Lists whose members have names are compared by them; others as a whole.
    fn lists(&mut self, path: &str, before: &[Value], after: &[Value]) {
        let Some((old, new)) = named(before).zip(named(after)) else {
            let of = |list: &[Value]| Value::Array(list.to_vec());
            return self.0.push(Change { path: path.to_owned(), before: of(before), after: of(after) });
        };
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            let of = |all: &BTreeMap<String, &Value>| all.get(name).map_or(Value::Null, |one| (*one).clone());
            self.compare(&format!("{path}.{name}"), &of(&old), &of(&new));
        }
    }
}

/// The members of a list by their names: of several with the same one, each with its number. `None` where one has none.
fn named(list: &[Value]) -> Option<BTreeMap<String, &Value>> {
    let mut all = BTreeMap::new();
    for member in list {
        let member_of = |key: &&str| member.get(*key).filter(|name| name.is_string() || name.is_number());
        let name = KEYS.iter().find_map(member_of)?;
        let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
        let mut known = name.clone();
        for number in 2.. {
            if !all.contains_key(&known) {
                break;
            }
            known = format!("{name}#{number}");
        }
        all.insert(known, member);
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::sysinfo::{Interface, InterfaceErrors, Kernel, Report, Resolvers};
    use serde_json::json;

    fn link(name: &str, mtu: u32, damaged: u64) -> Interface {
        Interface {
            name: name.to_owned(),
            mtu_bytes: Some(mtu),
            rx_packets: damaged * 1000,
            errors: InterfaceErrors { rx_crc: damaged, ..InterfaceErrors::default() },
            ..Interface::default()
        }
    }

    #[test]
    fn what_changed_is_told_by_its_name_and_what_only_moves_is_not() {
        let kernel = |errors, packets| Kernel {
            counters: BTreeMap::from([
                ("UdpInErrors".to_owned(), errors),
                ("UdpInDatagrams".to_owned(), packets),
            ]),
            ..Kernel::default()
        };
        let before = Report {
            interfaces: Some(vec![link("lo", 65_536, 0), link("eth0", 1500, 0)]),
            resolvers: Some(Resolvers { servers: vec!["192.0.2.1".to_owned()], ..Resolvers::default() }),
            kernel: Some(kernel(0, 10)),
            ..Report::default()
        };
        let after = Report {
            interfaces: Some(vec![link("eth0", 1400, 7), link("wg0", 1420, 0), link("lo", 65_536, 0)]),
            kernel: Some(kernel(3, 99)),
            ..Report::default()
        };
        let value = |report: &Report| serde_json::to_value(report).expect("a report is JSON");
        let (before, after) = (value(&before), value(&after));
        let found = changes(&before, &after);
        let short: Vec<_> = found
            .iter()
            .filter(|change| !change.path.starts_with("interfaces.wg0"))
            .map(|change| (change.path.as_str(), &change.before, &change.after))
            .collect();
        assert_eq!(
            short,
            [
                ("interfaces.eth0.errors.rx_crc", &json!(0), &json!(7)),
                ("interfaces.eth0.mtu_bytes", &json!(1500), &json!(1400)),
                ("kernel.counters.UdpInErrors", &json!(0), &json!(3)),
            ]
        );
        let new = found.iter().find(|change| change.path == "interfaces.wg0").expect("a new interface");
        assert_eq!((&new.before, &new.after["mtu_bytes"]), (&Value::Null, &json!(1420)));
        assert_eq!(changes(&after, &after), []);
    }

    #[test]
    fn what_is_no_record_of_this_probe_is_refused_by_name() {
        for (text, why) in [
            ("{", "not JSON"),
            (r#"{"probe": {"kind": "ping"}, "outcome": {"report": {}}}"#, "no record of sysinfo"),
            (r#"{"probe": {"kind": "sysinfo"}, "outcome": {"failure": {}}}"#, "no report"),
        ] {
            let failure = report(text.as_bytes(), "a.json").expect_err("refused");
            assert!(failure.detail.contains(why) && failure.detail.contains("a.json"), "{failure}");
        }
        let text = r#"{"probe": {"kind": "sysinfo"}, "outcome": {"report": {"host": null}}}"#;
        assert_eq!(report(text.as_bytes(), "-").expect("a report"), json!({"host": null}));
    }

    #[test]
    fn members_of_the_same_name_are_told_apart() {
        let list = [json!({"address": "a"}), json!({"address": "a"}), json!({"address": "b"})];
        let names: Vec<String> = named(&list).expect("names").into_keys().collect();
        assert_eq!(names, ["a", "a#2", "b"]);
        assert_eq!(named(&[json!("x")]), None);
    }
}

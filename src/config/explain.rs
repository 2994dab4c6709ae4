//! What is wrong in a file, in one line: `FILE:LINE: unknown key `tragets` in [autoperf], did you mean `targets`?`

use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::failure::{Class, Failure, Fault};

/// How alike two words must be (Jaro-Winkler, 0-1) to suggest one for the other; clap takes 0.7 as well.
const ALIKE: f64 = 0.7;

/// What serde calls a type, and what a person writes.
const TYPES: [(&str, &str); 12] = [
    ("struct ", "a table"),
    ("internally tagged enum ", "a table"),
    ("a map", "a table"),
    ("a sequence", "a list in brackets"),
    ("a string", "a text in quotes"),
    ("a boolean", "true or false"),
    ("u8", "a whole number, 0 to 255"),
    ("u16", "a whole number, 0 to 65535"),
    ("u32", "a whole number, 0 to 4294967295"),
    ("u64", "a whole number, 0 or more"),
    ("usize", "a whole number, 0 or more"),
    ("f64", "a number"),
];

/// A file that a person has open in an editor.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// What it says.
    pub(super) text: &'a str,
    /// Its name.
    pub(super) file: &'a Path,
}

impl Source<'_> {
    /// The failure that `error` is.
    pub(super) fn unreadable(self, error: &toml::de::Error) -> Failure {
        let text = self.text;
        let said = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        let start = error.span().map_or(0, |span| span.start);
        let Some(rest) = said.strip_prefix("unknown field ") else {
            return self.wrong(start, within(text, start, &plain(&said)));
        };
        let words: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
        let (name, known) = words.split_first().unwrap_or((&"", &[]));
        let table = table(text, start).map_or(String::new(), |table| format!(" in {table}"));
        let what = format!("unknown key `{name}`{table}{}", instead(name, known.iter().copied()));
        self.wrong(start, what)
    }

    /// The failure of the key that `fault` names.
    pub(super) fn impossible(self, fault: &Fault) -> Failure {
        let document = DeTable::parse(self.text).map(|document| DeValue::Table(document.into_inner()));
        let at = document.map_or(0, |document| place(&document, &fault.path));
        self.wrong(at, format!("{} {}", fault.key(), fault.why))
    }

    /// What is wrong at the octet `at`.
    pub(super) fn wrong(self, at: usize, what: String) -> Failure {
        let line = self.text[..at].matches('\n').count() + 1;
        Class::Config.because(format_args!("{}:{line}: {what}", self.file.display()))
    }
}

/// Where `path` stands in `document`; of what is not written, the table that it would stand in.
fn place(document: &DeValue<'_>, path: &str) -> usize {
    let (mut at, mut value) = (0, document);
    for step in path.split(['.', '[']) {
        let number = step.strip_suffix(']').and_then(|number| number.parse().ok());
        let found = match (value, number) {
            (DeValue::Array(values), Some::<usize>(number)) => {
                values.get(number).map(|value| (value.span(), value))
            }
            (DeValue::Table(table), None) => {
                table.get_key_value(step).map(|(key, value)| (key.span(), value))
            }
            _ => None,
        };
        let Some((span, next)) = found else { break };
        (at, value) = (span.start, next.get_ref());
    }
    at
}

/// `said` with serde's names of types in a person's words.
fn plain(said: &str) -> String {
    let known = said.rsplit_once(", expected ").and_then(|(head, wanted)| {
        let (_, words) = TYPES
            .iter()
            .find(|(name, _)| *name == wanted || (name.ends_with(' ') && wanted.starts_with(name)))?;
        Some(format!("{head}, expected {words}"))
    });
    known.unwrap_or_else(|| said.to_owned())
}

/// The words of serde for a key `name` where only `known` are possible, which `failure` understands.
pub(super) fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<String> = known.map(|word| format!("`{word}`")).collect();
    format!("unknown field `{name}`, expected one of {}", known.join(", "))
}

/// What to write instead of `name`, which is none of `known`.
pub(super) fn instead<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(word) => format!(", did you mean `{word}`?"),
        None => format!("; it may be {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// The word of `known` that is most like `name`, if any is.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|word| (strsim::jaro_winkler(name, word), word))
        .filter(|(alike, _)| *alike > ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

/// The table in which the key at `at` stands, as its header says it: `[autoperf]`; `None` at the top.
fn table(text: &str, at: usize) -> Option<String> {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    if line.trim_start().starts_with('[') {
        let outer = text[start..at].trim_start().trim_end_matches('.');
        let outer = outer.trim_matches(['[', ' ']);
        return (!outer.is_empty()).then(|| format!("[{outer}]"));
    }
    let headers = text[..start].lines().rev().map(str::trim);
    let header = headers.into_iter().find(|line| line.starts_with('['))?;
    Some(header[..header.rfind(']')? + 1].to_owned())
}

/// `said`, with the key of the line at `at` before it, if the line is `key = …`.
fn within(text: &str, at: usize, said: &str) -> String {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    match line.split_once('=') {
        Some((key, _)) if at > start => format!("{}: {said}", key.trim()),
        _ => said.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn said(text: &str) -> String {
        Config::parse(text, Path::new("w.toml")).expect_err(text).detail
    }

    #[test]
    fn each_fault_is_one_line_that_says_where_and_what_to_do() {
        let kinds: Vec<&str> = crate::probe::KINDS.iter().map(crate::probe::Kind::name).collect();
        let kinds = kinds.join(", ");
        for (text, expected) in [
            ("[agnt]\nid = 1", "w.toml:1: unknown key `agnt`, did you mean `agent`?"),
            ("\n[log]\n\nlevl = \"info\"", "w.toml:4: unknown key `levl` in [log], did you mean `level`?"),
            ("[log]\nzzz = 1", "w.toml:2: unknown key `zzz` in [log]; it may be level"),
            (
                "[probe.udpping]\ncont = 3",
                "w.toml:2: unknown key `cont` in [probe.udpping], did you mean `count`?",
            ),
            (
                "[probe.udpping.egress]\ntll = 3",
                "w.toml:2: unknown key `tll` in [probe.udpping.egress], did you mean `ttl`?",
            ),
            ("[probe.udping]", "w.toml:1: unknown key `udping` in [probe], did you mean `udpping`?"),
            ("[probe.udpping]\ninterval = \"3\"", "w.toml:2: interval: `3` needs a unit, such as `3ms`"),
            (
                "[probe.udpping]\ncount = \"many\"",
                "w.toml:2: count: invalid type: string \"many\", expected a whole number, 0 or more",
            ),
            ("[autoperf.tier1]\nprobe = [5]", "w.toml:2: probe: invalid type: integer `5`, expected a table"),
            ("\n[[autoperf.tier1.probe]]\ncount = 1", "w.toml:2: kind is missing; it may be {kinds}"),
            ("agent = 5", "w.toml:1: agent: invalid type: integer `5`, expected a table"),
            ("[autoperf]\ninterval = 200", "w.toml:2: interval: 200 has no unit: write \"200ms\""),
            (
                "[autoperf]\nraise = 3",
                "w.toml:2: raise: invalid type: integer `3`, expected a text in quotes",
            ),
            (
                "\n[[autoperf.tier1.probe]]\nkind = \"zzz\"",
                "w.toml:3: kind: no probe is called `zzz`; it may be {kinds}",
            ),
            (
                "[[autoperf.target]]\n[[autoperf.target.tier2.probe]]\nkind = \"udping\"",
                "w.toml:3: kind: no probe is called `udping`, did you mean `udpping`?",
            ),
            (
                "[[autoperf.tier1.probe]]\nkind = \"udpping\"\n\ncount = \"many\"",
                "w.toml:4: count: invalid type: string \"many\", expected a whole number, 0 or more",
            ),
            ("probe = 3", "w.toml:1: probe: invalid type: integer `3`, expected a table"),
        ] {
            assert_eq!(said(text), expected.replace("{kinds}", &kinds), "{text}");
        }
        assert!(said("[log\n").starts_with("w.toml:1: "), "{}", said("[log\n"));
    }

    #[test]
    fn each_impossible_combination_is_one_line_that_says_where_and_what_to_do() {
        let target = |name: &str, more: &str| {
            format!("[[autoperf.target]]\nname = \"{name}\"\nhost = \"h.example\"\n{more}\n")
        };
        let own = |more: &str| target("a", more);
        for (text, expected) in [
            ("[probe.udpping]\n\ncount = 0".to_owned(), "w.toml:3: count 0: send at least 1 packet"),
            (
                "[probe.udpping]\nprotocol = \"echo\"\nkey_file = \"k\"".to_owned(),
                "w.toml:3: key_file is of no use: only wp1 and stamp packets can be authenticated",
            ),
            (
                "[probe.udpping]\nschedule = \"poisson\"\ninterval = \"0s\"".to_owned(),
                "w.toml:3: interval 0: a poisson schedule needs one above 0, its mean",
            ),
            ("[probe.udpping.egress]\ndscp = 64".to_owned(), "w.toml:2: dscp takes 0 to 63"),
            ("[probe.udpping]\negress.ttl = 0".to_owned(), "w.toml:2: ttl takes 1 to 255 hops"),
            (
                "[store]\nspool_bytes = 0".to_owned(),
                "w.toml:2: spool_bytes is too small: at least 1048576 (1 MiB)",
            ),
            (
                "[log]\nlevel = \"nonsense=,\"".to_owned(),
                "w.toml:2: level `nonsense=` is no level: levels are error, warn, info, debug and trace, also by \
                 module: warn,waddleperf::net=debug",
            ),
            (
                "[log]\nlevel = \"wran\"".to_owned(),
                "w.toml:2: level `wran` is no level: levels are error, warn, info, debug and trace, also by module: \
                 warn,waddleperf::net=debug",
            ),
            (
                "[autoperf]\ninterval = \"1s\"".to_owned(),
                "w.toml:2: interval 1s is too short, 10s at least, or `allow_fast = true` for a demonstration",
            ),
            ("[autoperf]\nclear_rounds = 61".to_owned(), "w.toml:2: clear_rounds takes 1 to 60"),
            (
                "[autoperf]\nclear_at = 2.0".to_owned(),
                "w.toml:2: clear_at takes a part of the limit, above 0 and at most 1",
            ),
            ("[autoperf]\nfast = 0".to_owned(), "w.toml:2: fast takes 1 or more; 1 keeps the interval"),
            (
                "[autoperf]\n\ncooldown = \"7h\"".to_owned(),
                "w.toml:3: cooldown 7h is above cooldown_max, 6h: set that as well",
            ),
            (
                "[autoperf]\n\ncooldown_max = \"5m\"".to_owned(),
                "w.toml:3: cooldown_max 5m is below cooldown, 15m: set that as well",
            ),
            (
                "[autoperf]\nconcurrency = { tier2 = 0 }".to_owned(),
                "w.toml:2: tier2 takes 1 or more rounds at once",
            ),
            ("[autoperf.tier3]\ntimeout = \"0s\"".to_owned(), "w.toml:2: timeout must be above 0"),
            (
                "[[autoperf.tier2.probe]]\nkind = \"udpping\"\n[[autoperf.tier2.probe]]\nkind = \"udpping\"\n\
                 count = 0"
                    .to_owned(),
                "w.toml:5: count 0: send at least 1 packet",
            ),
            (
                own("") + &target("b", "") + &own(""),
                "w.toml:10: name `a` is taken: two targets are called so",
            ),
            (
                own("") + "[[autoperf.target]]\nname = \"b\"",
                "w.toml:5: host is missing: each [[autoperf.target]] needs a name and a host",
            ),
            (
                own("").replace("h.example", "h.example:2000"),
                "w.toml:3: host `h.example:2000` is a host with a port: name the host alone, `h.example`, and set the \
                 port to 2000",
            ),
            (
                "[probe.udpping.egress]\nfamily = \"ipv4\"\nsource = \"::1\"".to_owned(),
                "w.toml:3: source ::1 is not of the family asked for",
            ),
            (
                own("interval = \"2s\""),
                "w.toml:4: interval 2s is too short, 10s at least, or `allow_fast = true` for a demonstration",
            ),
            (
                "[autoperf]\ntier1 = { timeout = \"5s\" }\n".to_owned() + &own(""),
                "w.toml:2: tier1 has no probe for target `a`: write a [[autoperf.tier1.probe]]",
            ),
            (
                own("thresholds = [\n  \"rtt_p95 > 1s\",\n  \"throughput < 5Mbit/s\",\n]"),
                "w.toml:6: thresholds `throughput < 5Mbit/s`: no probe of target `a` measures that; they know \
                 down_loss_ratio, jitter, loss_ratio, rtt_max, rtt_mean, rtt_min, rtt_p50, rtt_p95, rtt_p99, \
                 up_loss_ratio",
            ),
            (
                own("thresholds = [\"rtt_p95 > 100ms\"]\ncritical = [\"rtt_p95 > 50ms\"]"),
                "w.toml:5: critical `rtt_p95 > 50ms` is critical before it is a warning: swap the two limits",
            ),
            (
                "[autoperf]\ncritical = [\"rtt_p95 > 50ms\"]".to_owned(),
                "w.toml:2: critical `rtt_p95 > 50ms` is critical before it is a warning: swap the two limits",
            ),
            (
                own("critical = [\"loss_ratio > 150%\"]"),
                "w.toml:4: critical: threshold `loss_ratio > 150%`: loss_ratio is never above 100%",
            ),
        ] {
            assert_eq!(said(&text), expected, "{text}");
        }
    }

    #[test]
    fn what_the_program_itself_adds_is_not_refused() {
        for text in [
            "[autoperf]\nthresholds = [\"tls_expires_in < 2d\"]",
            "[autoperf]\nthresholds = [\"throughput < 5Mbit/s\"]\n[[autoperf.target]]\nname = \"a\"\nhost = \"h\"",
            "[log]\nlevel = \"info,waddleperf::net=debug\"",
            "[log]\nlevel = \"\"",
        ] {
            Config::parse(text, Path::new("w.toml")).expect(text);
        }
    }
}

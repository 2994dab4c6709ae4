//! What is wrong in a file, in one line: `FILE:LINE: unknown key `tragets` in [autoperf], did you mean `targets`?`

use std::path::Path;

use crate::failure::{Class, Failure};

/// How alike two words must be (Jaro-Winkler, 0-1) to suggest one for the other; clap takes 0.7 as well.
const ALIKE: f64 = 0.7;

/// The failure that `error` is, for a person who has `text` open in an editor as `file`.
pub(super) fn failure(error: &toml::de::Error, text: &str, file: &Path) -> Failure {
    let said = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
    let start = error.span().map_or(0, |span| span.start);
    let (at, what) = match said.strip_prefix("unknown field ") {
        Some(rest) => {
            let words: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
            let (name, known) = words.split_first().unwrap_or((&"", &[]));
            let at = position(text, start, name);
            let table = table(text, at).map_or(String::new(), |table| format!(" in {table}"));
            (at, unknown_in(name, &table, known.iter().copied()))
        }
        None => (start, within(text, start, &said)),
    };
    let line = text[..at].matches('\n').count() + 1;
    Class::Config.because(format_args!("{}:{line}: {what}", file.display()))
}

/// The words of serde for a key `name` where only `known` are possible, which [`failure`] understands.
pub(super) fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<String> = known.map(|word| format!("`{word}`")).collect();
    format!("unknown field `{name}`, expected one of {}", known.join(", "))
}

fn unknown_in<'a>(name: &str, place: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(word) => format!("unknown key `{name}`{place}, did you mean `{word}`?"),
        None => {
            let known: Vec<&str> = known.collect();
            format!("unknown key `{name}`{place}; it may be {}", known.join(", "))
        }
    }
}

/// The word of `known` that is most like `name`, if any is.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|word| (strsim::jaro_winkler(name, word), word))
        .filter(|(alike, _)| *alike > ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

/// Where the key `name` stands: at `start`, else on the first line after it that begins with it. (serde keeps no
/// place for what lies inside a tagged enumeration, only for the whole.)
fn position(text: &str, start: usize, name: &str) -> usize {
    let bare = |line: &str| {
        let rest = line.trim_start().strip_prefix(name)?.trim_start();
        rest.starts_with('=').then_some(())
    };
    if text[start..].trim_start_matches(['"', '\'']).starts_with(name) {
        return start;
    }
    let mut at = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    for line in text[at..].split_inclusive('\n') {
        if bare(line).is_some() {
            return at + line.len() - line.trim_start().len();
        }
        at += line.len();
    }
    start
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
                "w.toml:2: count: invalid type: string \"many\", expected u64",
            ),
            ("probe = 3", "w.toml:1: probe: invalid type: integer `3`, expected a map"),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
        assert!(said("[log\n").starts_with("w.toml:1: "), "{}", said("[log\n"));
    }
}

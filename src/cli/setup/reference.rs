//! The reference in `docs/`: every field of a record and of the file, from the schemas that read them.

use super::File;
use super::schema::{Field, Section};
use crate::config::Config;
use crate::probe::Measurement;
use crate::store::{Gap, run::Run};

const NOTE: &str = "<!-- Written by `waddleperf setup docs`; change the sources and run `make drift`. -->";

const RECORD: &str = "Each line that `--json` prints, `results export` writes and the store keeps is one record. There are \
three: a measurement (no `mode`), autoperf's run (`\"mode\": \"autoperf\"`) and a gap (`\"mode\": \"gap\"`). The schema's version is \
1, in `v`. A field may be added in any release; none is removed or changes its meaning within a version.\n\n\
The unit of a number stands in its column, and ends its name: `_ms` milliseconds (a number with a fraction), `_bytes` octets, `_bps` bit/s, `_ratio` 0 to 1. \
Moments are RFC 3339 in UTC. What was not measured is null, never 0. Durations are monotonic (promise R8).\n\n\
Terms: RTT RFC 2681, loss ratio of round trips RFC 6673, one-way loss RFC 7680, one-way delay RFC 7679, jitter RFC 3550 §6.4.1, \
IPDV RFC 3393 (the 95th percentile of its magnitude), reordering RFC 4737, duplicates RFC 5560, loss \
bursts RFC 3357. UUIDs are RFC 9562. Percentiles are nearest-rank over all samples \
of the run; in roll-ups they are sketches with a relative error of 1 %.";

const FILE: &str = "TOML, read from `--config`, else `/etc/waddleperf/waddleperf.toml`, else \
`~/.config/waddleperf/waddleperf.toml`. Every key is optional; an unknown one is refused by name and line. Times and sizes take a \
unit. Built-in defaults < file < `WADDLEPERF_…` < flags. `[probe.<kind>]` takes the options of that kind, which are its \
flags. `waddleperf config check` says whether a file is right, `waddleperf config print` what is in force.";

/// All generated documents.
pub(super) fn files() -> Vec<File> {
    let record =
        [Section::of::<Measurement>("Measurement"), Section::of::<Run>("Run"), Section::of::<Gap>("Gap")];
    let tables = Section::tables::<Config>();
    vec![
        document("measurement.md", "The record", RECORD, record.into_iter().flatten().collect(), true),
        document("config.md", "The configuration", FILE, tables, false),
    ]
}

fn document(name: &str, title: &str, text: &str, mut sections: Vec<Section>, has_units: bool) -> File {
    let mut known: Vec<String> = Vec::new();
    // A type that two records share is told once.
    sections.retain(|section| {
        let is_new = !known.contains(&section.title);
        known.push(section.title.clone());
        is_new
    });
    let mut body = format!("{NOTE}\n\n# {title}\n\n{text}\n");
    for section in &sections {
        body.push_str(&chapter(section, &known, has_units));
    }
    File { name: name.to_owned(), text: body }
}

fn chapter(section: &Section, known: &[String], has_units: bool) -> String {
    let line = |unit: &str, [name, value, default, meaning]: [&str; 4]| {
        let unit = if has_units { format!(" {unit} |") } else { String::new() };
        format!("| {name} | {value} |{unit} {default} | {meaning} |\n")
    };
    let row = |field: &Field| {
        let cell = |text: &str| text.replace('|', "\\|");
        let default = field.default.as_deref().map(|default| format!("`{default}`")).unwrap_or_default();
        let name = format!("`{}`", cell(&field.name));
        let form = linked(&cell(&field.form), known);
        line(field.unit(&section.title), [&name, &form, &cell(&default), &cell(&field.text)])
    };
    let rows: String = section.fields.iter().map(row).collect();
    let text = if section.text.is_empty() { String::new() } else { format!("{}\n\n", section.text) };
    let head = line("unit", ["field", "value", "default", "meaning"]);
    let rule = if has_units { "|---|---|---|---|---|" } else { "|---|---|---|---|" };
    format!("\n## {}\n\n{text}{head}{rule}\n{rows}", section.title)
}

/// `form` with links to the sections that it names.
fn linked(form: &str, known: &[String]) -> String {
    let link = |one: &str| {
        let (before, name) = one.rfind(" of ").map_or(("", one), |at| one.split_at(at + " of ".len()));
        if !known.iter().any(|title| title == name) {
            return one.to_owned();
        }
        // As GitHub and others make anchors of headings.
        let anchor: String = name
            .to_lowercase()
            .replace(' ', "-")
            .replace(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'), "");
        format!("{before}[{name}](#{anchor})")
    };
    form.split(" or ").map(link).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_says_what_it_means_in_plain_words() {
        for File { name, text } in files() {
            for word in ["[`", "`None`", "`Some`"] {
                let line = text.lines().find(|line| line.contains(word));
                assert_eq!(line, None, "{name}: rustdoc's {word}");
            }
            for row in text.lines().filter(|line| line.starts_with("| `")) {
                let cells: Vec<_> = row.trim_end_matches('|').split(" | ").map(str::trim).collect();
                assert!(cells.last().is_some_and(|meaning| meaning.len() > 1), "{name}: no meaning: {row}");
            }
        }
    }

    #[test]
    fn each_link_leads_to_a_heading_and_each_measure_has_its_unit() {
        let record = &files()[0].text;
        let headings: Vec<String> =
            record.lines().filter_map(|line| Some(line.strip_prefix("## ")?.to_lowercase())).collect();
        let anchors: Vec<String> =
            headings.iter().map(|title| title.replace(' ', "-").replace(':', "")).collect();
        let mut links = 0;
        for (at, _) in record.match_indices("](#") {
            let anchor = record[at + 3..].split(')').next().unwrap_or_default();
            assert!(anchors.iter().any(|known| known == anchor), "{anchor}");
            links += 1;
        }
        assert!(links > 20 && record.contains("[UdpPingReport](#udppingreport)"), "{links} links");
        for (part, unit) in [("_ms` |", " ms |"), ("_ratio` |", " 0 to 1 |"), ("_bytes` |", " octets |")] {
            let mut rows = record.lines().filter(|line| line.contains(part)).peekable();
            assert!(rows.peek().is_some() && rows.all(|row| row.contains(unit)), "{part}");
        }
    }
}

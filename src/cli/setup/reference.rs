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
The unit ends a field's name: `_ms` milliseconds (a number with a fraction), `_bytes` octets, `_bps` bit/s, `_ratio` 0 to 1. \
Moments are RFC 3339 in UTC. What was not measured is null, never 0. Durations are monotonic (promise R8).\n\n\
Terms: RTT and loss ratio of round trips RFC 6673, one-way loss RFC 7680, one-way delay RFC 7679, jitter RFC 3550 §6.4.1, \
IPDV RFC 3393 (the 95th percentile of its magnitude), reordering RFC 4737. Percentiles are nearest-rank over all samples \
of the run; in roll-ups they are sketches with a relative error of 1 %.";

const FILE: &str = "TOML, read from `--config`, else `/etc/waddleperf/waddleperf.toml`, else \
`~/.config/waddleperf/waddleperf.toml`. Every key is optional; an unknown one is refused by name and line. Times and sizes take a \
unit. Built-in defaults < file < `WADDLEPERF_…` < flags. `[probe.<kind>]` takes the options of that kind, which are its \
flags. `waddleperf config check` says whether a file is right, `waddleperf config print` what is in force.";

/// All generated documents.
pub(super) fn files() -> Vec<File> {
    let record =
        [Section::of::<Measurement>("Measurement"), Section::of::<Run>("Run"), Section::of::<Gap>("Gap")];
    vec![
        document("measurement.md", "The record", RECORD, record.into_iter().flatten()),
        document("config.md", "The configuration", FILE, Section::tables::<Config>().into_iter()),
    ]
}

fn document(name: &str, title: &str, text: &str, sections: impl Iterator<Item = Section>) -> File {
    let mut known: Vec<String> = Vec::new();
    let mut body = format!("{NOTE}\n\n# {title}\n\n{text}\n");
    for section in sections {
        // A type that two records share is told once.
        if !known.contains(&section.title) {
            body.push_str(&chapter(&section));
            known.push(section.title);
        }
    }
    File { name: name.to_owned(), text: body }
}

fn chapter(section: &Section) -> String {
    let rows: String = section.fields.iter().map(row).collect();
    let text = if section.text.is_empty() { String::new() } else { format!("{}\n\n", section.text) };
    format!(
        "\n## {}\n\n{text}| field | value | default | meaning |\n|---|---|---|---|\n{rows}",
        section.title
    )
}

fn row(field: &Field) -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    let default = field.default.as_deref().map(|default| format!("`{default}`")).unwrap_or_default();
    format!(
        "| `{}` | {} | {} | {} |\n",
        cell(&field.name),
        cell(&field.form),
        cell(&default),
        cell(&field.text)
    )
}

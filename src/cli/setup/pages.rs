//! Manual pages: one for each command and subcommand, one for the file, and a stub for each linked name.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::schema::Section;
use super::{File, declared};
use crate::cli::{MANUALS, applet::linked};
use crate::config::Config;
use crate::probe::{KINDS, Manual};

const SOURCE: &str = concat!("waddleperf ", env!("CARGO_PKG_VERSION"));
const BOOK: &str = "waddleperf manual";

/// What all commands end with (design §5).
const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "done; for a probe: measured, and all is well"),
    (
        "1",
        "measured, and it is bad: no reply at all, or a limit of --fail-on is broken; or the far side, or the way there, prevented measuring",
    ),
    ("2", "asked wrongly, on the command line or in the file"),
    ("3", "this side could not look: permission, unsupported, internal"),
    ("75", "autoperf only: another run holds the lock"),
    ("130, 143", "interrupted by SIGINT or SIGTERM; what was measured by then is reported"),
];

const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "WADDLEPERF_…",
        "the flag of that name, such as WADDLEPERF_DATA for --data; a flag on the command line wins",
    ),
    ("NO_COLOR", "no colours"),
    ("STATE_DIRECTORY, XDG_STATE_HOME", "where DATA is, unless --data says"),
];

const FILES: &[(&str, &str)] = &[
    (
        "/etc/waddleperf/waddleperf.toml",
        "the configuration, unless --config says; else ~/.config/waddleperf/waddleperf.toml",
    ),
    (
        "DATA",
        "store, spool, locks and sockets: /var/lib/waddleperf for root, ~/.local/state/waddleperf for others",
    ),
];

/// All pages.
pub(super) fn files() -> Vec<File> {
    let mut files = Vec::new();
    pages(&declared(), "waddleperf", None, &mut files);
    files.push(configuration());
    files.extend(
        linked()
            .map(|name| File { name: format!("{name}.1"), text: format!(".so man1/waddleperf-{name}.1\n") }),
    );
    files
}

/// The page of `command`, called `name`, and those of its subcommands. `manual` is the top command's.
fn pages(command: &Command, name: &str, manual: Option<&Manual>, files: &mut Vec<File>) {
    files.push(File { name: format!("{name}.1"), text: page(command, name, manual) });
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        let manual = manual.or_else(|| self::manual(subcommand.get_name()));
        pages(subcommand, &format!("{name}-{}", subcommand.get_name()), manual, files);
    }
}

fn manual(name: &str) -> Option<&'static Manual> {
    let probes = KINDS.iter().map(|kind| &kind.manual);
    probes.chain(MANUALS.iter().copied()).find(|manual| manual.name == name)
}

fn page(command: &Command, name: &str, manual: Option<&Manual>) -> String {
    let called = name.replacen('-', " ", name.matches('-').count());
    let command = command.clone().name(name.to_owned()).bin_name(called).display_name(name.to_owned());
    let mut command = command.version(env!("CARGO_PKG_VERSION")).disable_help_subcommand(true);
    // A subcommand's page has its own words only.
    if let Some(manual) = manual.filter(|_| name.matches('-').count() == 1) {
        command = command.long_about(manual.text);
    }
    let has_subcommands = command.has_subcommands();
    let page = Man::new(command).title(name.to_uppercase()).section("1").source(SOURCE).manual(BOOK);
    let mut octets = Vec::new();
    // Writing to memory cannot fail.
    let _ = page.render_title(&mut octets);
    let _ = page.render_name_section(&mut octets);
    let _ = page.render_synopsis_section(&mut octets);
    let _ = page.render_description_section(&mut octets);
    let _ = page.render_options_section(&mut octets);
    if has_subcommands {
        let _ = page.render_subcommands_section(&mut octets);
    }
    let own = sections(name, manual);
    String::from_utf8_lossy(&octets).into_owned() + &own.to_roff()
}

fn sections(name: &str, manual: Option<&Manual>) -> Roff {
    let mut roff = Roff::new();
    list(&mut roff, "EXIT STATUS", EXIT_STATUS);
    list(&mut roff, "ENVIRONMENT", ENVIRONMENT);
    let files: Vec<_> = FILES.iter().chain(manual.map_or(&[][..], |manual| manual.files)).copied().collect();
    list(&mut roff, "FILES", &files);
    if let Some(manual) = manual {
        roff.control("SH", ["EXAMPLES"]);
        for (command, why) in manual.examples {
            roff.control("TP", []);
            roff.text([bold(*command)]);
            roff.text([roman(*why)]);
        }
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman(see_also(name, manual).join(", "))]);
    roff
}

/// The pages to read next: the one above, the manual's own, and the file's.
fn see_also(name: &str, manual: Option<&Manual>) -> Vec<String> {
    let above = name.rsplit_once('-').map(|(above, _)| format!("{above}(1)"));
    let all = match manual {
        Some(manual) => manual.see_also.iter().map(ToString::to_string).collect(),
        None => super::super::names().map(|name| format!("waddleperf-{name}(1)")).collect::<Vec<_>>(),
    };
    let mut pages: Vec<String> = above.into_iter().chain(all).collect();
    if !pages.iter().any(|page| page == "waddleperf.toml(5)") {
        pages.push("waddleperf.toml(5)".to_owned());
    }
    pages
}

fn list(roff: &mut Roff, title: &str, rows: &[(&str, &str)]) {
    roff.control("SH", [title]);
    for (term, meaning) in rows {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(*meaning)]);
    }
}

/// waddleperf.toml(5), from the same schema that the file is read with.
fn configuration() -> File {
    let mut roff = Roff::new();
    roff.control("TH", ["WADDLEPERF.TOML", "5", "", SOURCE, BOOK]);
    roff.control("SH", ["NAME"]);
    roff.text([roman("waddleperf.toml - configuration of waddleperf")]);
    roff.control("SH", ["DESCRIPTION"]);
    roff.text([roman(
        "TOML. Every key is optional, an unknown one is refused by name and line. Times and sizes take a unit (200ms, 5m, \
         256MiB). Built-in defaults are overridden by the file, the file by WADDLEPERF_… variables, these by flags.",
    )]);
    for section in Section::tables::<Config>() {
        roff.control("SH", [section.title.as_str()]);
        roff.text([roman(section.text)]);
        for field in section.fields {
            roff.control("TP", []);
            let mut term: Vec<Inline> = vec![bold(field.name), roman(" = "), roman(field.form)];
            term.extend(field.default.map(|default| roman(format!(" [default: {default}]"))));
            roff.text(term);
            roff.text([roman(field.text)]);
        }
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman("waddleperf(1), waddleperf-config(1), waddleperf-setup(1)")]);
    File { name: "waddleperf.toml.5".to_owned(), text: roff.to_roff() }
}

//! The flags that say which records are meant, and the walk through their pages.

use std::collections::BTreeMap;

use clap::Args;
use uuid::Uuid;

use super::out::Stop;
use crate::autoperf::threshold;
use crate::cli::label::Label;
use crate::failure::{Class, Failure};
use crate::store::{Access, Answer, Filter, Order, Page, Query};
use crate::sys::clock;
use crate::units::{Span, Timestamp};

/// The most records that one question asks for.
const PAGE: usize = 1_000;

/// Which records.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which records")]
pub(super) struct Which {
    /// Only this kind (also autoperf and gap); may be given several times
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Vec<String>,
    /// Only this target, * stands for any text; may be given several times
    #[arg(long, value_name = "TARGET")]
    target: Vec<String>,
    /// Only with this label; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    label: Vec<Label>,
    /// From then on: a span before now (6h) or RFC 3339
    #[arg(long, value_name = "WHEN", value_parser = When::read)]
    since: Option<When>,
    /// Before then: a span before now (1h) or RFC 3339
    #[arg(long, value_name = "WHEN", value_parser = When::read)]
    until: Option<When>,
}

/// Which part of them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which records")]
pub(super) struct Part {
    /// At most so many records
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) limit: Option<u64>,
    /// Go on behind this cursor, which a limited answer names
    #[arg(long, value_name = "CURSOR")]
    pub(super) after: Option<Uuid>,
}

/// A moment as the command line writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    Before(Span),
    At(Timestamp),
}

impl When {
    fn read(text: &str) -> Result<Self, String> {
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        text.parse().map(Self::Before).map_err(|_| {
            format!("`{text}` is neither a span such as 6h nor RFC 3339 such as 2026-11-25T10:00:00Z")
        })
    }

    fn moment(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Before(Span(span)) => now.checked_sub(span).unwrap_or(Timestamp::UNIX_EPOCH),
        }
    }
}

/// A kind that records can be of.
fn kind(word: &str) -> Result<String, String> {
    let known = || threshold::kinds().chain(["autoperf", "gap"]);
    if known().any(|kind| kind == word) {
        return Ok(word.to_owned());
    }
    let hint = threshold::nearest(word, known());
    Err(format!("no records are of the kind `{word}`; the nearest is `{hint}`"))
}

impl Which {
    /// The filter, seen from now.
    pub(super) fn filter(&self) -> Filter {
        let now = clock::now().timestamp();
        Filter {
            kinds: self.kind.clone(),
            targets: self.target.clone(),
            labels: self
                .label
                .iter()
                .cloned()
                .map(|Label(name, value)| (name, value))
                .collect::<BTreeMap<_, _>>(),
            since: self.since.map(|when| when.moment(now)),
            until: self.until.map(|when| when.moment(now)),
        }
    }
}

/// Walks through the records of `filter`, a page at a time; the cursor for what the limit leaves out.
pub(super) fn pages(
    store: &Access,
    filter: &Filter,
    part: &Part,
    order: Order,
    mut each: impl FnMut(Page) -> Result<(), Stop>,
) -> Result<Option<Uuid>, Stop> {
    let ask = |after, limit| match store.ask(&Query::List { filter: filter.clone(), after, limit, order })? {
        Answer::List(page) => Ok(page),
        _ => Err(stray()),
    };
    walk(part, |after, limit| {
        let page = ask(after, limit)?;
        let (count, next) = (page.records.len(), page.next);
        each(page)?;
        Ok((count, next))
    })
}

/// The same for ids.
pub(super) fn ids(
    store: &Access,
    filter: &Filter,
    part: &Part,
    order: Order,
    mut each: impl FnMut(&[Uuid]) -> Result<(), Stop>,
) -> Result<Option<Uuid>, Stop> {
    walk(part, |after, limit| {
        match store.ask(&Query::Ids { filter: filter.clone(), after, limit, order })? {
            Answer::Ids(ids, next) => {
                each(&ids)?;
                Ok((ids.len(), next))
            }
            _ => Err(stray().into()),
        }
    })
}

/// Asks for pages behind `part.after` until there are `part.limit` records, or no more.
fn walk(
    part: &Part,
    mut page: impl FnMut(Option<Uuid>, usize) -> Result<(usize, Option<Uuid>), Stop>,
) -> Result<Option<Uuid>, Stop> {
    let mut left = part.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let mut after = part.after;
    loop {
        let (count, next) = page(after, left.min(PAGE))?;
        left = left.saturating_sub(count);
        match next {
            Some(_) if left > 0 => after = next,
            _ => return Ok(next),
        }
    }
}

/// Tells the cursor on stderr, where it is in nobody's way.
pub(super) fn tell_cursor(next: Option<Uuid>) {
    if let Some(next) = next {
        tell(&format!("more: --after {next}"));
    }
}

/// Tells `text` on stderr.
pub(super) fn tell(text: &str) {
    // Nobody is left to tell when stderr is closed.
    let _ = std::io::Write::write_fmt(&mut std::io::stderr().lock(), format_args!("{text}\n"));
}

/// An answer of the store to another question.
pub(super) fn stray() -> Failure {
    Class::Internal.because("the store answered another question")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_span_before_now_or_a_time() {
        let now: Timestamp = "2026-11-25T10:00:00Z".parse().expect("a time");
        for (text, expected) in [
            ("6h", "2026-11-25T04:00:00Z"),
            ("90", "2026-11-25T09:58:30Z"),
            ("2026-11-24T10:00:00+01:00", "2026-11-24T09:00:00Z"),
            ("999d", "2024-03-01T10:00:00Z"),
        ] {
            let when = When::read(text).expect(text);
            assert_eq!(when.moment(now).to_string(), expected, "{text}");
        }
        assert!(When::read("yesterday").is_err());
    }

    #[test]
    fn a_walk_ends_at_its_limit_and_names_where() {
        let part = Part { limit: Some(1500), after: None };
        let mut asked = Vec::new();
        let next = walk(&part, |_, limit| {
            asked.push(limit);
            Ok((limit, Some(Uuid::from_u128(asked.len() as u128))))
        });
        assert_eq!(asked, [1000, 500]);
        assert!(matches!(next, Ok(Some(id)) if id == Uuid::from_u128(2)));
    }
}

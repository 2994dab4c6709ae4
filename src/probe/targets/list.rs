//! A list of targets in the making: networks and ranges stay short until they are asked for.

use std::path::Path;

use super::Range;
use crate::failure::{Class, Failure};
use crate::probe::{Ctx, input};

/// Octets of the longest list.
const MOST_LIST: u64 = 64 << 20;

/// What a list may hold.
#[derive(Clone, Copy, Debug)]
pub(in crate::probe) struct Guard {
    /// Targets at most.
    pub most: u64,
    /// Targets that need no `--yes`.
    pub unasked: u64,
    /// Whether names that are written out count as well, and not only the addresses of networks and ranges.
    pub counts_names: bool,
    /// It was said.
    pub yes: bool,
    /// Whether a word that is no range is a URL, which may hold anything.
    pub urls: bool,
}

/// Targets, in the order given.
#[derive(Clone, Debug)]
pub(in crate::probe) struct List {
    guard: Guard,
    pub(super) items: Vec<Item>,
    count: u64,
    guarded: u64,
}

/// What one word stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A name or an address, still to be looked up.
    One(Box<str>),
    /// Addresses; boxed, as most words are names, of which there may be a million.
    Many(Box<Range>),
    /// Nothing: the word, and why.
    Wrong(Box<(Box<str>, String)>),
}

/// How a file lists targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::probe) enum Per {
    /// The first word of each line, as fping reads it.
    Line,
    /// Every word, as nmap reads it.
    Word,
}

impl List {
    /// Nobody yet.
    pub(in crate::probe) const fn new(guard: Guard) -> Self {
        Self { guard, items: Vec::new(), count: 0, guarded: 0 }
    }

    /// Adds what `word` stands for; a word that can be nothing is kept as that.
    ///
    /// # Errors
    /// That there are too many by now, or more than may be without `--yes`.
    pub(in crate::probe) fn add(&mut self, word: &str) -> Result<(), String> {
        match Range::parse(word) {
            Ok(Some(range)) => self.range(word, range),
            Err(why) if !self.guard.urls => {
                self.items.push(Item::Wrong(Box::new((word.into(), why))));
                self.grow(word, 1, 0)
            }
            Ok(None) | Err(_) => {
                self.items.push(Item::One(word.into()));
                self.grow(word, 1, u64::from(self.guard.counts_names))
            }
        }
    }

    /// Adds the addresses of `range`, which `word` names.
    ///
    /// # Errors
    /// As [`List::add`].
    pub(in crate::probe) fn range(&mut self, word: &str, range: Range) -> Result<(), String> {
        self.items.push(Item::Many(Box::new(range)));
        self.grow(word, range.count(), range.count())
    }

    /// Adds what the `text` of a file lists: words, up to a `#` that begins one.
    ///
    /// # Errors
    /// As [`List::add`].
    pub(in crate::probe) fn listed(&mut self, text: &str, per: Per) -> Result<(), String> {
        // What grows leaves holes behind, and a list may have a million lines.
        self.items.reserve_exact(text.lines().take(self.guard.most as usize).count());
        words(text, per).try_for_each(|word| self.add(word))
    }

    /// How many targets they are.
    pub(in crate::probe) const fn count(&self) -> u64 {
        self.count
    }

    /// Names and addresses that stand for themselves.
    pub(in crate::probe) fn names(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter_map(|item| if let Item::One(name) = item { Some(&**name) } else { None })
    }

    /// The networks and ranges.
    pub(in crate::probe) fn ranges(&self) -> impl Iterator<Item = Range> {
        self.items.iter().filter_map(|item| if let Item::Many(range) = item { Some(**range) } else { None })
    }

    /// The same without networks and ranges.
    pub(in crate::probe) fn only_names(mut self) -> Self {
        self.items.retain(|item| !matches!(item, Item::Many(_)));
        self.count = self.items.len() as u64;
        self
    }

    /// What is wrong with the first word that can be nothing.
    pub(in crate::probe) fn wrong(&self) -> Option<&str> {
        self.items
            .iter()
            .find_map(|item| if let Item::Wrong(wrong) = item { Some(wrong.1.as_str()) } else { None })
    }

    fn grow(&mut self, word: &str, by: u64, guarded: u64) -> Result<(), String> {
        self.count = self.count.saturating_add(by);
        self.guarded = self.guarded.saturating_add(guarded);
        let Guard { most, unasked, yes, .. } = self.guard;
        if self.count > most {
            return Err(format!(
                "{word}: more than {most} targets are too many for one run: split it into several"
            ));
        }
        if self.guarded > unasked && guarded > 0 && !yes {
            let guarded = self.guarded;
            return Err(format!("{word} makes it {guarded} targets: --yes allows more than {unasked}"));
        }
        Ok(())
    }
}

/// Reads the list in the file at `path` (`-` is standard input), that `flag` names, into `list`.
///
/// # Errors
/// That somebody else asks, that it cannot be read or is too long; as [`List::add`]; that the run was interrupted.
pub(in crate::probe) async fn read(
    ctx: &Ctx,
    flag: &'static str,
    path: &Path,
    per: Per,
    list: &mut List,
) -> Result<(), Failure> {
    ctx.policy.check_flag(flag)?;
    list.listed(&text(ctx, flag, path).await?, per).map_err(|why| Class::Usage.because(why))
}

/// The names that the file at `path` (`-` is standard input) lists, one on each line, for who measures one after the other.
///
/// # Errors
/// That it cannot be read or is too long, and that the run was interrupted.
pub(crate) async fn names(ctx: &Ctx, path: &Path) -> Result<Vec<String>, Failure> {
    Ok(words(&text(ctx, "--file", path).await?, Per::Line).map(str::to_owned).collect())
}

async fn text(ctx: &Ctx, flag: &'static str, path: &Path) -> Result<String, Failure> {
    let octets = input::whole(ctx, flag, path, MOST_LIST).await?;
    String::from_utf8(octets)
        .map_err(|_| Class::Usage.because(format_args!("{flag} {}: is no text in UTF-8", input::name(path))))
}

fn words(text: &str, per: Per) -> impl Iterator<Item = &str> {
    let most = if per == Per::Line { 1 } else { usize::MAX };
    let words = move |line| str::split_whitespace(line).take_while(|word| !word.starts_with('#')).take(most);
    text.lines().flat_map(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn guard(yes: bool) -> Guard {
        Guard { most: 1 << 20, unasked: 4096, counts_names: false, yes, urls: false }
    }

    fn count(words: &[&str], guard: Guard) -> Result<u64, String> {
        let mut list = List::new(guard);
        words.iter().try_for_each(|word| list.add(word)).map(|()| list.count())
    }

    #[test]
    fn many_generated_addresses_are_asked_about_and_too_many_refused() {
        assert_eq!(count(&["a.example", "10.0.0.0/24", "10.1.0.0/24"], guard(false)), Ok(509));
        assert_eq!(count(&["10.0.0.0/20"], guard(false)), Ok(4094));
        let asked = count(&["10.0.0.0/20", "10.1.0.0/29"], guard(false)).expect_err("more than 4096");
        assert_eq!(asked, "10.1.0.0/29 makes it 4100 targets: --yes allows more than 4096");
        assert_eq!(count(&["127.2.0.0/16"], guard(true)), Ok(65_534));
        for text in ["10.0.0.0/8", "::/0"] {
            for yes in [false, true] {
                let refused = count(&[text], guard(yes)).expect_err(text);
                assert!(refused.contains("more than 1048576 targets"), "{refused}");
            }
        }
    }

    #[test]
    fn names_count_where_each_host_has_to_be_allowed() {
        let one = Guard { most: 4096, unasked: 1, counts_names: true, ..guard(false) };
        assert_eq!(count(&["a.example"], one), Ok(1));
        assert_eq!(count(&["10.0.0.4/32"], one), Ok(1));
        for words in [&["a.example", "b.example"][..], &["10.0.0.4/31"], &["a.example", "10.0.0.4/32"]] {
            let asked = count(words, one).expect_err("two");
            assert!(asked.contains("makes it 2 targets: --yes"), "{asked}");
            assert_eq!(count(words, Guard { yes: true, ..one }), Ok(2));
        }
    }

    #[test]
    fn a_file_has_comments_and_lists_by_line_or_by_word() {
        let text = "a.example three  # the first\n\n# nobody\n  b.example 192.0.2.1/31\r\n10.0.0.1/99";
        let read = |per| {
            let mut list = List::new(guard(false));
            list.listed(text, per).expect("few");
            let names: Vec<String> = list.names().map(str::to_owned).collect();
            (names, list.count(), list.wrong().is_some())
        };
        assert_eq!(read(Per::Line), (vec!["a.example".into(), "b.example".into()], 3, true));
        let words = ["a.example", "three", "b.example"].map(str::to_owned).to_vec();
        assert_eq!(read(Per::Word), (words, 6, true));
    }

    #[test]
    fn a_url_may_hold_anything() {
        let mut list = List::new(Guard { urls: true, ..guard(false) });
        ["http://a.example/b/24", "a.example/x", "10.0.0.4/31"]
            .iter()
            .try_for_each(|word| list.add(word))
            .expect("few");
        assert_eq!((list.count(), list.wrong()), (4, None));
    }

    proptest! {
        #[test]
        fn a_list_holds_what_its_words_stand_for(text in "([0-9a-f:./%# -]{0,40}\n){0,8}", yes: bool) {
            super::super::fuzz(&text, yes);
        }
    }
}

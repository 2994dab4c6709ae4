//! Whom a probe measures: words of the command line, lists in files, networks and ranges, written out under a guard;
//! then names looked up, and every address let through or refused for the same reasons by every probe.

mod admission;
mod find;
mod list;
mod range;

pub(super) use admission::{Admission, Audience};
pub(super) use find::Search;
pub(crate) use list::names;
pub(super) use list::{Guard, List, Per, read};
pub(super) use range::Range;

/// Whether a target's text means more than one host.
pub(super) fn is_many(text: &str) -> bool {
    Range::parse(text).is_ok_and(|range| range.is_some_and(|range| range.count() > 1))
}

/// What fuzzing and the properties do with any text: read it as a list, and look at what its words stand for.
pub(super) fn fuzz(text: &str, yes: bool) {
    let guard = Guard { most: 1 << 20, unasked: 4096, counts_names: false, yes, urls: false };
    for per in [Per::Line, Per::Word] {
        let mut list = List::new(guard);
        let added = list.listed(text, per);
        let mut count = 0u64;
        for item in &list.items {
            count = count.saturating_add(match item {
                list::Item::Many(range) => {
                    let first = range.addresses().next().expect("a range has a first address");
                    assert!(range.contains(first));
                    range.count()
                }
                list::Item::One(word) => u64::from(!word.is_empty()),
                list::Item::Wrong(wrong) => u64::from(!wrong.0.is_empty()),
            });
        }
        assert_eq!(count, list.count());
        assert!(added.is_err() || count <= guard.most);
    }
}

//! What came instead of answers: who said what, and how often. Whoever may forge errors, the lists stay short, and who says a
//! thing again keeps his line.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;

use nix::libc::EMSGSIZE;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::failure::reason;
use crate::net::engine::Icmp;
use crate::wire::icmp::{Meaning, Version};

/// Different errors that a list has at most.
const MOST: usize = 32;
/// Of these, those of one sender.
const MOST_OF_SENDER: usize = 8;
/// Lines of the lists of single targets in all; each keeps some 120 octets.
const MOST_OWN: usize = 1 << 17;

/// How often somebody said one thing instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PingErrors")]
pub struct Errors {
    /// What was said, in a few words; of a TLS alert the name that RFC 8446 §6 gives it.
    pub what: Cow<'static, str>,
    /// ICMP type (RFC 792, RFC 4443); absent of what a connection ended with.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<u8>,
    /// ICMP code (RFC 792, RFC 4443).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u8>,
    /// Who said it; null where the kernel does not tell, and of this host itself.
    pub from: Option<IpAddr>,
    /// It was this host itself, which did not send the packets: they count as `send_errors`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub local: bool,
    /// The MTU that packets were too large for (RFC 1191, RFC 4443 §3.2), as last told; absent where none was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu_bytes: Option<u32>,
    /// How often.
    pub count: u64,
}

impl Errors {
    /// An ICMP error about a packet to `target`, or to somebody.
    pub(super) fn icmp(icmp: &Icmp<'_>, target: Option<IpAddr>) -> Self {
        let is_ipv6 = icmp.from.or(target).is_some_and(|address| address.is_ipv6());
        let meaning = Meaning::of(Version::of(is_ipv6), icmp.kind, icmp.code);
        Self {
            kind: Some(icmp.kind),
            code: Some(icmp.code),
            from: icmp.from,
            mtu_bytes: Some(icmp.mtu).filter(|mtu| meaning == Meaning::TooBig && *mtu > 0),
            ..Self::of(meaning.text().into())
        }
    }

    /// This host did not send a packet, as error number `errno` says; it was too large for `mtu`, if that is why.
    pub(super) fn own(errno: i32, mtu: Option<u32>) -> Self {
        let what = match errno {
            EMSGSIZE => "message too long".into(),
            _ => reason(&io::Error::from_raw_os_error(errno)).into(),
        };
        Self { local: true, mtu_bytes: mtu, ..Self::of(what) }
    }

    /// The target at `from` ended a connection: `what`, in a few words.
    pub(super) fn ended(what: String, from: IpAddr) -> Self {
        Self { from: Some(from), ..Self::of(what.into()) }
    }

    const fn of(what: Cow<'static, str>) -> Self {
        Self { what, kind: None, code: None, from: None, local: false, mtu_bytes: None, count: 1 }
    }

    /// What was said, with the MTU.
    pub fn told(&self) -> String {
        self.mtu_bytes.map_or_else(|| self.what.to_string(), |mtu| format!("{} (mtu = {mtu})", self.what))
    }

    fn is_same(&self, other: &Self) -> bool {
        let of = |one: &Self| (one.kind, one.code, one.from, one.local);
        self.what == other.what && of(self) == of(other)
    }
}

/// The errors of a run: of all targets, and of each of several.
#[derive(Default)]
pub(super) struct Account {
    all: Vec<Errors>,
    own: HashMap<u32, Vec<Errors>>,
    /// Lines in all lists of `own`.
    lines: usize,
    /// Errors that have no line in `all`.
    unlisted: u64,
}

impl Account {
    /// Counts an error about a packet to the target of this index, if there are several. Where `opens` does not hold it has
    /// no line of its own, so that each packet brings one new line at most, however many errors are sent about it.
    pub(super) fn count(&mut self, target: Option<u32>, error: Errors, opens: bool) {
        if let Some(target) = target {
            let own = self.own.entry(target).or_insert_with(|| Vec::with_capacity(1));
            let before = own.len();
            add(own, error.clone(), opens && self.lines < MOST_OWN);
            self.lines += own.len() - before;
        }
        self.unlisted += add(&mut self.all, error, opens);
    }

    /// The errors of all targets, and how many errors are not among them.
    pub(super) fn take_all(&mut self) -> (Vec<Errors>, u64) {
        (std::mem::take(&mut self.all), self.unlisted)
    }

    /// The errors of one of several targets.
    pub(super) fn take_own(&mut self, target: u32) -> Vec<Errors> {
        self.own.remove(&target).unwrap_or_default()
    }
}

/// Counts `error` in `known`; how many errors then have lost their line, or got none.
fn add(known: &mut Vec<Errors>, error: Errors, opens: bool) -> u64 {
    if let Some(same) = known.iter_mut().find(|one| one.is_same(&error)) {
        same.count += error.count;
        same.mtu_bytes = error.mtu_bytes.or(same.mtu_bytes);
        return 0;
    }
    let sender = |one: &&Errors| (one.from, one.local) == (error.from, error.local);
    if !opens || known.iter().filter(sender).count() >= MOST_OF_SENDER {
        return error.count;
    }
    let mut lost = 0;
    if known.len() >= MOST {
        // What was said once, the longest ago, gives way: senders that are made up hardly come twice.
        let Some(once) = known.iter().position(|one| one.count == 1) else { return error.count };
        lost = known.remove(once).count;
    }
    known.push(error);
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    fn icmp(from: u32, code: u8) -> Errors {
        Errors {
            kind: Some(3),
            code: Some(code),
            from: Some(std::net::Ipv4Addr::from_bits(from).into()),
            ..Errors::of("Destination Host Unreachable".into())
        }
    }

    #[test]
    fn forged_senders_do_not_displace_who_says_a_thing_again() {
        let (mut account, router) = (Account::default(), icmp(1, 1));
        let mut forged = 1000..;
        let mut forge = |account: &mut Account, count: usize| {
            forged.by_ref().take(count).for_each(|from| account.count(None, icmp(from, 1), true));
        };
        forge(&mut account, 500);
        for _ in 0..10 {
            account.count(None, router.clone(), true);
            forge(&mut account, 20);
        }
        forge(&mut account, 500);
        // One who has many things to say has but a part of the list.
        (0..=255).for_each(|code| account.count(None, icmp(2, code), true));
        let (all, unlisted) = account.take_all();
        let told = all.iter().find(|one| one.from == router.from).expect("the router's line");
        assert_eq!((told.count, all.len()), (10, MOST));
        assert_eq!(all.iter().filter(|one| one.from == icmp(2, 0).from).count(), MOST_OF_SENDER);
        assert_eq!(all.iter().map(|one| one.count).sum::<u64>() + unlisted, 500 + 10 * 21 + 500 + 256);
    }

    #[test]
    fn the_lists_of_single_targets_are_bounded_together() {
        let mut account = Account::default();
        let most = MOST_OWN as u32;
        (0..most + 10).for_each(|target| account.count(Some(target), icmp(7, 1), true));
        account.count(Some(0), icmp(7, 1), true);
        assert_eq!((account.take_own(0)[0].count, account.take_own(most - 1).len()), (2, 1));
        assert_eq!(account.take_own(most + 5), []);
        assert_eq!(account.take_all().0[0].count, u64::from(most) + 11, "the whole of them is told");
    }
}

//! What answers mean: validation, hijacks, agreement, and which server is faster by more than chance. No I/O.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::report::{Server, Tls};
use super::sizes::{Came, LongAnswer, Sizes};
use crate::net::tls::Verdict;
use crate::stats::{holm, mann_whitney};
use crate::wire::dns::{Kind, Message};

/// What happens by chance less often than this is no chance.
const SIGNIFICANT: f64 = 0.05;
/// Aliases behind each other that are no longer usual.
const MANY_ALIASES: u64 = 10;
/// Octets of the longest message that travels in one packet over Ethernet and IPv4.
const ETHERNET: u64 = 1472;
/// Server failure (RFC 1035 §4.1.1).
const SERVFAIL: u16 = 2;

/// Whether what a resolver says is signed, and whether it looks. Nothing is validated here: these are the resolver's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dnssec {
    /// It has validated the answer (AD).
    Secure,
    /// It validates, and the name is not signed.
    Insecure,
    /// It refuses the name (SERVFAIL), and gives it when told not to check (CD).
    Bogus,
    /// It does not validate.
    Unsupported,
}

/// Something odd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ResolverFinding")]
pub struct Finding {
    /// What it is.
    pub id: FindingId,
    /// Of which server; null of all together.
    pub server: Option<String>,
    /// Why it matters, in one line.
    pub text: String,
}

/// What can be odd, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ResolverFindingId")]
pub enum FindingId {
    /// The certificate is not to be believed, and `--insecure` went on.
    Certificate,
    /// A name that cannot be has an address.
    Hijacked,
    /// The server refuses the name because it does not validate.
    Bogus,
    /// Replies came that were not to our queries.
    Mismatched,
    /// Some answers of a server that knows cookies bear none.
    CookieMissing,
    /// Servers say different things.
    Disagreement,
    /// Packets above a size vanish, and no router says why.
    BlackHole,
    /// Fragments are lost.
    FragmentsLost,
    /// Nothing came back.
    Silent,
    /// The server answers with an error.
    Error,
    /// A signature ends within a week.
    SignatureExpires,
    /// More than ten aliases behind each other.
    AliasChain,
    /// The case of letters is lost.
    CaseLost,
    /// The server does not take EDNS.
    EdnsRefused,
}

/// The verdict on `reply`, where `unchecked` is what came when the server was told not to check, and `root` what it says of the
/// root, which is signed.
pub(super) fn dnssec(reply: &Message, unchecked: Option<&Message>, root: Option<&Message>) -> Option<Dnssec> {
    if reply.code == SERVFAIL {
        let gives = unchecked.is_some_and(|reply| matches!(reply.code, 0 | 3));
        return gives.then_some(Dnssec::Bogus);
    }
    if !matches!(reply.code, 0 | 3) {
        return None;
    }
    if reply.ad {
        return Some(Dnssec::Secure);
    }
    let understands = reply.edns.as_ref().is_some_and(|edns| edns.dnssec);
    let signed = reply.answers.iter().chain(&reply.authority).any(|record| record.kind == Kind::RRSIG);
    match root {
        _ if !understands || signed => Some(Dnssec::Unsupported),
        Some(root) if root.ad => Some(Dnssec::Insecure),
        Some(_) => Some(Dnssec::Unsupported),
        None => None,
    }
}

/// Whether all of `replies` say the same, apart from order, TTL and signatures; `None` of fewer than two.
pub(super) fn agreement(replies: &[&Message]) -> Option<bool> {
    let said = |reply: &Message| -> (u16, BTreeSet<(u16, Vec<u8>)>) {
        let records = reply.answers.iter().filter(|record| record.kind != Kind::RRSIG);
        (reply.code, records.map(|record| (record.kind.0, record.data.to_ascii_lowercase())).collect())
    };
    let (first, others) = replies.split_first().filter(|(_, others)| !others.is_empty())?;
    let first = said(first);
    Some(others.iter().all(|reply| said(reply) == first))
}

/// Ranks `servers`, whose times are `times`, in seconds.
pub(super) fn rank(servers: &mut [Server], times: &[Vec<f64>]) {
    let works = |server: &Server| server.rcode.as_deref().is_some_and(is_answer) && !refers(server);
    let mut order: Vec<usize> = (0..servers.len()).filter(|n| servers[*n].query.is_some()).collect();
    let key = |n: &usize| {
        let server = &servers[*n];
        (!works(server), server.loss_ratio.unwrap_or(1.0), server.query.map(|query| query.p50))
    };
    order.sort_by(|one, other| {
        let (one, other) = (key(one), key(other));
        one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)).then(one.2.cmp(&other.2))
    });
    let Some((&first, others)) = order.split_first() else { return };
    let p: Vec<(usize, f64)> =
        others.iter().filter_map(|&n| Some((n, mann_whitney(&times[first], &times[n])?))).collect();
    let adjusted = holm(&p.iter().map(|(_, p)| *p).collect::<Vec<_>>());
    for ((n, _), p) in p.iter().zip(adjusted) {
        let slower = servers[*n].query.map(|query| query.p50) > servers[first].query.map(|query| query.p50);
        servers[*n].p_value = Some(p);
        servers[*n].significant = Some(slower && p < SIGNIFICANT);
    }
    for (place, n) in order.into_iter().enumerate() {
        servers[n].rank = u32::try_from(place + 1).ok();
    }
}

/// Whether a response code says something of the name.
fn is_answer(code: &str) -> bool {
    matches!(code, "NOERROR" | "NXDOMAIN" | "EAI_NONAME" | "EAI_NODATA")
}

/// Whether a server gives no answer but other servers: it neither is an authority nor offers recursion.
fn refers(server: &Server) -> bool {
    let neither = server.flags.is_some_and(|flags| !flags.aa && !flags.ra);
    neither && server.rcode.as_deref() == Some("NOERROR") && server.answers_total == Some(0)
}

/// What is odd about `servers`, the worst first; `now` is in seconds since 1970.
pub(super) fn findings(servers: &[Server], agreement: Option<bool>, now: i64) -> Vec<Finding> {
    let mut found: Vec<Finding> = servers.iter().flat_map(|server| of_server(server, now)).collect();
    if agreement == Some(false) {
        found.push(Finding {
            id: FindingId::Disagreement,
            server: None,
            text: "servers give different answers: by place (a CDN), by view, or one of them is wrong"
                .to_owned(),
        });
    }
    found.sort_by_key(|finding| finding.id);
    found
}

/// What is wrong with the certificate that `server` has shown, if something is.
pub(super) fn of_session(server: &str, session: Option<&Tls>) -> Option<Finding> {
    let tls = session.filter(|tls| tls.verify != Verdict::Ok)?;
    let what = match tls.verify {
        Verdict::Expired => "has expired",
        Verdict::NotYet => "is not valid yet",
        Verdict::Name => "is for another name",
        Verdict::Revoked => "has been revoked",
        _ => "is signed by nobody that is believed",
    };
    let text = format!("its certificate {what}: anybody may have answered for {}", tls.name);
    Some(Finding { id: FindingId::Certificate, server: Some(server.to_owned()), text })
}

fn of_server(server: &Server, now: i64) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(certificate) = of_session(&server.server, server.tls_session.as_ref()) {
        found.push(certificate);
    }
    let mut add = |id, text: String| found.push(Finding { id, server: Some(server.server.clone()), text });
    if let Some(absent) = server.absent.as_ref().filter(|absent| !absent.answers.is_empty()) {
        let lie = absent.answers.join(", ");
        add(
            FindingId::Hijacked,
            format!("{} cannot be, and it answers {lie}: mistyped names lead there", absent.name),
        );
    }
    if server.dnssec == Some(Dnssec::Bogus) {
        add(
            FindingId::Bogus,
            "it refuses the name, whose signatures are wrong, and gives it when told not to check".to_owned(),
        );
    }
    if server.counts.mismatched > 0 {
        let count = server.counts.mismatched;
        let wrong = server.cookies.map_or(0, |cookies| cookies.wrong);
        let wrong = if wrong > 0 { format!(", {wrong} of them by their cookie") } else { String::new() };
        add(
            FindingId::Mismatched,
            format!("{count} replies were not to our queries{wrong}: somebody guesses, or it errs"),
        );
    }
    if let Some(cookies) = server.cookies.filter(|cookies| cookies.right > 0 && cookies.missing > 0) {
        let (missing, all) = (cookies.missing, cookies.right + cookies.missing);
        add(
            FindingId::CookieMissing,
            format!(
                "{missing} of {all} answers bear no cookie though it knows them: several machines that differ, or somebody answers for it"
            ),
        );
    }
    if server.counts.sent > 0 && server.counts.received == 0 {
        add(FindingId::Silent, "no query was answered".to_owned());
    }
    match server.rcode.as_deref() {
        Some(code) if !is_answer(code) && server.dnssec != Some(Dnssec::Bogus) => {
            add(FindingId::Error, format!("it answers {code}"));
        }
        Some(_) if refers(server) => {
            add(FindingId::Error, "it refers to other servers: it does not resolve for us".to_owned());
        }
        _ => {}
    }
    for (id, text) in server.sizes.iter().flat_map(vanishing) {
        add(id, text);
    }
    if let Some(ends) = server.signature_expires {
        let left = ends.as_second() - now;
        if left < 7 * 86_400 {
            let when = if left < 0 {
                "has ended".to_owned()
            } else {
                format!("ends in {:.1} days", left as f64 / 86_400.0)
            };
            add(
                FindingId::SignatureExpires,
                format!("a signature in the answer {when}: validating resolvers then refuse the name"),
            );
        }
    }
    let aliases = server.answers.iter().filter(|record| record.kind == "CNAME").count() as u64;
    if aliases > MANY_ALIASES {
        add(
            FindingId::AliasChain,
            format!("{aliases} aliases behind each other: many resolvers give up before"),
        );
    }
    if server.case_preserved == Some(false) {
        add(
            FindingId::CaseLost,
            "it changes the case of letters, which would make forged replies harder to guess".to_owned(),
        );
    }
    if server.edns_refused {
        add(FindingId::EdnsRefused, "it does not take EDNS: large answers and DNSSEC need it".to_owned());
    }
    found
}

/// What is too long to get through over UDP, each way.
fn vanishing(sizes: &Sizes) -> Vec<(FindingId, String)> {
    let one_packet = sizes.one_packet_bytes.unwrap_or(ETHERNET);
    let ways = [
        ("queries", "on the way there", sizes.query_lost_bytes, sizes.query_bytes),
        ("answers", "on the way back", sizes.answer_lost_bytes, sizes.answer_bytes),
    ];
    let judge = |(what, way, lost, passes): (&str, &str, Option<u64>, Option<u64>)| {
        let lost = lost?;
        let passes = passes.map_or_else(String::new, |passes| format!(", those of {passes} arrive"));
        Some(if lost > one_packet {
            let text = format!("{what} of {lost} octets vanish {way}{passes}: fragments are lost");
            (FindingId::FragmentsLost, text)
        } else {
            let text = format!("{what} of {lost} octets vanish {way}{passes}: a black hole for long packets");
            (FindingId::BlackHole, text)
        })
    };
    let mut found: Vec<_> = ways.into_iter().filter_map(judge).collect();
    // An answer that does not come over TCP either meets what long packets meet.
    let unknown =
        sizes.answers.iter().find(|answer| answer.came == Came::Lost && answer.whole_bytes.is_none());
    if let Some(LongAnswer { name, kind, .. }) = unknown {
        let text = format!(
            "the long answer to {name} {kind} vanishes on the way back, over TCP too: a black hole for long packets"
        );
        found.push((FindingId::BlackHole, text));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::report::Flags;
    use super::super::server::Transport;
    use super::*;
    use crate::probe::Rtt;
    use crate::wire::dns::{Edns, Name, Question, Record};
    use std::time::Duration;

    fn reply(code: u16, ad: bool, signed: bool) -> Message {
        let question = Question { name: Name::root(), kind: Kind::A };
        let record = |kind, data| Record { name: Name::root(), kind, class: 1, ttl: 60, data };
        let mut reply = Message { code, ad, ..Message::empty(question) };
        reply.edns = Some(Edns { dnssec: true, ..Edns::default() });
        reply.answers.push(record(Kind::A, vec![192, 0, 2, 1]));
        if signed {
            reply.answers.push(record(Kind::RRSIG, vec![0; 20]));
        }
        reply
    }

    #[test]
    fn bogus_is_what_comes_only_unchecked() {
        let (good, bad, secure) = (reply(0, false, false), reply(2, false, false), reply(0, true, true));
        for (asked, unchecked, root, expected) in [
            (&secure, None, None, Some(Dnssec::Secure)),
            (&bad, Some(&good), None, Some(Dnssec::Bogus)),
            (&bad, Some(&bad), None, None),
            (&bad, None, None, None),
            (&good, None, Some(&secure), Some(Dnssec::Insecure)),
            (&good, None, Some(&good), Some(Dnssec::Unsupported)),
            (&good, None, None, None),
            (&reply(0, false, true), None, Some(&secure), Some(Dnssec::Unsupported)),
            (&Message { edns: None, ..good.clone() }, None, Some(&secure), Some(Dnssec::Unsupported)),
            (&reply(5, false, false), None, Some(&secure), None),
        ] {
            assert_eq!(dnssec(asked, unchecked, root), expected);
        }
    }

    #[test]
    fn agreement_is_of_data_alone() {
        let (one, signed) = (reply(0, false, false), reply(0, true, true));
        let mut other = one.clone();
        other.answers[0].ttl = 7;
        assert_eq!(agreement(&[&one, &signed, &other]), Some(true));
        other.answers[0].data[3] = 9;
        assert_eq!(agreement(&[&one, &other]), Some(false));
        assert_eq!(agreement(&[&one]), None);
    }

    #[test]
    fn what_vanishes_is_a_hole_or_fragments() {
        let sizes = |lost, back| Sizes {
            one_packet_bytes: Some(1472),
            query_bytes: Some(1372),
            query_lost_bytes: lost,
            answer_lost_bytes: back,
            ..Sizes::default()
        };
        let ids = |sizes: &Sizes| vanishing(sizes).iter().map(|(id, _)| *id).collect::<Vec<_>>();
        assert_eq!(ids(&sizes(Some(1373), None)), [FindingId::BlackHole]);
        assert_eq!(ids(&sizes(None, Some(1473))), [FindingId::FragmentsLost]);
        assert_eq!(ids(&sizes(Some(1472), Some(3000))), [FindingId::BlackHole, FindingId::FragmentsLost]);
        assert_eq!(ids(&sizes(None, None)), []);
        let (_, text) = vanishing(&sizes(Some(1373), None)).remove(0);
        assert_eq!(
            text,
            "queries of 1373 octets vanish on the way there, those of 1372 arrive: a black hole for long packets"
        );
    }

    #[test]
    fn a_rank_says_whether_it_is_chance() {
        let times = |from: u64, step: u64, loss: f64, code: &str| {
            let times: Vec<Duration> = (0..10).map(|n| Duration::from_micros(from + n * step)).collect();
            let samples: Vec<(u64, Duration)> = (0..).zip(times.iter().copied()).collect();
            let mut server = Server::unasked("s".to_owned(), Transport::Udp);
            (server.query, server.loss_ratio, server.rcode) =
                (Rtt::of(&samples), Some(loss), Some(code.to_owned()));
            (server, times.iter().map(Duration::as_secs_f64).collect::<Vec<_>>())
        };
        let (mut servers, samples): (Vec<_>, Vec<_>) = [
            times(5000, 100, 0.0, "NOERROR"),
            times(1000, 100, 0.0, "NOERROR"),
            times(1050, 100, 0.0, "NOERROR"),
            times(10, 1, 0.0, "SERVFAIL"),
            times(10, 1, 0.5, "NOERROR"),
        ]
        .into_iter()
        .unzip();
        let (mut root, fast) = times(1, 1, 0.0, "NOERROR");
        let none = Flags { aa: false, tc: false, rd: true, ra: false, ad: false, cd: false };
        (root.flags, root.answers_total) = (Some(none), Some(0));
        servers.extend([root, Server::unasked("silent".to_owned(), Transport::Udp)]);
        rank(&mut servers, &[samples, vec![fast, Vec::new()]].concat());
        let ranks: Vec<_> = servers.iter().map(|server| server.rank).collect();
        assert_eq!(ranks, [Some(3), Some(1), Some(2), Some(6), Some(4), Some(5), None]);
        let significant: Vec<_> = servers.iter().map(|server| server.significant).collect();
        assert_eq!(significant, [Some(true), None, Some(false), Some(false), Some(false), Some(false), None]);
    }
}

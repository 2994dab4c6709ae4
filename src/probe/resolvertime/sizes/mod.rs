//! Which sizes get through over UDP (`--sizes`): padded queries on the way there, large answers on the way back.
//!
//! A query can be made as long as one likes (RFC 7830), so the largest that is answered is found to the octet. How long an
//! answer is depends on what is asked; several questions whose answers tend to be long are asked, and each tells whether
//! its answer came whole, cut (TC), or not at all. Nothing is called lost before it was sent several times while a small
//! query was answered.

mod ladder;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::client::{Client, Reply, Unanswered, one_packet};
use super::server::Transport;
use crate::wire::dns::{Kind, Name, Question};
use ladder::Ladder;

/// The smallest size: what every server takes (RFC 1035 §4.2.1).
const LEAST: u16 = 512;
/// What gets through nearly everywhere (DNS flag day 2020).
const USUAL: u16 = 1232;
/// The largest query that is tried, and room for an answer that is accepted at least.
const MOST: u16 = 4096;
/// How often a question is sent before it is lost, and the time between two of these.
const COPIES: u32 = 4;
const APART: Duration = Duration::from_millis(50);
/// The shortest time that an answer is given.
const LEAST_PATIENCE: Duration = Duration::from_millis(250);
/// How often that is begun again, when a router has said that a packet was too large, or a small query was lost too.
const ROUNDS: u32 = 3;
/// Packets of a search, about, where most of what is long is lost.
pub(super) const PACKETS: u64 = 200;
/// ANY, TXT and DNSKEY (RFC 1035 §3.2.3 and §3.3.14, RFC 4034 §2): what long answers are to.
const LONG: [Kind; 3] = [Kind(255), Kind(16), Kind(48)];

/// Which sizes get through over UDP. Sizes are octets of DNS messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DnsSizes")]
pub struct Sizes {
    /// The longest message that travels in one packet, as far as this host knows; null where it does not.
    pub one_packet_bytes: Option<u64>,
    /// The longest query that was answered, of 4,096 octets at most; null where none was.
    pub query_bytes: Option<u64>,
    /// The shortest above it that never was, while small ones were; null where the longest was answered.
    pub query_lost_bytes: Option<u64>,
    /// The longest answer that came; null where none was asked for that is longer than 512 octets.
    pub answer_bytes: Option<u64>,
    /// The shortest answer that never came, though small ones did; null where all came, or its length cannot be known.
    pub answer_lost_bytes: Option<u64>,
    /// The shortest answer that the server cut, though more was accepted; null where it cut none.
    pub answer_cut_bytes: Option<u64>,
    /// Each question whose answer is longer than 512 octets, by the size that was accepted.
    pub answers: Vec<LongAnswer>,
}

/// What came of a question with a long answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DnsLongAnswer")]
pub struct LongAnswer {
    /// The name.
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Octets of the whole answer, as it came over TCP; null where it did not.
    pub whole_bytes: Option<u64>,
    /// Octets that were accepted (EDNS).
    pub accepted_bytes: u64,
    /// What came.
    pub came: Came,
    /// Octets of what came; null of nothing.
    pub came_bytes: Option<u64>,
}

/// What came of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "DnsLongAnswerFate")]
pub enum Came {
    /// All of it.
    Whole,
    /// A message that says that it was cut (TC).
    Cut,
    /// Nothing, several times, while small answers came.
    Lost,
    /// Nothing, and small answers did not come either.
    Unclear,
}

/// A question that was sent several times.
enum Sent {
    Answered(Box<Reply>),
    Lost,
    /// Small ones are lost, too.
    Unclear,
}

/// Finds out what gets through to the server of `client` and back, where `question` is the run's and answers have taken
/// `usual` so far. `None` of a server that is not asked over UDP.
pub(super) async fn find(
    client: &Client,
    question: &Question,
    usual: Duration,
    timeout: Duration,
) -> Option<Sizes> {
    if client.spec.transport != Transport::Udp {
        return None;
    }
    let patience = (usual * 3).max(LEAST_PATIENCE).min(timeout);
    let one_packet = one_packet(client.peer, &client.asking);
    let search = Search { client, small: small(question), patience };
    let mut found = Sizes { one_packet_bytes: one_packet.map(u64::from), ..Sizes::default() };
    if search.queries(one_packet, &mut found).await {
        for question in long(question) {
            search.answers(&question, timeout, &mut found).await;
        }
    }
    Some(found)
}

/// What is asked where any answer will do: it says little of any name.
fn small(question: &Question) -> Question {
    Question { name: question.name.clone(), kind: Kind::SOA }
}

/// Questions whose answers tend to be long: about the name, the top of its domain, and the root.
fn long(question: &Question) -> Vec<Question> {
    let mut top = question.name.clone();
    while let Some(parent) = top.parent().filter(|parent| !parent.is_root()) {
        top = parent;
    }
    let asked = |name: &Name, kind| Question { name: name.clone(), kind };
    let mut all = vec![question.clone()];
    all.extend(LONG.map(|kind| asked(&question.name, kind)));
    all.push(asked(&top, LONG[2]));
    all.extend([LONG[2], Kind::NS].map(|kind| asked(&Name::root(), kind)));
    let mut different: Vec<Question> = Vec::new();
    for question in all {
        if !different.contains(&question) {
            different.push(question);
        }
    }
    different
}

struct Search<'a> {
    client: &'a Client,
    small: Question,
    patience: Duration,
}

impl Search<'_> {
    /// The same server, asked without TCP behind it, by queries of `pad` octets, accepting answers of `accepted`.
    fn padded(&self, pad: Option<u16>, accepted: u16) -> Client {
        self.client.asking(|asking| {
            (asking.pad, asking.bufsize) = (pad, Some(accepted));
            (asking.ignore_truncation, asking.dnssec) = (true, pad.is_none());
        })
    }

    /// The longest query that is answered. Whether that is clear: not where small ones are lost, too.
    async fn queries(&self, one_packet: Option<u16>, found: &mut Sizes) -> bool {
        let mut rungs = vec![LEAST, USUAL, 2048, MOST];
        rungs.extend(one_packet.map(|most| most.clamp(LEAST, MOST)));
        let mut ladder = Ladder::new(rungs);
        while let Some(size) = ladder.next() {
            match self.send(&self.padded(Some(size), LEAST), &self.small).await {
                Sent::Answered(_) => ladder.tell(size, true),
                Sent::Lost => ladder.tell(size, false),
                Sent::Unclear => return false,
            }
        }
        found.query_bytes = ladder.passes().map(u64::from);
        found.query_lost_bytes = ladder.fails().map(u64::from);
        true
    }

    /// Whether the answer to `question` comes.
    async fn answers(&self, question: &Question, timeout: Duration, found: &mut Sizes) {
        // Whoever has to find it out first is given time for that.
        let mut stream = self.padded(None, MOST).over(Transport::Tcp);
        let whole = stream.ask(question, timeout).await.result.ok().map(|reply| reply.bytes as u64);
        if whole.is_none() {
            self.padded(None, LEAST).ask(question, timeout).await;
        }
        match self.send(&self.padded(None, LEAST), question).await {
            Sent::Answered(reply) if reply.message.tc => {}
            // It is short, or there is none of any length.
            _ => return,
        }
        let enough = whole.and_then(|whole| u16::try_from(whole).ok()).unwrap_or(MOST).max(MOST);
        for accepted in [USUAL, enough] {
            let mut sent = self.send(&self.padded(None, accepted), question).await;
            if matches!(sent, Sent::Lost) {
                sent = self.send(&self.padded(None, accepted), question).await;
            }
            let (came, bytes) = match &sent {
                Sent::Answered(reply) if reply.message.tc => (Came::Cut, Some(reply.bytes as u64)),
                Sent::Answered(reply) => (Came::Whole, Some(reply.bytes as u64)),
                Sent::Lost => (Came::Lost, None),
                Sent::Unclear => (Came::Unclear, None),
            };
            found.take(LongAnswer {
                name: question.name.to_string(),
                kind: question.kind.to_string(),
                whole_bytes: whole,
                accepted_bytes: accepted.into(),
                came,
                came_bytes: bytes,
            });
            if came == Came::Whole {
                return;
            }
        }
    }

    /// Sends `question` several times, until it is answered.
    async fn send(&self, client: &Client, question: &Question) -> Sent {
        for _ in 0..ROUNDS {
            let (answer, too_large) = copies(client, question, self.patience).await;
            if let Some(reply) = answer {
                return Sent::Answered(Box::new(reply));
            }
            // The system cuts into fragments what is still too large, now that it knows.
            if too_large {
                continue;
            }
            if copies(&self.padded(None, LEAST), &self.small, self.patience).await.0.is_some() {
                return Sent::Lost;
            }
        }
        Sent::Unclear
    }
}

/// Sends copies of one question, each a little later: the first answer, and whether a router said that it was too large.
async fn copies(client: &Client, question: &Question, patience: Duration) -> (Option<Reply>, bool) {
    let mut under_way = JoinSet::new();
    for n in 0..COPIES {
        let (mut client, question) = (client.again(), question.clone());
        under_way.spawn(async move {
            sleep(APART * n).await;
            client.ask(&question, patience).await.result
        });
    }
    let mut too_large = false;
    while let Some(done) = under_way.join_next().await {
        match done {
            Ok(Ok(reply)) => return (Some(reply), too_large),
            Ok(Err(Unanswered::Icmp(icmp))) => {
                too_large |=
                    matches!((client.peer.is_ipv6(), icmp.kind, icmp.code), (false, 3, 4) | (true, 2, _));
            }
            _ => {}
        }
    }
    (None, too_large)
}

impl Sizes {
    fn take(&mut self, answer: LongAnswer) {
        let least = |one: Option<u64>, other: Option<u64>| one.into_iter().chain(other).min();
        match answer.came {
            Came::Whole => self.answer_bytes = self.answer_bytes.max(answer.came_bytes),
            Came::Cut if answer.whole_bytes <= Some(answer.accepted_bytes) => {
                self.answer_cut_bytes = least(self.answer_cut_bytes, answer.whole_bytes);
            }
            Came::Lost => self.answer_lost_bytes = least(self.answer_lost_bytes, answer.whole_bytes),
            Came::Cut | Came::Unclear => {}
        }
        self.answers.push(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_long_question_is_asked_once() {
        let asked = |name: &str, kind| {
            let question = Question { name: Name::parse(name).expect("a name"), kind };
            long(&question).iter().map(|one| format!("{} {}", one.name, one.kind)).collect::<Vec<_>>()
        };
        let of_name =
            ["www.a.example. A", "www.a.example. ANY", "www.a.example. TXT", "www.a.example. DNSKEY"];
        let others = ["example. DNSKEY", ". DNSKEY", ". NS"];
        assert_eq!(asked("www.a.example", Kind::A), [&of_name[..], &others].concat());
        assert_eq!(asked(".", Kind::NS), [". NS", ". ANY", ". TXT", ". DNSKEY"]);
    }

    #[test]
    fn sums_are_of_what_is_known() {
        let answer = |whole, accepted, came, bytes| LongAnswer {
            name: "a.".to_owned(),
            kind: "TXT".to_owned(),
            whole_bytes: whole,
            accepted_bytes: accepted,
            came,
            came_bytes: bytes,
        };
        let mut found = Sizes::default();
        for one in [
            answer(Some(3000), 1232, Came::Cut, Some(60)),
            answer(Some(3000), 4096, Came::Lost, None),
            answer(Some(2000), 4096, Came::Lost, None),
            answer(None, 4096, Came::Lost, None),
            answer(Some(900), 1232, Came::Whole, Some(900)),
            answer(Some(1100), 1232, Came::Whole, Some(1100)),
            answer(Some(1500), 4096, Came::Cut, Some(70)),
            answer(Some(5000), 5000, Came::Unclear, None),
        ] {
            found.take(one);
        }
        let Sizes { answer_bytes, answer_lost_bytes, answer_cut_bytes, answers, .. } = found;
        assert_eq!((answer_bytes, answer_lost_bytes, answer_cut_bytes), (Some(1100), Some(2000), Some(1500)));
        assert_eq!(answers.len(), 8);
    }
}

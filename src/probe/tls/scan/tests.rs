//! Scans of servers made of a few lists, which answer as the RFCs say.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::failure::Class;

/// A server, by what it offers.
#[derive(Clone, Debug, Default)]
struct Server {
    /// Versions, each with its suites in the server's order.
    suites: Vec<(u16, Vec<u16>)>,
    groups: Vec<u16>,
    signatures: Vec<u16>,
    /// It chooses by its own order, not by the client's.
    decides: bool,
    knows_fallback: bool,
    speaks_ssl2: bool,
    /// It says nothing to what is not TLS 1.2.
    is_silent: bool,
    /// It is not there.
    is_gone: bool,
    /// It hangs up on each question, the first time it hears it: those that it has heard.
    is_moody: Option<Arc<Mutex<HashSet<Vec<u8>>>>>,
}

/// What a ClientHello offers.
struct Asked {
    version: u16,
    suites: Vec<u16>,
    groups: Vec<u16>,
    signatures: Vec<u16>,
    has_share: bool,
}

fn word(octets: &[u8]) -> u16 {
    u16::from_be_bytes([octets[0], octets[1]])
}

fn words(octets: &[u8]) -> Vec<u16> {
    octets.chunks_exact(2).map(word).collect()
}

fn read(hello: &[u8]) -> Asked {
    let body = &hello[9..];
    let length = usize::from(word(&body[35..]));
    let suites = words(&body[37..37 + length]);
    let mut asked =
        Asked { version: word(body), suites, groups: Vec::new(), signatures: Vec::new(), has_share: false };
    let compression = body[37 + length..].first().map_or(0, |count| usize::from(*count));
    let mut left = body.get(37 + length + 1 + compression + 2..).unwrap_or_default();
    while left.len() > 3 {
        let (kind, end) = (word(left), 4 + usize::from(word(&left[2..])));
        match kind {
            10 => asked.groups = words(&left[6..end]),
            13 => asked.signatures = words(&left[6..end]),
            51 => asked.has_share = word(&left[4..]) > 0,
            43 => asked.version = word(&left[5..]),
            _ => {}
        }
        left = &left[end..];
    }
    asked
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u32).to_be_bytes()[1..], body].concat()
}

impl Server {
    fn answer(&self, hello: &[u8]) -> Answer {
        let mut flight = Flight::default();
        flight.push(&self.said(hello)).expect("an answer");
        Answer::Said(Box::new(flight))
    }

    fn said(&self, hello: &[u8]) -> Vec<u8> {
        let refusal = |alert| vec![21, 3, 3, 0, 2, 2, alert];
        if hello[0] & 0x80 != 0 {
            return if self.speaks_ssl2 { vec![0x80, 40, 4, 0, 1, 0, 2] } else { Vec::new() };
        }
        let asked = read(hello);
        // Servers before TLS 1.3 choose the best that is not above what is offered.
        let best = self.suites.iter().map(|(version, _)| *version).max().unwrap_or(0);
        let found =
            self.suites.iter().filter(|(version, _)| *version <= asked.version).max_by_key(|(v, _)| *v);
        let Some((version, own)) = found else { return refusal(70) };
        if self.knows_fallback && asked.suites.contains(&FALLBACK_SCSV) && asked.version < best {
            return refusal(86);
        }
        let (ours, theirs) = if self.decides { (own, &asked.suites) } else { (&asked.suites, own) };
        let Some(suite) = ours.iter().find(|suite| theirs.contains(suite)) else { return refusal(40) };
        let exchange = Suite(*suite).exchange();
        let group = self.groups.iter().find(|group| asked.groups.contains(group));
        let signature = self.signatures.iter().find(|signature| asked.signatures.contains(signature));
        let needs_group = *version == TLS1_3 || exchange.starts_with("ECDH");
        if needs_group && group.is_none() {
            return refusal(40);
        }
        if *version == TLS1_3 && asked.has_share && signature.is_none() {
            return refusal(40);
        }
        let group = group.copied().unwrap_or(0);
        let mut extensions = vec![0xff, 1, 0, 1, 0];
        if *version == TLS1_3 {
            extensions = [&[0, 43, 0, 2, 3, 4, 0, 51, 0, 2][..], &group.to_be_bytes()].concat();
        }
        let mut body = (*version).min(TLS1_2).to_be_bytes().to_vec();
        body.extend([1; 32]);
        body.push(0);
        body.extend(suite.to_be_bytes());
        body.push(0);
        body.extend((extensions.len() as u16).to_be_bytes());
        body.extend(extensions);
        let mut flight = message(2, &body);
        if *version < TLS1_3 {
            let mut keys = match exchange.as_str() {
                _ if exchange.starts_with("ECDHE") => [&[3][..], &group.to_be_bytes(), &[1, 9]].concat(),
                _ if exchange.starts_with("DHE") => {
                    [&[0, 128, 0xff][..], &[7; 127], &[0, 1, 2, 0, 1, 5]].concat()
                }
                _ => Vec::new(),
            };
            if !keys.is_empty() {
                if exchange.contains("PSK") {
                    // No hint of the key's name, and no signature.
                    keys.splice(0..0, [0, 0]);
                } else if *version == TLS1_2 {
                    let Some(signature) = signature else { return refusal(40) };
                    keys.extend(signature.to_be_bytes());
                }
                flight.extend(message(12, &keys));
            }
            flight.extend(message(14, &[]));
        }
        [&[22, 3, 3][..], &(flight.len() as u16).to_be_bytes(), &flight].concat()
    }
}

impl Ask for Server {
    async fn ask(&self, hello: &[u8]) -> Answer {
        if self.is_gone {
            return Answer::Unreached(Class::Refused.because("gone"));
        }
        let is_new =
            |heard: &Arc<Mutex<HashSet<Vec<u8>>>>| heard.lock().expect("a set").insert(hello.to_vec());
        if self.is_moody.as_ref().is_some_and(is_new) {
            return Answer::Said(Box::default());
        }
        if self.is_silent && (hello[0] & 0x80 != 0 || read(hello).version != TLS1_2) {
            return Answer::Silent;
        }
        self.answer(hello)
    }
}

fn scanned(server: &Server) -> Scan {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let plan = Plan {
        name: Some("h.example".to_owned()),
        apart: Duration::ZERO,
        end: clock::now().mono + Duration::from_secs(3600),
        stop: CancellationToken::new(),
    };
    runtime.expect("a runtime").block_on(scan(server.clone(), plan))
}

fn suites_of(scan: &Scan, version: &str) -> Vec<String> {
    scan.suites.iter().filter(|suite| suite.version == version).map(|suite| suite.suite.clone()).collect()
}

fn names(suites: &[u16]) -> Vec<String> {
    suites.iter().map(|suite| Suite(*suite).name()).collect()
}

#[test]
fn a_server_of_many_kinds_is_known_altogether() {
    let new = vec![0x1302, 0x1301];
    let old = vec![0xc030, 0x009e, 0x0035, 0x000a];
    let server = Server {
        suites: vec![(TLS1_3, new.clone()), (TLS1_2, old.clone()), (SSL3, vec![0x0005])],
        groups: vec![0x11ec, 29, 23],
        signatures: vec![0x0804, 0x0201],
        decides: true,
        knows_fallback: true,
        ..Server::default()
    };
    let found = scanned(&server);
    let versions = Versions {
        sslv2: Some(false),
        sslv3: Some(true),
        tlsv1_0: Some(false),
        tlsv1_1: Some(false),
        tlsv1_2: Some(true),
        tlsv1_3: Some(true),
    };
    assert_eq!(found.versions, versions);
    assert_eq!((suites_of(&found, "TLSv1.3"), suites_of(&found, "TLSv1.2")), (names(&new), names(&old)));
    assert_eq!(suites_of(&found, "SSLv3"), ["TLS_RSA_WITH_RC4_128_SHA"]);
    let groups: Vec<(&str, usize)> =
        found.groups.iter().map(|group| (group.group.as_str(), group.versions.len())).collect();
    assert_eq!(groups, [("X25519MLKEM768", 2), ("x25519", 2), ("secp256r1", 2)]);
    assert_eq!(found.signatures, ["rsa_pss_rsae_sha256", "rsa_pkcs1_sha1"]);
    assert_eq!(found.newer_signatures, Some(vec!["rsa_pss_rsae_sha256".to_owned()]));
    assert_eq!((found.server_order, found.fallback_scsv), (Some(true), Some(true)));
    assert_eq!((found.secure_renegotiation, found.compression), (Some(true), Some(false)));
    assert_eq!(found.suites.iter().filter_map(|suite| suite.dh_bits).collect::<Vec<_>>(), [1024]);
    assert_eq!((found.unanswered, found.incomplete.as_deref()), (0, None));
    let led = scanned(&Server { decides: false, knows_fallback: false, speaks_ssl2: true, ..server });
    assert_eq!(
        (led.server_order, led.fallback_scsv, led.versions.sslv2),
        (Some(false), Some(false), Some(true))
    );
}

#[test]
fn silence_is_no_answer_and_is_not_asked_for_ever() {
    let server = Server {
        suites: vec![(TLS1_2, vec![0xc030])],
        groups: vec![29],
        signatures: vec![0x0804],
        ..Server::default()
    };
    let half = scanned(&Server { is_silent: true, ..server.clone() });
    assert_eq!((half.versions.tlsv1_2, half.versions.sslv3), (Some(true), None));
    let gone = scanned(&Server { is_gone: true, ..server });
    assert_eq!(gone.versions, Versions::default());
    assert!(gone.incomplete.is_some_and(|why| why.contains("got no answer")) && gone.questions < 20);
}

#[test]
fn who_hangs_up_is_asked_again() {
    let suites = vec![0xc030, 0x009e, 0x0035];
    let server = Server {
        suites: vec![(TLS1_2, suites.clone())],
        groups: vec![29],
        signatures: vec![0x0804],
        decides: true,
        is_moody: Some(Arc::default()),
        ..Server::default()
    };
    assert_eq!(suites_of(&scanned(&server), "TLSv1.2"), names(&suites));
}

#[test]
fn a_wish_to_end_ends_it() {
    let plan = Plan {
        name: None,
        apart: Duration::from_secs(1),
        end: clock::now().mono + Duration::from_secs(3600),
        stop: CancellationToken::new(),
    };
    plan.stop.cancel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let found = runtime.block_on(scan(Server::default(), plan));
    assert_eq!((found.incomplete.as_deref(), found.questions), (Some("interrupted"), 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn whatever_a_server_offers_is_found(
        tls12 in prop::sample::subsequence(Suite::all(TLS1_2), 0..12).prop_shuffle(),
        tls10 in prop::sample::subsequence(Suite::all(TLS1_0), 0..5).prop_shuffle(),
        tls13 in prop::sample::subsequence(Suite::all(TLS1_3), 0..5).prop_shuffle(),
        groups in prop::sample::subsequence(GROUPS.map(|(group, _)| group).to_vec(), 1..6),
        decides: bool,
    ) {
        let all = [(TLS1_3, tls13), (TLS1_2, tls12), (TLS1_0, tls10)];
        let offered = all.iter().filter(|(_, suites)| !suites.is_empty()).cloned().collect();
        let signatures = SIGNATURES.map(|(signature, _)| signature).to_vec();
        let found = scanned(&Server { suites: offered, groups, signatures, decides, ..Server::default() });
        for (version, expected) in &all {
            let (mut ours, mut theirs) = (suites_of(&found, &version_name(*version)), names(expected));
            ours.sort();
            theirs.sort();
            prop_assert_eq!(ours, theirs);
        }
    }
}

//! What is weak among what a scan has found. Nothing is asked here.

use super::report::Scan;
use crate::probe::Severity::{self, Critical, Info, Warning};
use crate::wire::tls::{Suite, is_post_quantum};

/// Bits of a Diffie-Hellman prime that nobody breaks (RFC 7919 §1), and those that a state can (weakdh.org).
const DH_BITS: [u16; 2] = [2048, 1024];

/// What is weak, by testssl.sh's identifiers.
pub(super) fn weaknesses(scan: &Scan) -> Vec<(Severity, &'static str, String)> {
    let mut list = Vec::new();
    versions(scan, &mut list);
    suites(scan, &mut list);
    exchanges(scan, &mut list);
    if scan.secure_renegotiation == Some(false) {
        let text = "it does not renegotiate safely (RFC 5746): others can put words before a client's";
        list.push((Warning, "secure_renego", text.to_owned()));
    }
    if scan.compression == Some(true) {
        let text = "it compresses, which gives secrets away (CRIME)";
        list.push((Warning, "CRIME_TLS", text.to_owned()));
    }
    if scan.heartbeat == Some(true) {
        list.push((Info, "heartbeat", "it answers heartbeats, which nobody needs over TCP".to_owned()));
    }
    if scan.fallback_scsv == Some(false) {
        let old = [scan.versions.tlsv1_1, scan.versions.tlsv1_0, scan.versions.sslv3].contains(&Some(true));
        let text = "it does not refuse clients that were made to fall back to an older version (RFC 7507)";
        list.push((if old { Warning } else { Info }, "fallback_SCSV", text.to_owned()));
    }
    list
}

/// What a suite may be.
type Is<'a> = &'a dyn Fn(Suite) -> bool;

type List = Vec<(Severity, &'static str, String)>;

fn versions(scan: &Scan, list: &mut List) {
    let of = &scan.versions;
    for (is_offered, severity, id, text) in [
        (of.sslv2, Critical, "SSLv2", "it offers SSLv2, which protects nothing (RFC 6176)"),
        (of.sslv3, Critical, "SSLv3", "it offers SSLv3, which is broken (POODLE, RFC 7568)"),
        (of.tlsv1_0, Warning, "TLS1", "it offers TLSv1.0, which is deprecated (RFC 8996)"),
        (of.tlsv1_1, Warning, "TLS1_1", "it offers TLSv1.1, which is deprecated (RFC 8996)"),
    ] {
        if is_offered == Some(true) {
            list.push((severity, id, text.to_owned()));
        }
    }
    if of.tlsv1_3 == Some(false) && of.tlsv1_2 == Some(true) {
        list.push((
            Info,
            "TLS1_3",
            "it does not offer TLSv1.3: its handshakes take a round trip more".to_owned(),
        ));
    }
}

fn suites(scan: &Scan, list: &mut List) {
    // Each once, in whatever versions.
    let mut known: Vec<Suite> = Vec::new();
    for suite in scan.suites.iter().map(|offered| Suite(offered.code)) {
        if !known.contains(&suite) {
            known.push(suite);
        }
    }
    let among = |is: Is<'_>| -> Vec<String> {
        known.iter().filter(|suite| is(**suite)).map(|suite| suite.name()).collect()
    };
    let kinds: [(Severity, &str, &str, Is<'_>); 7] = [
        (Critical, "cipherlist_NULL", "encrypt nothing", &Suite::is_null),
        (Critical, "cipherlist_aNULL", "let anybody pose as the server", &Suite::is_anonymous),
        (Critical, "cipherlist_EXPORT", "were made weak for export", &Suite::is_export),
        (Critical, "cipherlist_LOW", "have keys that can be tried out", &|suite| {
            (1..112).contains(&suite.bits()) && !suite.is_export()
        }),
        (Warning, "RC4", "use RC4, which is broken (RFC 7465)", &Suite::is_rc4),
        (Warning, "SWEET32", "have blocks of 64 bits, which repeat too soon", &|suite| {
            suite.is_of_small_blocks() && suite.bits() >= 112
        }),
        (Info, "LUCKY13", "use CBC, whose padding has leaked again and again", &Suite::is_cbc),
    ];
    let mut weak = 0;
    for (severity, id, text, is) in kinds {
        let found = among(is);
        if let Some(first) = found.first() {
            let more = if found.len() > 1 { format!(" and {} more", found.len() - 1) } else { String::new() };
            list.push((severity, id, format!("it offers suites that {text}: {first}{more}")));
            weak += usize::from(severity != Info);
        }
    }
    if scan.server_order == Some(false) && weak > 0 {
        let text = "it lets clients choose among its suites, of which some are weak";
        list.push((Warning, "cipher_order", text.to_owned()));
    }
    let open = among(&|suite| !suite.is_forward_secret());
    if !open.is_empty() {
        let (severity, who) = if open.len() == known.len() { (Warning, "all") } else { (Info, "some") };
        let text = format!(
            "{who} of its suites are without forward secrecy: who gets its key reads what was recorded"
        );
        list.push((severity, "FS", text));
    }
}

fn exchanges(scan: &Scan, list: &mut List) {
    if let Some(bits) =
        scan.suites.iter().filter_map(|suite| suite.dh_bits).min().filter(|bits| *bits < DH_BITS[0])
    {
        let severity = if bits < DH_BITS[1] { Critical } else { Warning };
        list.push((
            severity,
            "DH_groups",
            format!("its Diffie-Hellman prime has {bits} bits: that can be broken"),
        ));
    }
    let is_new = scan.versions.tlsv1_3 == Some(true) && !scan.groups.is_empty();
    if is_new && !scan.groups.iter().any(|group| is_post_quantum(&group.group)) {
        let text =
            "it offers no group that holds against quantum computers: what is recorded now may be read later";
        list.push((Info, "FS_KEMs", text.to_owned()));
    }
    let old: Vec<&str> = scan
        .signatures
        .iter()
        .map(String::as_str)
        .filter(|name| name.ends_with("sha1") || name.ends_with("md5"))
        .collect();
    if let Some(first) = old.first() {
        let text = format!("it signs by {first} for clients that ask for it, which can be forged");
        list.push((Info, "FS_TLS12_sig_algs", text));
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::{Group, Offered, Versions};
    use super::*;

    fn offered(code: u16, dh_bits: Option<u16>) -> Offered {
        let suite = Suite(code);
        Offered {
            version: "TLSv1.2".to_owned(),
            suite: suite.name(),
            code,
            bits: suite.bits(),
            group: None,
            dh_bits,
        }
    }

    fn ids(scan: &Scan) -> Vec<(Severity, &'static str)> {
        weaknesses(scan).into_iter().map(|(severity, id, _)| (severity, id)).collect()
    }

    #[test]
    fn a_good_server_is_left_alone_and_a_bad_one_is_not() {
        let group = |name: &str| Group { group: name.to_owned(), versions: vec!["TLSv1.3".to_owned()] };
        let good = Scan {
            versions: Versions { tlsv1_2: Some(true), tlsv1_3: Some(true), ..Versions::default() },
            suites: vec![offered(0x1301, None), offered(0xc02f, None)],
            groups: vec![group("X25519MLKEM768"), group("x25519")],
            server_order: Some(false),
            secure_renegotiation: Some(true),
            fallback_scsv: Some(true),
            compression: Some(false),
            heartbeat: Some(false),
            ..Scan::default()
        };
        assert_eq!(ids(&good), []);
        let bad = Scan {
            versions: Versions {
                sslv3: Some(true),
                tlsv1_0: Some(true),
                tlsv1_2: Some(true),
                tlsv1_3: Some(false),
                ..Versions::default()
            },
            suites: vec![
                offered(0x0016, Some(1024)),
                offered(0x0002, None),
                offered(0x0018, Some(512)),
                offered(0x0008, None),
                offered(0x0009, None),
            ],
            signatures: vec!["rsa_pkcs1_sha1".to_owned()],
            server_order: Some(false),
            secure_renegotiation: Some(false),
            fallback_scsv: Some(false),
            compression: Some(true),
            heartbeat: Some(true),
            ..Scan::default()
        };
        assert_eq!(
            ids(&bad),
            [
                (Critical, "SSLv3"),
                (Warning, "TLS1"),
                (Info, "TLS1_3"),
                (Critical, "cipherlist_NULL"),
                (Critical, "cipherlist_aNULL"),
                (Critical, "cipherlist_EXPORT"),
                (Critical, "cipherlist_LOW"),
                (Warning, "RC4"),
                (Warning, "SWEET32"),
                (Info, "LUCKY13"),
                (Warning, "cipher_order"),
                (Info, "FS"),
                (Critical, "DH_groups"),
                (Info, "FS_TLS12_sig_algs"),
                (Warning, "secure_renego"),
                (Warning, "CRIME_TLS"),
                (Info, "heartbeat"),
                (Warning, "fallback_SCSV"),
            ]
        );
        let quantum = Scan { groups: vec![group("x25519")], ..good };
        assert_eq!(ids(&quantum), [(Info, "FS_KEMs")]);
    }
}

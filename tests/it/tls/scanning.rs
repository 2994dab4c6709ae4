//! Scans beside sslscan, whose words are openssl's.

use std::collections::BTreeSet;
use std::thread;

use rustls::crypto::aws_lc_rs::kx_group;
use serde_json::Value;
use waddleperf::wire::tls::{Suite, group_name, signature_name};

use super::pki::{Pki, Wish};
use super::servers::{Server, greeted_by_rustls};
use super::{ids, report};
use crate::lab::shared;
use crate::stranger::listen;
use crate::tool::{stdout, tool};

/// What both scanners tell: versions, suites, groups, and so on, each a line.
type Told = BTreeSet<String>;

fn ours(report: &Value) -> Told {
    let scan = &report["scan"];
    assert!(scan["incomplete"].is_null() && scan["unanswered"] == 0, "{scan}");
    let mut told = Told::new();
    for (key, name) in [
        ("sslv2", "SSLv2"),
        ("sslv3", "SSLv3"),
        ("tlsv1_0", "TLSv1.0"),
        ("tlsv1_1", "TLSv1.1"),
        ("tlsv1_2", "TLSv1.2"),
        ("tlsv1_3", "TLSv1.3"),
    ] {
        told.insert(format!("{name} {}", scan["versions"][key].as_bool().expect("an answer")));
    }
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    for suite in scan["suites"].as_array().expect("suites") {
        let dh = suite["dh_bits"].as_u64().map(|bits| format!(" {bits}")).unwrap_or_default();
        told.insert(format!("{} {}{dh}", text(&suite["version"]), text(&suite["suite"])));
    }
    for group in scan["groups"].as_array().expect("groups") {
        for version in group["versions"].as_array().expect("versions") {
            told.insert(format!("{} group {}", text(version), text(&group["group"])));
        }
    }
    for signature in scan["newer_signatures"].as_array().into_iter().flatten() {
        told.insert(format!("TLSv1.3 signature {}", text(signature)));
    }
    let mut word = |name: &str| scan[name].as_bool().map(|is| told.insert(format!("{name} {is}")));
    for name in ["secure_renegotiation", "compression", "fallback_scsv"] {
        word(name);
    }
    told
}

/// What sslscan says of `host`, in our words.
fn theirs(host: &str) -> Told {
    let _turn = shared();
    let xml = stdout(tool("sslscan").args([
        "--no-colour",
        "--no-heartbleed",
        "--show-sigs",
        "--timeout=60",
        "--xml=-",
        host,
    ]));
    let mut told = Told::new();
    for line in xml.lines().map(str::trim) {
        let of = |key: &str| {
            let (_, rest) = line.split_once(&format!(" {key}=\""))?;
            rest.split_once('"').map(|(value, _)| value)
        };
        let number =
            |key| of(key).and_then(|text| u16::from_str_radix(text.trim_start_matches("0x"), 16).ok());
        let yes = |key| of(key) == Some("1");
        if line.starts_with("<protocol ") {
            let name = match (of("type"), of("version").expect("a version")) {
                (Some("ssl"), version) => format!("SSLv{version}"),
                (_, version) => format!("TLSv{version}"),
            };
            told.insert(format!("{name} {}", yes("enabled")));
        } else if line.starts_with("<cipher ") {
            let name = Suite(number("id").expect("a number")).name();
            let dh = of("dhebits").map(|bits| format!(" {bits}")).unwrap_or_default();
            told.insert(format!("{} {name}{dh}", of("sslversion").expect("a version")));
        } else if line.starts_with("<group ") {
            let group = group_name(number("id").expect("a number"));
            told.insert(format!("{} group {group}", of("sslversion").expect("a version")));
        } else if line.starts_with("<connection-signature-algorithm ") && of("sslversion") == Some("TLSv1.3")
        {
            // Those of TLS 1.2 it guesses where the exchange is not signed, and leaves out beside some suites.
            told.insert(format!("TLSv1.3 signature {}", signature_name(number("id").expect("a number"))));
        } else if line.starts_with("<renegotiation ") && yes("secure") {
            // It says no, too, where it has not looked: of openssl's own servers without TLS 1.0.
            told.insert("secure_renegotiation true".to_owned());
        } else if line.starts_with("<compression ") {
            told.insert(format!("compression {}", yes("supported")));
        } else if line.starts_with("<fallback ") {
            told.insert(format!("fallback_scsv {}", yes("supported")));
        }
    }
    assert!(!told.is_empty(), "{xml}");
    told
}

/// Both scan `server`: what only one of them tells.
fn compare(what: &str, server: &Server, ca: &str) {
    let host = server.name("127.0.0.1");
    let (_, report) = report(&host, &["--scan", "--ca-file", ca]);
    let (ours, theirs) = (ours(&report), theirs(&host));
    let missing: Vec<&String> = theirs.difference(&ours).collect();
    assert!(missing.is_empty(), "{what}: only sslscan tells {missing:#?}\n{report:#}");
    let more: Vec<&String> = ours.difference(&theirs).filter(|line| !is_untold(line, &theirs)).collect();
    assert!(more.is_empty(), "{what}: only ours tells {more:#?}");
}

/// Whether `line` is about something of which sslscan says nothing at all, as it does of what it cannot ask.
fn is_untold(line: &str, theirs: &Told) -> bool {
    let about = line.split(' ').next().unwrap_or_default();
    ["secure_renegotiation", "compression", "fallback_scsv"].contains(&about)
        && !theirs.iter().any(|other| other.starts_with(about))
}

#[test]
fn a_scan_finds_what_sslscan_finds() {
    let pki = Pki::new();
    let (rsa, ec) = (pki.leaf(Wish::default()), pki.leaf(Wish { elliptic: true, ..Wish::default() }));
    let all = ["-cipher", "ALL:@SECLEVEL=0"];
    let ca = pki.root();
    let servers = [
        (&rsa, &[][..]),
        (&rsa, &["-tls1_3"]),
        (&rsa, &["-tls1_2", "-cipher", "ECDHE+AESGCM"]),
        (&rsa, &["-tls1", all[0], all[1]]),
        (&rsa, &["-tls1_1", all[0], all[1]]),
        (&rsa, &[all[0], all[1], "-serverpref"]),
        (&rsa, &["-no_tls1_3", "-cipher", "ALL:eNULL:@SECLEVEL=0"]),
        // sslscan offers one group after the other alone: none but its own fits a certificate in TLS 1.2 (RFC 8422 §5.1).
        (&ec, &[all[0], all[1], "-groups", "P-256"]),
        (&rsa, &["-groups", "P-384:X448"]),
        (&rsa, &["-no_tls1_3", "-cipher", "AES256-SHA:DHE-RSA-AES128-SHA:@SECLEVEL=0", "-no_ticket"]),
        (&rsa, &["-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256", "-cipher", "ECDHE+CHACHA20:ECDHE+AES"]),
    ];
    let ca = ca.as_str();
    // sslscan spends its time waiting.
    thread::scope(|scope| {
        for (identity, args) in servers {
            let server = Server::openssl(identity, args);
            scope.spawn(move || compare(&format!("openssl s_server {args:?}"), &server, ca));
        }
        let server = Server::nginx(&rsa, "ssl_protocols TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers on;");
        scope.spawn(move || compare("nginx", &server, ca));
    });
}

#[test]
fn weak_suites_are_findings_and_the_order_is_the_servers() {
    let pki = Pki::new();
    let ca = pki.root();
    let identity = pki.leaf(Wish::default());
    let args = ["-cipher", "ALL:eNULL:aNULL:@SECLEVEL=0", "-serverpref"];
    let server = Server::openssl(&identity, &args);
    let (code, report) = report(&server.name("localhost"), &["--scan", "--ca-file", &ca]);
    assert_eq!((code, &report["scan"]["server_order"]), (Some(0), &true.into()), "{report}");
    for id in
        ["TLS1", "TLS1_1", "cipherlist_NULL", "cipherlist_aNULL", "LUCKY13", "FS", "DH_groups", "FS_KEMs"]
    {
        assert!(ids(&report).contains(&id), "{id}: {:?}", ids(&report));
    }
    assert!(
        report["scan"]["signatures"]
            .as_array()
            .is_some_and(|all| all.contains(&"rsa_pss_rsae_sha256".into()))
    );
}

#[test]
fn a_group_against_quantum_computers_is_agreed_upon_and_found() {
    let pki = Pki::new();
    let ca = pki.root();
    let identity = pki.leaf(Wish { elliptic: true, ..Wish::default() });
    let port = listen(greeted_by_rustls(&identity, vec![kx_group::X25519, kx_group::X25519MLKEM768]));
    let (code, report) = report(&format!("localhost:{port}"), &["--scan", "--ca-file", &ca]);
    assert_eq!((code, &report["group"]), (Some(0), &"X25519MLKEM768".into()), "{report}");
    let groups: Vec<&str> = report["scan"]["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .filter(|group| group["versions"].as_array().is_some_and(|all| all.contains(&"TLSv1.3".into())))
        .filter_map(|group| group["group"].as_str())
        .collect();
    assert_eq!(groups, ["X25519MLKEM768", "x25519"]);
    assert!(!ids(&report).contains(&"FS_KEMs"));
}

//! Timestamps of certificate logs, in the certificate and in the handshake, of TLS 1.2 and of TLS 1.3.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::pki::{Pki, Wish};
use super::servers::Server;
use super::{ids, report, run};

/// 2026-01-02T03:04:05Z, and a moment that has not come.
const PAST: u64 = 1_767_323_045_000;
const FUTURE: u64 = 4_102_444_800_000;

/// A list with one timestamp of each of these logs.
fn list(logs: &[(u8, u64)]) -> Vec<u8> {
    let behind = |body: &[u8]| [&(body.len() as u16).to_be_bytes()[..], body].concat();
    let one = |(log, at): &(u8, u64)| {
        behind(&[&[0][..], &[*log; 32], &at.to_be_bytes(), &[0, 0, 4, 3], &behind(&[7; 70])].concat())
    };
    behind(&logs.iter().map(one).collect::<Vec<_>>().concat())
}

/// A file that has openssl's server send this extension to who asks for it, with the certificate or before it.
fn serverinfo(dir: &std::path::Path, extension: &[u8]) -> String {
    // ClientHello, ServerHello before TLS 1.3, Certificate since (SSL_CTX_use_serverinfo_ex(3)).
    let context = 0x80u32 | 0x100 | 0x1000;
    let all = [
        &context.to_be_bytes()[..],
        &18u16.to_be_bytes(),
        &(extension.len() as u16).to_be_bytes(),
        extension,
    ];
    let text = STANDARD.encode(all.concat());
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    let file = dir.join("serverinfo.pem");
    let name = "SERVERINFOV2 FOR TIMESTAMPS";
    fs::write(&file, format!("-----BEGIN {name}-----\n{}\n-----END {name}-----\n", lines.join("\n")))
        .expect("write");
    file.to_str().expect("UTF-8").to_owned()
}

fn log(n: u8) -> Value {
    STANDARD.encode([n; 32]).into()
}

#[test]
fn timestamps_are_told_by_log_and_way_in_each_version() {
    let (pki, dir) = (Pki::new(), tempfile::tempdir().expect("a directory"));
    let ca = pki.root();
    let logged = list(&[(1, PAST), (2, PAST + 1000)]);
    let identity = pki.leaf_with(Wish::default(), &logged);
    let info = serverinfo(dir.path(), &list(&[(3, PAST)]));
    for version in ["-tls1_3", "-tls1_2"] {
        let server = Server::openssl(&identity, &[version, "-serverinfo", &info]);
        let (code, report) = report(&server.name("localhost"), &["--ca-file", &ca]);
        let told = &report["transparency"];
        assert_eq!((code, ids(&report).len()), (Some(0), 0), "{report}");
        assert_eq!(
            (&told["in_certificate"], &told["by_tls"], &told["in_staple"]),
            (&json!(2), &json!(1), &json!(null)),
            "{version}: {report}"
        );
        let stamps = told["timestamps"].as_array().expect("a list");
        let ways: Vec<_> =
            stamps.iter().map(|one| (&one["from"], &one["log_id"], &one["signature"])).collect();
        let (certificate, tls, signature) = (json!("certificate"), json!("tls"), json!("ecdsa-sha256"));
        let logs = [log(1), log(2), log(3)];
        assert_eq!(
            ways,
            [
                (&certificate, &logs[0], &signature),
                (&certificate, &logs[1], &signature),
                (&tls, &logs[2], &signature)
            ]
        );
        assert_eq!(stamps[1]["at"], "2026-01-02T03:04:06Z");
        let text = run(&server.name("localhost"), &["--ca-file", &ca]).stdout;
        assert!(text.contains("3 timestamps: 2 in the certificate, 1 in the handshake"), "{text}");
    }
}

#[test]
fn none_is_none_and_what_is_no_list_or_not_yet_is_said() {
    let (pki, dir) = (Pki::new(), tempfile::tempdir().expect("a directory"));
    let ca = pki.root();
    let identity = pki.leaf(Wish::default());
    for version in ["-tls1_3", "-tls1_2"] {
        let bare = Server::openssl(&identity, &[version]);
        let (_, found) = report(&bare.name("localhost"), &["--ca-file", &ca]);
        let told = &found["transparency"];
        assert_eq!((&told["in_certificate"], &told["by_tls"]), (&json!(0), &json!(0)), "{found}");
        let garbled = serverinfo(dir.path(), &list(&[(3, PAST)])[..60]);
        let server = Server::openssl(&identity, &[version, "-serverinfo", &garbled]);
        let (code, found) = report(&server.name("localhost"), &["--ca-file", &ca]);
        assert_eq!((code, &found["transparency"]["by_tls"]), (Some(0), &json!(null)), "{found}");
    }
    let early = serverinfo(dir.path(), &list(&[(3, FUTURE)]));
    let server = Server::openssl(&identity, &["-serverinfo", &early]);
    let (code, found) = report(&server.name("localhost"), &["--ca-file", &ca]);
    assert_eq!((code, ids(&found)), (Some(0), vec!["certificate_transparency"]), "{found}");
}

//! What tells who asks is sent, and recorded nowhere.

use std::fs;

use super::nginx::Nginx;
use super::origin::{Origin, whole};
use super::{quic, run, said};

/// A configuration that has everything logged, by the libraries below, too.
const TRACE: &str = "[log]\nlevel = \"trace\"\n";

/// `duck:s3cret`, as it is sent.
const BASIC: &str = "ZHVjazpzM2NyZXQ=";

#[test]
fn secrets_are_sent_and_not_kept() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name).to_str().expect("a path").to_owned();
    fs::write(at("user"), "duck:s3cret\n").expect("write");
    fs::write(at("headers"), "Cookie: sid=s3cret\nX-Seen: yes\n").expect("write");
    let elsewhere =
        Origin::http(Box::new(|_, stream| whole(stream, "200 OK\r\nSet-Cookie: sid=s3cret", b"s3cret")));
    let to = elsewhere.url("/there");
    let origin = Origin::http(Box::new(move |_, stream| {
        whole(
            stream,
            &format!("307 Temporary Redirect\r\nLocation: {}", to.replace("://", "://u:s3cret@")),
            b"",
        )
    }));
    let (user, headers, har, url) =
        (at("user"), format!("@{}", at("headers")), at("page.har"), origin.url("/"));
    let words = ["--user-file", &user, "-H", &headers, "-d", "password=s3cret", "--har", &har, &url];
    let trace = at("trace.toml");
    fs::write(&trace, TRACE).expect("write");
    for format in [
        &["--json"][..],
        &[],
        &["-vv"],
        &["-vv", "--json"],
        &["-w", "%{json} %{header_json} %{redirect_url}"],
    ] {
        let output = run(&[format, &words].concat());
        let text = said(&output);
        assert!(output.status.success() && !text.contains("s3cret") && !text.contains(BASIC), "{text}");
        assert!(!fs::read_to_string(&har).expect("a HAR").contains("s3cret"));
    }
    let (here, there) = (origin.asked(), elsewhere.asked());
    assert!(here[0].contains(&format!("Authorization: Basic {BASIC}\r\n")), "{here:?}");
    assert!(here[0].contains("Cookie: sid=s3cret\r\n") && here[0].ends_with("password=s3cret"), "{here:?}");
    assert!(!there[0].contains("Authorization") && !there[0].contains("Cookie"), "{there:?}");
    assert!(there[0].contains("X-Seen: yes") && there[0].ends_with("password=s3cret"), "{there:?}");
    // Unless they shall be seen.
    let shown = said(&run(&[&["--json", "--show-secrets"][..], &words].concat()));
    assert!(shown.contains("sid=s3cret"), "{shown}");
    assert!(fs::read_to_string(&har).expect("a HAR").contains(BASIC));
}

/// Libraries below tell a log far more than we do.
#[test]
fn a_log_of_everything_has_no_secret_whichever_version_is_spoken() {
    let nginx = Nginx::start();
    let at = |name: &str| nginx.directory().join(name).to_str().expect("a path").to_owned();
    fs::write(at("user"), "duck:s3cret\n").expect("write");
    fs::write(at("headers"), "Cookie: sid=s3cret\nProxy-Authorization: s3cret\nX-Seen: yes\n")
        .expect("write");
    fs::write(at("trace.toml"), TRACE).expect("write");
    let trace = at("trace.toml");
    let (user, headers, ca) = (at("user"), format!("@{}", at("headers")), at("ca.pem"));
    let server = quic::Server::start();
    let (quic, its_ca) = (format!("https://{}/x", server.at), server.ca.to_str().expect("a path").to_owned());
    for (version, url, ca) in [
        ("--http1.1", nginx.https("/"), &ca),
        ("--http2", nginx.https("/"), &ca),
        ("--http3-only", quic, &its_ca),
    ] {
        let words = [
            "--config",
            &trace,
            version,
            "--cacert",
            ca,
            "--user-file",
            &user,
            "-H",
            &headers,
            "-d",
            "s3cret",
            &url,
        ];
        let output = run(&words);
        let text = said(&output);
        // Of HTTP/1.1 nobody tells anything.
        let is_logged = text.contains("TRACE") || version == "--http1.1";
        assert!(output.status.success() && is_logged, "{version}: {text}");
        let told: Vec<&str> =
            text.lines().filter(|line| line.contains("s3cret") || line.contains(BASIC)).collect();
        assert!(told.is_empty(), "{version}: {told:#?}");
    }
}

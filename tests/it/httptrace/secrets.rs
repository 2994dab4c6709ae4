//! What tells who asks is sent, and recorded nowhere.

use std::fs;

use super::origin::{Origin, whole};
use super::{run, said};

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
    for format in [&["--json"][..], &[], &["-w", "%{json} %{header_json} %{redirect_url}"]] {
        let output = run(&[format, &words].concat());
        let text = said(&output);
        assert!(output.status.success() && !text.contains("s3cret"), "{text}");
        assert!(!fs::read_to_string(&har).expect("a HAR").contains("s3cret"));
    }
    let (here, there) = (origin.asked(), elsewhere.asked());
    // Basic, of `duck:s3cret`.
    assert!(here[0].contains("Authorization: Basic ZHVjazpzM2NyZXQ=\r\n"), "{here:?}");
    assert!(here[0].contains("Cookie: sid=s3cret\r\n") && here[0].ends_with("password=s3cret"), "{here:?}");
    assert!(!there[0].contains("Authorization") && !there[0].contains("Cookie"), "{there:?}");
    assert!(there[0].contains("X-Seen: yes") && there[0].ends_with("password=s3cret"), "{there:?}");
    // Unless they shall be seen.
    let shown = said(&run(&[&["--json", "--show-secrets"][..], &words].concat()));
    assert!(shown.contains("sid=s3cret"), "{shown}");
    assert!(fs::read_to_string(&har).expect("a HAR").contains("ZHVjazpzM2NyZXQ="));
}

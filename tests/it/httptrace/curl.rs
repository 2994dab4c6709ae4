//! Beside curl on the same server: the same requests, the same figures.

use std::collections::BTreeMap;

use serde_json::Value;

use super::nginx::Nginx;
use super::origin::{Delays, Origin, whole};
use super::{run, said};
use crate::lab::{Units, alone, holds, one_of_three};
use crate::tool::{stdout, tool};

/// Variables that do not depend on how fast a machine is, nor on who asks.
const SAME: &str = "%{http_code} %{response_code} %{http_version} %{method} %{num_redirects} %{num_connects} %{num_headers} \
                    %{size_header} %{size_request} %{size_download} %{size_upload} %{scheme} %{remote_ip} %{remote_port} \
                    %{content_type} %{url} %{url_effective} %{redirect_url} %{ssl_verify_result} %{exitcode} \
                    %header{content-length} [%%] %{header_json}\\n";

fn curl(words: &[&str]) -> String {
    let mut command = tool("curl");
    stdout(command.env_clear().args(["-sL", "-o", "/dev/null"]).args(words))
}

fn ours(words: &[&str]) -> String {
    let output = run(words);
    assert!(output.status.success(), "{words:?}: {}", said(&output));
    String::from_utf8(output.stdout).expect("text")
}

/// curl's header_json has a line for each; ours has one.
fn shape(text: &str) -> (String, Value) {
    let (line, headers) = text.split_once(" [%] ").unwrap_or_else(|| panic!("{text}"));
    (line.to_owned(), serde_json::from_str(headers).unwrap_or_else(|error| panic!("{error}: {headers}")))
}

#[test]
fn the_same_requests_have_the_same_figures() {
    let nginx = Nginx::start();
    let ca = nginx.ca();
    let ca = ca.to_str().expect("a path");
    let file = nginx.directory().join("form");
    std::fs::write(&file, "a=b\r\nc=d\n").expect("write");
    let form = format!("@{}", file.display());
    let (long, moved, plain) = (nginx.https("/long.txt"), nginx.http("/moved"), nginx.http("/none?x=y"));
    for words in [
        vec![long.as_str()],
        vec!["--http1.1", &long],
        // curl knows more encodings: what it asks for is said to both.
        vec!["--compressed", "-H", "Accept-Encoding: gzip", &long],
        vec!["-I", &long],
        vec![&moved],
        vec!["-X", "POST", &moved],
        vec![&plain],
        vec!["-d", &form, "-d", "e=f", &plain],
        vec!["--data-binary", &form, &plain],
        vec!["-H", "X-A: b", "-H", "Accept:", &plain],
        vec!["-X", "DELETE", &plain],
    ] {
        let same = [&words[..], &["--cacert", ca, "-A", "agent", "-w", SAME]].concat();
        let (theirs, mine) = (shape(&curl(&same)), shape(&ours(&same)));
        // The clock ticks between the two.
        let undated = |(line, mut headers): (String, Value)| {
            headers.as_object_mut().and_then(|headers| headers.remove("date"));
            (line, headers)
        };
        assert_eq!(undated(mine), undated(theirs), "{words:?}");
    }
}

#[test]
fn json_has_curls_names_and_kinds() {
    let nginx = Nginx::start();
    let url = nginx.http("/");
    let theirs: BTreeMap<String, Value> =
        serde_json::from_str(&curl(&["-w", "%{json}", &url])).expect("JSON");
    let mine: BTreeMap<String, Value> =
        serde_json::from_str(&ours(&["--format", "curl-json", &url])).expect("JSON");
    for (name, value) in &theirs {
        let own = mine.get(name).unwrap_or_else(|| panic!("{name} is missing"));
        let optional = name == "filename_effective";
        assert!(
            optional || std::mem::discriminant(own) == std::mem::discriminant(value),
            "{name}: {own} for {value}"
        );
    }
}

/// Times are the server's: 700 ms until the first octet, 700 ms more for the body, twice, as there is a redirect.
#[test]
fn times_add_up_as_curls_do() {
    let _turn = alone();
    let delays = Delays { head: 700.ms(), body: 700.ms(), ..Delays::default() };
    let answer = |head: &str, stream: &mut dyn super::origin::Stream| match head.contains(" /a ") {
        true => whole(stream, "301 Moved\r\nLocation: /b", b"x"),
        false => whole(stream, "200 OK", b"x"),
    };
    let origin = Origin::start(None, delays, Box::new(answer));
    let names = ["namelookup", "connect", "appconnect", "pretransfer", "starttransfer", "redirect", "total"];
    let format: String = names.map(|name| format!("%{{time_{name}}} ")).concat();
    let read = |text: String| -> Vec<f64> {
        text.split_whitespace().map(|number| number.parse().unwrap_or_else(|_| panic!("{text}"))).collect()
    };
    let url = origin.url("/a");
    one_of_three(|| {
        let (theirs, mine) = (read(curl(&["-w", &format, &url])), read(ours(&["-w", &format, &url])));
        let is_so = [theirs.len(), mine.len()] == [names.len(); 2]
            && theirs.iter().zip(&mine).all(|(theirs, mine)| (theirs - mine).abs() < 0.35);
        holds(is_so, || format!("{names:?}: curl {theirs:?}, ours {mine:?}"))
    });
    assert!(read(ours(&["-w", "%{time_starttransfer}", &url]))[0] > 1.4, "the redirect's time is in it");
}

#[test]
fn what_has_no_answer_is_written_as_well() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let refused = format!("http://{}/x", free.expect("a free port"));
    let asked = ["-w", "%{http_code} %{exitcode} %{num_connects} %{url} %{time_starttransfer}|"];
    for url in [refused.as_str(), "http://no.such.name.invalid/"] {
        let words = [&asked[..], &[url]].concat();
        let theirs = tool("curl").env_clear().args(["-s", "-o", "/dev/null"]).args(&words).output();
        let theirs = String::from_utf8(theirs.expect("curl").stdout).expect("text");
        let output = run(&words);
        assert_eq!(String::from_utf8_lossy(&output.stdout), theirs, "{}", said(&output));
        assert_eq!(output.status.code(), Some(1));
        let all: Value =
            serde_json::from_slice(&run(&["-w", "%{json}", url]).stdout).expect("curl's JSON, too");
        assert!(all["errormsg"].as_str().is_some_and(|why| !why.is_empty()), "{all}");
    }
}

/// What a shell script types works: `-s -S -f -o`, and the exit code tells of a bad status.
#[test]
fn scripts_of_curl_users_work() {
    let nginx = Nginx::start();
    let kept = nginx.directory().join("body");
    let kept = kept.to_str().expect("a path");
    assert_eq!(ours(&["-sS", "-fL", "-o", kept, "-w", "%{http_code}", &nginx.http("/")]), "200");
    assert_eq!(std::fs::read_to_string(kept).expect("the body"), "<p>hello</p>");
    let code = |words: &[&str]| run(words).status.code();
    let none = nginx.http("/none");
    assert_eq!((code(&["-f", &none]), code(&[&none])), (Some(1), Some(0)));
    assert_eq!(code(&["--expect", "status=404", "--expect", "body~nginx", &none]), Some(0));
    assert_eq!(code(&["--expect", "status=200", &none]), Some(1));
    assert_eq!(code(&["--fail-on", "http_status >= 400", &none]), Some(1));
    let to_stdout = run(&["-o", "-", &nginx.http("/")]);
    assert_eq!(to_stdout.stdout, b"<p>hello</p>");
}

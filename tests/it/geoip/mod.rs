//! `geoip` from outside: what it knows, and how it gets newer databases.

mod mmdb;
mod origin;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use waddleperf::sys::clock;
use waddleperf::sys::wait::sleep;

use crate::lab::shared;
use crate::tool::{WADDLEPERF, output};
use mmdb::{Entry, database};
use origin::{Answer, Origin};

/// A directory with a configuration and data of its own.
struct Home(TempDir);

impl Home {
    fn new(config: &str) -> Self {
        let home = Self(tempfile::tempdir().expect("a directory"));
        fs::write(home.file("waddleperf.toml"), config).expect("write");
        home
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn database(&self) -> PathBuf {
        self.file("data/geo/test.mmdb")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(WADDLEPERF);
        command.env_clear().env("HOME", self.0.path()).env("GEO_KEY", "s3cret");
        command.env("SSL_CERT_FILE", self.file("ca.pem")).args(args);
        command.arg("--config").arg(self.file("waddleperf.toml")).arg("--data").arg(self.file("data"));
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        let _turn = shared();
        output(&mut self.command(args))
    }
}

/// One of this host's addresses and one of a documentation network, made at `built`.
pub(crate) fn places(built: u32) -> Vec<u8> {
    let entry = |network, asn, name, country, city| Entry { network, asn, name, country, city };
    database(
        &[
            entry((Ipv4Addr::new(127, 0, 0, 0), 8), 64_500, "Loop", "DE", "Ulm"),
            entry((Ipv4Addr::new(192, 0, 2, 0), 24), 64_501, "Docs\u{7}", "CH", "Bern"),
        ],
        built,
    )
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].concat().iter().map(|octet| *octet as char).collect()
}

fn source(url: &str, more: &str) -> String {
    format!("[[geo.update]]\nname = \"test\"\nurl = \"{url}\"\n{more}\n")
}

fn built_at(file: &Path) -> Vec<u8> {
    fs::read(file).expect("a database")
}

#[test]
fn a_place_is_told_in_words_and_in_json_and_null_is_null() {
    let home = Home::new("");
    fs::create_dir_all(home.file("data/geo")).expect("make");
    fs::write(home.database(), places(1_700_000_000)).expect("write");
    let found = home.run(&["geoip", "127.0.0.1", "192.0.2.7", "198.51.100.1"]);
    let text = String::from_utf8(found.stdout).expect("text");
    assert_eq!(
        text,
        "127.0.0.1  AS64500 Loop  127.0.0.0/8  Ulm, DE\n192.0.2.7  AS64501 Docs\\u{7}  192.0.2.0/24  Bern, CH\n\
         198.51.100.1  –\n"
    );
    let found = home.run(&["geoip", "--json", "192.0.2.7", "198.51.100.1"]);
    let lines: Vec<Value> =
        found.stdout.split(|octet| *octet == b'\n').flat_map(serde_json::from_slice).collect();
    assert_eq!(lines[0]["city"], "Bern");
    assert_eq!(lines[0]["sources"][0]["built"], "2023-11-14T22:13:20Z");
    assert!(lines[1]["asn"].is_null() && lines[1]["country"].is_null(), "{}", lines[1]);
    let listed = said(&home.run(&["geoip", "list"]));
    assert!(
        listed.contains("Test-City  built 2023-11-14 (old: ") && listed.contains("test.mmdb"),
        "{listed}"
    );
    let hops = said(&home.run(&["mtr", "-r", "-c", "1", "-n", "-z", "127.0.0.1"]));
    assert!(hops.contains("AS64500"), "{hops}");
}

#[test]
fn without_a_database_nothing_is_known_and_nothing_fails() {
    let home = Home::new("");
    let found = home.run(&["geoip", "--geo", "/dev/null", "127.0.0.1"]);
    assert_eq!(found.status.code(), Some(2), "{}", said(&found));
    let wrong = home.run(&["geoip", "192.0.2.0/24"]);
    assert!(wrong.status.code() == Some(2) && said(&wrong).contains("not a network"), "{}", said(&wrong));
}

#[test]
fn a_table_has_a_header_and_empty_cells_for_what_is_not_known() {
    let home = Home::new("");
    fs::create_dir_all(home.file("data/geo")).expect("make");
    fs::write(home.database(), places(1_700_000_000)).expect("write");
    let found = home.run(&["geoip", "--csv", "127.0.0.1", "192.0.2.7", "198.51.100.1"]);
    let header = "address,asn,as_name,country,region,city,prefix\n";
    let rows = "127.0.0.1,64500,Loop,DE,,Ulm,127.0.0.0/8\n192.0.2.7,64501,Docs\\u{7},CH,,Bern,192.0.2.0/24\n198.51.100.1,,,,,,\n";
    assert_eq!(String::from_utf8(found.stdout).expect("text"), [header, rows].concat());
    let both = home.run(&["geoip", "--csv", "--json", "127.0.0.1"]);
    assert_eq!(both.status.code(), Some(2), "{}", said(&both));
    // One that is named and not there is as good as none: every field is null, and that is no failure.
    let bare = Home::new(&format!("[geo]\nfiles = [\"{}\"]\n", home.file("nowhere.mmdb").display()));
    let found = bare.run(&["geoip", "--json", "127.0.0.1"]);
    let told: Value = serde_json::from_slice(&found.stdout).expect("a line");
    assert!(
        ["asn", "as_name", "country", "region", "city", "prefix"].iter().all(|name| told[*name].is_null()),
        "{told}"
    );
    assert!(found.status.success() && said(&found).contains("there is no database"), "{}", said(&found));
    let listed = said(&bare.run(&["geoip", "list"]));
    assert!(listed.contains("none of the files that [geo] names"), "{listed}");
    let found = bare.run(&["geoip", "--csv", "127.0.0.1"]);
    assert_eq!(String::from_utf8(found.stdout).expect("text"), [header, "127.0.0.1,,,,,,\n"].concat());
}

#[test]
fn whoever_asks_through_a_pipe_hears_of_a_replaced_file_and_a_stored_record_of_its_place() {
    let home = Home::new("");
    fs::create_dir_all(home.file("data/geo")).expect("make");
    fs::write(home.database(), places(1_000_000_000)).expect("write");
    let _turn = shared();
    let mut command = home.command(&["geoip", "--json", "-"]);
    let mut asking = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
    let (mut questions, answers) =
        (asking.stdin.take().expect("a pipe"), asking.stdout.take().expect("a pipe"));
    let mut answers = BufReader::new(answers).lines();
    let mut ask = || -> Value {
        questions.write_all(b"127.0.0.1\n").expect("write");
        serde_json::from_str(&answers.next().expect("an answer").expect("text")).expect("a line")
    };
    assert_eq!(ask()["sources"][0]["built"], "2001-09-09T01:46:40Z");
    let newer = home.file("newer");
    fs::write(&newer, places(1_700_000_000)).expect("write");
    fs::rename(&newer, home.database()).expect("rename");
    // Files are looked at every few seconds.
    let began = clock::now().mono;
    while ask()["sources"][0]["built"] != "2023-11-14T22:13:20Z" {
        assert!(clock::now().mono - began < Duration::from_secs(60), "nobody noticed");
        sleep(Duration::from_millis(200));
    }
    drop(questions);
    assert!(asking.wait().expect("it ends").success());

    let record = output(&mut home.command(&["ping", "-c", "1", "--json", "--save", "127.0.0.1"]));
    let record: Value = serde_json::from_slice(&record.stdout).expect("a record");
    let shown = output(&mut home.command(&["results", "show", record["id"].as_str().expect("an id")]));
    assert!(said(&shown).contains("place      127.0.0.1 AS64500 Loop"), "{}", said(&shown));
}

#[test]
fn a_file_of_this_host_takes_its_place_by_its_checksum() {
    let home = Home::new("");
    let (whole, file, sum) = (places(1_000), home.file("new.mmdb"), home.file("new.mmdb.sha256"));
    fs::write(&file, &whole).expect("write");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &whole);
    let digits: String = digest.as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
    let update = |sum: &str| {
        home.run(&["geoip", "update", "test", "--url", file.to_str().expect("a path"), "--sha256", sum])
    };
    let path = sum.to_str().expect("a path");
    fs::write(&sum, format!("{}  new.mmdb\n", "0".repeat(64))).expect("write");
    for (sum, code, says) in [
        (path, 1, "another checksum"),
        (&"1".repeat(64)[..], 1, "another checksum"),
        ("/nowhere", 2, "no SHA-256"),
    ] {
        let refused = update(sum);
        assert!(
            refused.status.code() == Some(code) && said(&refused).contains(says),
            "{sum}: {}",
            said(&refused)
        );
        assert!(!home.database().exists());
    }
    fs::write(&sum, "no checksum\n").expect("write");
    assert!(said(&update(path)).contains("does not begin with a SHA-256"));
    fs::write(&sum, format!("{digits}  new.mmdb\n")).expect("write");
    for right in [path, &digits] {
        let updated = update(right);
        assert!(updated.status.success(), "{}", said(&updated));
        assert_eq!(built_at(&home.database()), whole);
    }
}

#[test]
fn an_update_is_fetched_once_and_takes_its_place() {
    let origin = Origin::http();
    let sum = "sha256 = \"http://ADDRESS/sum\"".replace("ADDRESS", &origin.at.to_string());
    let home = Home::new(&source(&format!("http://{}/test", origin.at), &sum));
    for (built, tag) in [(1_000, "\"one\""), (2_000, "\"two\"")] {
        let whole = places(built);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &whole);
        let digits: String = digest.as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
        origin.put("/sum", Answer::Body(format!("{digits}  test.mmdb\n").into_bytes(), "\"sum\""));
        origin.put("/test", Answer::Body(whole.clone(), tag));
        let updated = home.run(&["geoip", "update"]);
        assert!(updated.status.success(), "{}", said(&updated));
        assert_eq!(built_at(&home.database()), whole);
        let again = home.run(&["geoip", "update", "--json"]);
        let told: Value = serde_json::from_slice(&again.stdout).expect("a line");
        assert!(told["unchanged"]["database"].is_string(), "{told}");
    }
    // The server goes back to an older one: it is not taken, and what is there stays.
    origin.put("/test", Answer::Body(places(1_000), "\"old\""));
    let digest = "0".repeat(64);
    origin.put("/sum", Answer::Body(digest.into_bytes(), "\"sum\""));
    let refused = home.run(&["geoip", "update"]);
    assert!(
        refused.status.code() == Some(1) && said(&refused).contains("another checksum"),
        "{}",
        said(&refused)
    );
    assert_eq!(built_at(&home.database()), places(2_000));
    let left: Vec<_> = fs::read_dir(home.file("data/geo")).expect("a directory").flatten().collect();
    assert_eq!(left.len(), 2, "database and tag: {left:?}");
}

#[test]
fn what_a_server_does_wrong_is_told_and_changes_nothing() {
    let origin = Origin::http();
    let base = format!("http://{}", origin.at);
    let home = Home::new("");
    let whole = places(1_000);
    origin.put("/whole", Answer::Body(whole.clone(), "\"w\""));
    origin.put("/loop", Answer::Moved("/loop".to_owned()));
    origin.put("/away", Answer::Moved(format!("{base}/whole")));
    origin.put("/short", Answer::Short(whole.clone()));
    origin.put("/text", Answer::Body(b"<html>not here</html>".to_vec(), "\"t\""));
    origin.put("/endless", Answer::Endless);
    for (path, code, says) in [
        ("/none?token=s3cret", 1, "404 Not Found"),
        ("/loop", 1, "redirections"),
        ("/short", 1, "/short"),
        ("/text", 1, "no database"),
        ("/endless", 1, "longer than"),
        ("/away", 0, "built 1970-01-01"),
    ] {
        let update = home.run(&["geoip", "update", "test", "--url", &format!("{base}{path}")]);
        let text = said(&update);
        assert!(update.status.code() == Some(code) && text.contains(says), "{path}: {text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
    for (args, says) in [
        (&["geoip", "update", "test", "--url", "ftp://192.0.2.1/x"][..], "no http or https URL"),
        (&["geoip", "update", "../x", "--url", "http://192.0.2.1/x"], "name"),
        (&["geoip", "update", "--url", "http://192.0.2.1/x"], "name the database"),
        (&["geoip", "update"], "nothing to fetch"),
    ] {
        let update = home.run(args);
        assert!(
            update.status.code() == Some(2) && said(&update).contains(says),
            "{args:?}: {}",
            said(&update)
        );
    }
}

#[test]
fn https_is_believed_only_with_a_certificate_and_a_password_goes_nowhere_else() {
    let elsewhere = Origin::http();
    let home = Home::new("");
    let origin = Origin::https(&home.file("own.pem"));
    let more = "user = \"me\"\npassword = { env = \"GEO_KEY\" }";
    fs::write(home.file("waddleperf.toml"), source(&format!("https://{}/test", origin.at), more))
        .expect("write");
    origin.put("/test", Answer::Guarded(places(1_000), "bWU6czNjcmV0"));
    // Another authority is believed.
    Origin::https(&home.file("ca.pem"));
    let refused = home.run(&["geoip", "update"]);
    assert!(refused.status.code() == Some(1) && said(&refused).contains("certificate"), "{}", said(&refused));
    fs::copy(home.file("own.pem"), home.file("ca.pem")).expect("copy");
    let updated = home.run(&["-v", "geoip", "update"]);
    assert!(updated.status.success() && !said(&updated).contains("s3cret"), "{}", said(&updated));
    assert!(origin.asked().iter().any(|head| head.contains("authorization: Basic")));
    // To plain HTTP it is not followed.
    origin.put("/test", Answer::Moved(format!("http://{}/test", elsewhere.at)));
    elsewhere.put("/test", Answer::Body(places(2_000), "\"e\""));
    let refused = home.run(&["geoip", "update", "--force"]);
    assert!(
        refused.status.code() == Some(1) && said(&refused).contains("not protected"),
        "{}",
        said(&refused)
    );
    assert!(elsewhere.asked().is_empty());
}

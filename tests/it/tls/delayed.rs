//! Handshakes over a link that takes its time: each phase is its round trips.

use std::net::Ipv4Addr;

use rustls::crypto::aws_lc_rs::kx_group;
use serde_json::Value;

use super::pki::{Pki, Wish};
use super::servers::greeted_by_rustls;
use super::starttls::play;
use crate::lab::{Lab, Units, alone, holds, one_of_three};
use crate::stranger::listen_at;
use crate::tool::{WADDLEPERF, stdout};

/// A round trip of 300 ms: what a busy machine adds is less than another one.
const TRIP: f64 = 300.0;

#[test]
fn phases_are_the_round_trips_of_the_link() {
    let _turn = alone();
    let lab = Lab::line(0).delay(150.ms()).build();
    let (pki, data) = (Pki::new(), tempfile::tempdir().expect("a directory"));
    let identity = pki.leaf(Wish { elliptic: true, ..Wish::default() });
    let greet = greeted_by_rustls(&identity, vec![kx_group::X25519]);
    let ports = lab.server().run(|| {
        let mailing = greeted_by_rustls(&identity, vec![kx_group::X25519]);
        let mail = listen_at(Ipv4Addr::UNSPECIFIED, move |mut stream| {
            if play(&mut stream, &[b"220 mail\r\n", b"250-mail\r\n250 STARTTLS\r\n", b"220 go\r\n"]) {
                mailing(stream);
            }
        });
        [listen_at(Ipv4Addr::UNSPECIFIED, greet), mail]
    });
    for (port, more, starttls) in [(ports[0], &[][..], None), (ports[1], &["--starttls", "smtp"], Some(3.0))]
    {
        let mut command = lab.client().command(WADDLEPERF);
        command.arg("--data").arg(data.path()).args([
            "tls",
            "--json",
            "--no-save",
            "--servername",
            "localhost",
        ]);
        command.args(["--ca-file", &pki.root(), "--timeout", "60s", "--deadline", "10m"]).args(more);
        command.arg(format!("{}:{port}", lab.server().address4()));
        one_of_three(|| {
            let record: Value = serde_json::from_str(&stdout(&mut command)).expect("a record");
            let phases = &record["outcome"]["report"]["phases"];
            // The greeting, and two questions with their answers.
            let trips = [("connect_ms", Some(1.0)), ("starttls_ms", starttls), ("tls_ms", Some(1.0))];
            let is_so = trips
                .iter()
                .all(|(name, trips)| phases[name].as_f64().map(|told| (told / TRIP).floor()) == *trips);
            holds(is_so, || phases.to_string())
        });
    }
}

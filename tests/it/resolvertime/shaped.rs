//! Behind links that take their time: what is told is what the link and the server take, cold and warm apart, and who is
//! slow is named.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use waddleperf::sys::wait::sleep;
use waddleperf::wire::dns::{Kind, Message};

use super::server::{address, octets, reply, serve_at};
use super::{command, report_of};
use crate::lab::{Lab, Units, alone};
use crate::tool::{WADDLEPERF, output};

/// How long a resolver takes that must find a name out first.
const COLD: u64 = 60;

/// A resolver that thinks for `thinking`, and longer about names of `wild.example`, which it cannot have in its cache.
fn resolver(thinking: Duration) -> impl Fn(&Message, bool) -> Vec<Vec<u8>> + Send + Sync + 'static {
    move |query, _| {
        let question = query.question.as_ref().expect("a question");
        let is_new = question.name.labels().count() == 3;
        let thinking = thinking + if is_new { COLD.ms() } else { Duration::ZERO };
        if !thinking.is_zero() {
            sleep(thinking);
        }
        assert_eq!(question.kind, Kind::A);
        vec![octets(&reply(query, vec![address(query, 1)]))]
    }
}

fn ms(server: &Value, path: [&str; 2]) -> f64 {
    let value = if path[1].is_empty() { &server[path[0]] } else { &server[path[0]][path[1]] };
    value.as_f64().unwrap_or(f64::NAN)
}

/// The link takes 40 ms there and back, exactly; others on the machine only ever add.
#[test]
fn a_resolver_behind_40_ms_takes_40_ms_and_one_that_thinks_is_named() {
    let _alone = alone();
    let good = (0..5).any(|_| {
        let lab = Lab::line(0).delay(20.ms()).build();
        let at: Vec<SocketAddr> = [0u64, 0, 30]
            .map(|thinking| lab.server().run(|| serve_at("0.0.0.0", resolver(thinking.ms()))))
            .to_vec();
        let who: String =
            at.iter().map(|at| format!("@{}:{} ", lab.server().address4(), at.port())).collect();
        let words = format!("{who} a.example -c 20 -i 50ms --cold-zone wild.example --json");
        let found = report_of(&output(&mut command(lab.client().command(WADDLEPERF), &words)));
        let servers = found["servers"].as_array().expect("servers");
        let p50 = servers.iter().map(|server| ms(server, ["query", "p50_ms"])).collect::<Vec<_>>();
        let cold = servers.iter().map(|server| ms(server, ["cold_ms", ""])).collect::<Vec<_>>();
        let ranks: Vec<_> = servers.iter().map(|server| server["rank"].as_u64()).collect();
        let slower: Vec<_> = servers.iter().map(|server| server["significant"].as_bool()).collect();
        println!("p50 {p50:?}, cold {cold:?}, ranks {ranks:?}, slower {slower:?}");
        let near = |told: f64, truth: f64, most: f64| (truth..truth + most).contains(&told);
        let truth = [40.0, 40.0, 70.0];
        p50.iter().zip(truth).all(|(told, truth)| near(*told, truth, 1.0))
            && cold.iter().zip(truth).all(|(told, truth)| near(*told, truth + COLD as f64, 3.0))
            && ranks[2] == Some(3)
            && slower[2] == Some(true)
            && !slower[..2].contains(&Some(true))
    });
    assert!(good);
}

/// Truncated, it is asked for again by TCP: one round trip for the first, and two for a connection and the question.
#[test]
fn each_phase_of_a_connection_is_a_round_trip() {
    let _alone = alone();
    let good = (0..5).any(|_| {
        let lab = Lab::line(0).delay(20.ms()).build();
        let at = lab.server().run(|| {
            serve_at("0.0.0.0", |query, tcp| {
                let mut said = reply(query, vec![address(query, 1)]);
                said.tc = !tcp;
                vec![octets(&said)]
            })
        });
        let server = format!("@{}:{}", lab.server().address4(), at.port());
        let of = |words: &str| {
            let words = format!("{server} a.example -c 5 -i 150ms --json {words}");
            report_of(&output(&mut command(lab.client().command(WADDLEPERF), &words)))["servers"][0].clone()
        };
        let (cut, tcp) = (of(""), of("+tcp"));
        let told = [
            ms(&cut, ["truncated", "p50_ms"]),
            ms(&cut, ["connect", "p50_ms"]),
            ms(&cut, ["query", "p50_ms"]),
            ms(&tcp, ["first", "connect_ms"]),
            ms(&tcp, ["first", "query_ms"]),
            ms(&tcp, ["reused", "p50_ms"]),
        ];
        println!("{told:?}");
        told.iter().all(|told| (40.0..41.5).contains(told)) && tcp["reused"]["count"] == 4
    });
    assert!(good);
}

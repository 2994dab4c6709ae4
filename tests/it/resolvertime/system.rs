//! The system's own resolvers beside one that is named: a network in which the system's nameserver is ours.

use std::net::{SocketAddr, TcpListener, UdpSocket};

use serde_json::{Value, json};
use waddleperf::wire::dns::{Kind, Message};

use super::server::{address, octets, reply, serve_at, serve_by};
use super::{answers, command, report_of};
use crate::lab::Lab;
use crate::tool::{WADDLEPERF, nameserver, output};

#[test]
fn the_systems_resolvers_are_asked_directly_and_through_the_system() {
    let lab = Lab::line(1).build();
    let system = SocketAddr::new(nameserver(), 53);
    lab.router(1).ip(&format!("address add {}/32 dev lo", system.ip()));
    let answer = |last: u8| {
        move |query: &Message, _: bool| {
            let is_four = query.question.as_ref().is_some_and(|question| question.kind == Kind::A);
            let found = if is_four { vec![address(query, last)] } else { Vec::new() };
            vec![octets(&reply(query, found))]
        }
    };
    lab.router(1).run(|| {
        let place = (UdpSocket::bind(system).expect("port 53"), TcpListener::bind(system).expect("port 53"));
        serve_by(place, answer(1))
    });
    let named = lab.server().run(|| serve_at("0.0.0.0", answer(2)));
    let named = SocketAddr::new(lab.server().address4().into(), named.port());
    let words = |more: &str| format!("web.example -c 2 -i 10ms -W 20s --json {more}");
    let found = |more: &str| -> Vec<Value> {
        let report = report_of(&output(&mut command(lab.client().command(WADDLEPERF), &words(more))));
        report["servers"].as_array().expect("servers").clone()
    };
    let of = |servers: &[Value], transport: &str, is_ours: bool| -> Value {
        let place = if is_ours { system } else { named };
        let at = (json!(place.ip()), json!(place.port()));
        let is_it = |one: &&Value| {
            one["transport"] == transport
                && (transport == "system" || (&one["address"], &one["port"]) == (&at.0, &at.1))
        };
        servers.iter().find(is_it).cloned().unwrap_or_else(|| panic!("{transport} {place}: {servers:?}"))
    };
    for (more, count) in [(String::new(), 1), ("--system".to_owned(), 1), (format!("-s {named} --system"), 2)]
    {
        let servers = found(&more);
        for transport in ["system", "udp"] {
            let server = of(&servers, transport, true);
            assert_eq!(
                (answers(&server), &server["counts"]["received"]),
                (vec!["192.0.2.1"], &json!(2)),
                "{server}"
            );
        }
        assert_eq!(
            servers.iter().any(|one| answers(one) == ["192.0.2.2"]),
            count == 2,
            "{more}: {servers:?}"
        );
    }
    let alone = found(&format!("-s {named}"));
    assert_eq!((alone.len(), answers(&of(&alone, "udp", false))), (1, vec!["192.0.2.2"]));
}

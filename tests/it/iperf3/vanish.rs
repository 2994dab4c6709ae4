//! Clients that vanish, in every state of the server: what they held is free at once.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use serde_json::{Value, json};
use socket2::SockRef;
use waddleperf::sys::clock;

use super::ends::SOON;
use super::raw::{Raw, frame, heard, results, tcp, udp};
use super::{OPEN, Server, resident};
use crate::lab::shared;

/// How far a client has come before it vanishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Connected,
    HalfACookie,
    Cookie,
    HalfTheParameters,
    Parameters,
    OneOfTwoStreams,
    Running,
    Moving,
    Ended,
    HalfTheResults,
    Results,
}

use State::*;

const STATES: [State; 11] = [
    Connected,
    HalfACookie,
    Cookie,
    HalfTheParameters,
    Parameters,
    OneOfTwoStreams,
    Running,
    Moving,
    Ended,
    HalfTheResults,
    Results,
];

/// All that a client has open.
struct Client {
    control: Raw,
    connections: Vec<TcpStream>,
    flows: Vec<UdpSocket>,
}

impl Client {
    /// One that has come as far as `state`, with a stream each way.
    fn at(server: &Server, state: State, is_udp: bool) -> Self {
        let control = if state < Cookie { Raw::connect(server) } else { Raw::greet(server) };
        let mut client = Self { control, connections: Vec::new(), flows: Vec::new() };
        client.come_to(server, state, is_udp);
        client
    }

    fn come_to(&mut self, server: &Server, state: State, is_udp: bool) {
        match state {
            Connected => return,
            HalfACookie => return self.control.say(b"a cookie that is "),
            _ => self.control.hear(&[9]),
        }
        let params = frame(params(is_udp).to_string().as_bytes());
        match state {
            Cookie => return,
            HalfTheParameters => return self.control.say(&params[..params.len() / 2]),
            _ => self.control.say(&params),
        }
        self.control.hear(&[10]);
        let streams = if state == Parameters { 0 } else { 1 + usize::from(state > OneOfTwoStreams) };
        for _ in 0..streams {
            self.open(server, is_udp);
        }
        if state < Running {
            return;
        }
        self.control.hear(&[1, 2]);
        if state > Running {
            self.transfer();
        }
        if state < Ended {
            return;
        }
        self.control.say(&[4]);
        self.control.hear(&[13]);
        let results = frame(results(&[1, 3]).to_string().as_bytes());
        match state {
            Ended => {}
            HalfTheResults => self.control.say(&results[..results.len() / 2]),
            _ => {
                self.control.say(&results);
                heard(&mut self.control.stream);
                self.control.hear(&[14]);
            }
        }
    }

    fn open(&mut self, server: &Server, is_udp: bool) {
        if !is_udp {
            return self.connections.push(self.control.data(server));
        }
        let flow = udp(server, [127, 0, 0, 1]);
        flow.send(b"9876").expect("sent");
        assert!(matches!(flow.recv(&mut [0; 64]), Ok(4)), "a greeting");
        self.flows.push(flow);
    }

    /// Sends through the first stream and receives through the second.
    fn transfer(&mut self) {
        let mut octets = [7; 1000];
        match (&mut self.connections[..], &self.flows[..]) {
            ([near, far], _) => {
                near.write_all(&octets).expect("sent");
                far.read_exact(&mut octets).expect("data");
            }
            (_, [near, far]) => {
                near.send(&octets).expect("sent");
                far.recv(&mut octets).expect("data");
            }
            _ => unreachable!("two streams of either kind"),
        }
    }

    /// Ends it, by a reset of all that it has open or as who is killed does.
    fn vanish(self, by_reset: bool) {
        for connection in self.connections.iter().chain([&self.control.stream]).filter(|_| by_reset) {
            SockRef::from(connection).set_linger(Some(Duration::ZERO)).expect("set");
        }
    }
}

fn params(is_udp: bool) -> Value {
    let mut params = match is_udp {
        false => tcp(),
        true => json!({"udp": true, "omit": 0, "parallel": 1, "len": 1000, "bandwidth": 1_000_000}),
    };
    (params["time"], params["bidirectional"]) = (json!(60), json!(true));
    params
}

#[test]
fn who_vanishes_in_any_state_leaves_nothing() {
    let _turn = shared();
    let server = Server::with(&OPEN.replace("sessions = 64", "sessions = 1"));
    let before = server.idle();
    let all = |server: &Server| {
        for is_udp in [false, true] {
            for state in STATES {
                for by_reset in [false, true] {
                    let client = Client::at(server, state, is_udp);
                    let is_free = Raw::greet(server).is_asked();
                    // Only who is known to mean it holds a place.
                    assert_eq!(is_free, state < Parameters, "{state:?} {is_udp}");
                    let now = clock::now().mono;
                    client.vanish(by_reset);
                    server.has_a_place_by(now + SOON);
                }
            }
        }
    };
    // The first of each kind fill pools that stay.
    all(&server);
    server.until_idle(before);
    let memory = resident(&server);
    all(&server);
    server.until_idle(before);
    assert_eq!(server.threads_named("bulk"), 0);
    let grown = resident(&server).saturating_sub(memory);
    assert!(grown < 8 << 10, "{grown} KiB more than {memory}");
    server.report("-n 100K");
}

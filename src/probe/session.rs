//! The client's side of a WP1 session, for all probes that speak to a reflector: hello, open, the seals, close. See
//! [`crate::wire::wp1`].

use std::time::{Duration, Instant};

use crate::units::{Now, nanos};
use crate::wire::wp1::{Body, Cookie, Direction, Echoed, Kind, Packet, Params, Seal, Totals};

/// First wait for an answer to a control packet; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Tries of a handshake packet before the far side is given up (7.75 s in all).
const TRIES: u32 = 5;
/// Tries of `close`: its totals are welcome, not needed.
const CLOSE_TRIES: u32 = 3;

/// A session from the client's side.
pub(super) struct Session {
    psk: Option<Vec<u8>>,
    asked: Params,
    nonce: u64,
    stage: Stage,
    /// The open session, also while another is being opened because this one went silent.
    pub(super) open: Option<Open>,
    hellos: u32,
}

/// An open session.
pub(super) struct Open {
    id: u64,
    /// Changes when the reflector was restarted.
    pub(super) boot: u32,
    /// What the reflector granted.
    pub(super) granted: Params,
    up: Seal,
    down: Seal,
}

enum Stage {
    Hello(Retry),
    Opening(Cookie, Params, Retry),
    Idle,
    Closing(Retry),
}

/// When a control packet is sent again.
#[derive(Clone, Copy)]
struct Retry {
    tries: u32,
    next: Option<Instant>,
}

/// What a session wants now.
pub(super) enum Want {
    /// A control packet lies in the buffer.
    Send,
    /// Nothing before this moment.
    Wait(Instant),
    /// Nothing at all.
    Nothing,
    /// Nobody answered any of the tries.
    GaveUp,
}

/// What a datagram was to a session.
pub(super) enum Heard {
    /// A probe packet's reply, with its number.
    Echoed(u32, Echoed),
    /// The session is open; `true` when the reflector was restarted since the last one.
    Opened(bool),
    /// The final totals.
    Closed(Totals),
    /// A step of the handshake, or nothing of ours.
    Nothing,
}

impl Retry {
    const fn new() -> Self {
        Self { tries: 0, next: None }
    }

    fn take(&mut self, now: Instant, most: u32) -> Want {
        match self.next {
            Some(next) if now < next => Want::Wait(next),
            _ if self.tries == most => Want::GaveUp,
            _ => {
                self.next = Some(now + FIRST_WAIT * 2u32.pow(self.tries));
                self.tries += 1;
                Want::Send
            }
        }
    }
}

impl Session {
    /// A session to be opened. `nonce` is a random number that only we know.
    pub(super) fn new(psk: Option<Vec<u8>>, asked: Params, nonce: u64) -> Self {
        Self { psk, asked, nonce, stage: Stage::Hello(Retry::new()), open: None, hellos: 0 }
    }

    /// How many hellos have been sent.
    pub(super) fn hellos(&self) -> u32 {
        self.hellos
    }

    /// The next control packet, if one is due.
    pub(super) fn poll(&mut self, now: Instant, out: &mut Vec<u8>) -> Want {
        let want = match &mut self.stage {
            Stage::Idle => return Want::Nothing,
            Stage::Hello(retry) | Stage::Opening(_, _, retry) => retry.take(now, TRIES),
            Stage::Closing(retry) => retry.take(now, CLOSE_TRIES),
        };
        if matches!(want, Want::Send) {
            self.write_control(out);
        }
        want
    }

    fn write_control(&mut self, out: &mut Vec<u8>) {
        match &self.stage {
            Stage::Hello(_) => {
                self.hellos += 1;
                Body::Hello(self.asked).write(
                    self.nonce,
                    0,
                    &self.seal(&[0; 16], self.nonce, Direction::Up),
                    out,
                );
            }
            Stage::Opening(cookie, granted, _) => {
                Body::Open(*cookie, *granted).write(0, 0, &self.seal(cookie, 0, Direction::Up), out);
            }
            Stage::Closing(_) | Stage::Idle => {
                if let Some(open) = &self.open {
                    Body::Close.write(open.id, 0, &open.up, out);
                }
            }
        }
    }

    /// Writes probe packet `seq`; only an open session has any.
    pub(super) fn write_echo(&self, seq: u32, now: Now, size: usize, out: &mut Vec<u8>) {
        if let Some(open) = &self.open {
            Body::Echo(now.wall, size).write(open.id, seq, &open.up, out);
        }
    }

    /// Takes a datagram in. What is not authentic is nothing.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> Heard {
        let Some(packet) = Packet::parse(bytes) else {
            return Heard::Nothing;
        };
        match (packet.kind, &self.stage) {
            (Kind::Echoed, _) => match &self.open {
                Some(open) if open.owns(&packet) => Heard::Echoed(packet.seq, packet.echoed()),
                _ => Heard::Nothing,
            },
            (Kind::Cookie, Stage::Hello(_)) => {
                let seal = self.seal(&[0; 16], self.nonce, Direction::Down);
                if packet.session == self.nonce && packet.is_sealed_with(&seal) {
                    self.stage = Stage::Opening(packet.cookie(), packet.params(), Retry::new());
                }
                Heard::Nothing
            }
            (Kind::Opened, Stage::Opening(cookie, granted, _)) => {
                let (cookie, granted) = (*cookie, *granted);
                self.opened(&packet, &cookie, granted)
            }
            (Kind::Closed, Stage::Closing(_))
                if self.open.as_ref().is_some_and(|open| open.owns(&packet)) =>
            {
                self.stage = Stage::Idle;
                Heard::Closed(packet.totals())
            }
            _ => Heard::Nothing,
        }
    }

    fn opened(&mut self, packet: &Packet<'_>, cookie: &Cookie, granted: Params) -> Heard {
        let down = self.seal(cookie, packet.session, Direction::Down);
        if !packet.is_sealed_with(&down) {
            return Heard::Nothing;
        }
        let up = self.seal(cookie, packet.session, Direction::Up);
        let before = self.open.replace(Open { id: packet.session, boot: packet.boot(), granted, up, down });
        self.stage = Stage::Idle;
        Heard::Opened(before.is_some_and(|before| before.boot != packet.boot()))
    }

    /// Starts a new handshake beside the open session, unless one is under way: the session went silent.
    pub(super) fn revive(&mut self) {
        if matches!(self.stage, Stage::Idle) {
            self.stage = Stage::Hello(Retry::new());
        }
    }

    /// Gives a handshake up that was started beside the open session.
    pub(super) fn settle(&mut self) {
        self.stage = Stage::Idle;
    }

    /// Asks for the totals.
    pub(super) fn close(&mut self) {
        self.stage = Stage::Closing(Retry::new());
    }

    fn seal(&self, cookie: &Cookie, session: u64, direction: Direction) -> Seal {
        Seal::new(self.psk.as_deref(), cookie, session, direction)
    }
}

impl Open {
    /// Whether this is its number.
    pub(super) const fn is(&self, id: u64) -> bool {
        self.id == id
    }

    fn owns(&self, packet: &Packet<'_>) -> bool {
        packet.session == self.id && packet.is_sealed_with(&self.down)
    }
}

/// What is asked of the reflector: mean interval between packets, duration, length, DSCP.
pub(super) fn params(interval: Duration, burst: u16, duration: Duration, size: usize, dscp: u8) -> Params {
    let interval_us = (nanos(interval) / 1000 / u64::from(burst.max(1))).min(u64::from(u32::MAX));
    Params {
        interval_us: interval_us as u32,
        duration_ms: u32::try_from(duration.as_millis()).unwrap_or(u32::MAX),
        length: u16::try_from(size).unwrap_or(u16::MAX),
        dscp,
        flags: 0,
    }
}

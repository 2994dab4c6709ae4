//! Classic BPF (McCanne and Jacobson, 1993): programs, what the kernel asks of them, and the machine.

use std::fmt;
use std::str::FromStr;

use crate::wire::bytes::{u8_at, u16_at, u32_at};

/// The longest program that the kernel takes (`BPF_MAXINSNS`).
pub const MOST_OPS: usize = 4096;
/// Words of scratch memory.
const SCRATCH: usize = 16;

/// Where the kernel's own knowledge of a packet begins (`SKF_AD_OFF`).
pub(super) const AD: u32 = 0xffff_f000;
/// Its ethertype.
pub(super) const AD_PROTOCOL: u32 = AD;
/// Its VLAN tag, and whether it has one.
pub(super) const AD_VLAN_TAG: u32 = AD + 44;
pub(super) const AD_VLAN_PRESENT: u32 = AD + 48;

// Classes.
pub(super) const LD: u16 = 0x00;
pub(super) const LDX: u16 = 0x01;
const ST: u16 = 0x02;
const STX: u16 = 0x03;
pub(super) const ALU: u16 = 0x04;
pub(super) const JMP: u16 = 0x05;
pub(super) const RET: u16 = 0x06;
const MISC: u16 = 0x07;
// Sizes.
pub(super) const W: u16 = 0x00;
pub(super) const H: u16 = 0x08;
pub(super) const B: u16 = 0x10;
// Modes.
const IMM: u16 = 0x00;
pub(super) const ABS: u16 = 0x20;
pub(super) const IND: u16 = 0x40;
const MEM: u16 = 0x60;
const LEN: u16 = 0x80;
pub(super) const MSH: u16 = 0xa0;
// Jumps.
pub(super) const JA: u16 = 0x00;
pub(super) const JEQ: u16 = 0x10;
pub(super) const JGT: u16 = 0x20;
pub(super) const JGE: u16 = 0x30;
pub(super) const JSET: u16 = 0x40;
// Arithmetic.
const ADD: u16 = 0x00;
const SUB: u16 = 0x10;
const MUL: u16 = 0x20;
const DIV: u16 = 0x30;
const OR: u16 = 0x40;
pub(super) const AND: u16 = 0x50;
const LSH: u16 = 0x60;
const RSH: u16 = 0x70;
const NEG: u16 = 0x80;
const MOD: u16 = 0x90;
const XOR: u16 = 0xa0;
/// The second operand is the register X, not `k`.
const X: u16 = 0x08;
/// The value returned is the register A.
const A: u16 = 0x10;
const TXA: u16 = 0x80;

/// One operation, as the kernel takes it (`struct sock_filter`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// What to do.
    pub code: u16,
    /// Operations to pass over when the condition holds.
    pub jt: u8,
    /// And when it does not.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

impl Op {
    pub(super) const fn of(code: u16, k: u32) -> Self {
        Self { code, jt: 0, jf: 0, k }
    }
}

/// A program that is sure to end, and to stay within the packet and its scratch memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program(Vec<Op>);

/// Why operations are no program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProgram {
    /// None, or more than the kernel takes.
    #[error("it has {0} operations; 1 to 4096 are a program")]
    Length(usize),
    /// An operation that is none, at a place.
    #[error("operation {0} is none that the kernel knows")]
    Unknown(usize),
    /// One that leaves the program, the scratch memory or arithmetic.
    #[error("operation {0} leaves the program, its memory or what can be computed")]
    Outside(usize),
    /// The last does not return.
    #[error("its last operation does not return")]
    Endless,
    /// Not the text of one.
    #[error("`{0}` is not `count,code jt jf k,…` as tcpdump -ddd prints it")]
    Unreadable(String),
}

/// What the kernel knows of a packet besides its octets; nothing of one from a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ancillary {
    /// The ethertype.
    pub protocol: u16,
    /// The VLAN tag that was taken out.
    pub vlan: Option<u16>,
}

impl Program {
    /// Checks `ops` as the kernel does (`bpf_check_classic`).
    ///
    /// # Errors
    /// What the kernel would refuse.
    pub fn new(ops: Vec<Op>) -> Result<Self, BadProgram> {
        if !(1..=MOST_OPS).contains(&ops.len()) {
            return Err(BadProgram::Length(ops.len()));
        }
        for (at, op) in ops.iter().enumerate() {
            if !is_known(op.code) {
                return Err(BadProgram::Unknown(at));
            }
            if !is_inside(op, ops.len() - at - 1) {
                return Err(BadProgram::Outside(at));
            }
        }
        match ops.last() {
            Some(op) if op.code & 7 == RET => Ok(Self(ops)),
            _ => Err(BadProgram::Endless),
        }
    }

    /// The program that accepts what `next` accepts of what this one, compiled from an expression, lets through.
    ///
    /// # Errors
    /// When both are too long together.
    pub fn and_then(&self, next: &Self) -> Result<Self, BadProgram> {
        // A compiled program ends with its only way to accept.
        let gate = self.0.split_last().map_or(&[][..], |(_, gate)| gate);
        Self::new([gate, &next.0].concat())
    }

    /// Its operations.
    pub fn ops(&self) -> &[Op] {
        &self.0
    }

    /// How many octets of `packet` it accepts; 0 refuses it. `wire_length` is its length before it was cut.
    pub fn run(&self, packet: &[u8], wire_length: u32, known: &Ancillary) -> u32 {
        let mut machine = Machine { packet, wire_length, known, a: 0, x: 0, scratch: [0; SCRATCH] };
        let mut at = 0;
        // Each step goes forward, so that there are no more of them than operations.
        while let Some(op) = self.0.get(at) {
            match machine.step(op) {
                Step::On(further) => at += 1 + further as usize,
                Step::Done(accepted) => return accepted,
            }
        }
        0
    }
}

fn is_known(code: u16) -> bool {
    let (source, operation) = (code & X, code & 0xf0);
    match code & 7 {
        LD => {
            matches!(code & 0xe0, ABS | IND) && matches!(code & 0x18, W | H | B)
                || matches!(code, c if c == LD | IMM || c == LD | MEM || c == LD | LEN)
        }
        LDX => [LDX | IMM, LDX | MEM, LDX | LEN, LDX | MSH | B].contains(&code),
        ST | STX => code == ST || code == STX,
        ALU => operation <= XOR && (operation != NEG || source == 0) && code < 0x100,
        JMP => code == JMP | JA || matches!(operation, JEQ | JGT | JGE | JSET) && code < 0x100,
        RET => code == RET || code == RET | A,
        _ => code == MISC || code == MISC | TXA,
    }
}

/// Whether `op` stays inside, with `left` operations behind it.
fn is_inside(op: &Op, left: usize) -> bool {
    match op.code & 7 {
        JMP if op.code == JMP | JA => (op.k as usize) < left,
        JMP => usize::from(op.jt) < left && usize::from(op.jf) < left,
        ALU if matches!(op.code & 0xf0, DIV | MOD) && op.code & X == 0 => op.k != 0,
        ALU if matches!(op.code & 0xf0, LSH | RSH) && op.code & X == 0 => op.k < 32,
        ST | STX => (op.k as usize) < SCRATCH,
        LD if op.code == LD | MEM => (op.k as usize) < SCRATCH,
        LDX if op.code == LDX | MEM => (op.k as usize) < SCRATCH,
        _ => true,
    }
}

enum Step {
    /// Pass over so many operations.
    On(u32),
    /// The packet's verdict.
    Done(u32),
}

struct Machine<'a> {
    packet: &'a [u8],
    wire_length: u32,
    known: &'a Ancillary,
    a: u32,
    x: u32,
    scratch: [u32; SCRATCH],
}

impl Machine<'_> {
    fn step(&mut self, op: &Op) -> Step {
        let operand = if op.code & X != 0 { self.x } else { op.k };
        match op.code & 7 {
            LD => match self.load(op) {
                Some(value) => self.a = value,
                // What reads behind the packet's end refuses it.
                None => return Step::Done(0),
            },
            LDX => match op.code & 0xe0 {
                MSH => match self.octets(op.k, 1) {
                    Some(value) => self.x = (value & 0xf) * 4,
                    None => return Step::Done(0),
                },
                MEM => self.x = self.scratch[op.k as usize % SCRATCH],
                LEN => self.x = self.wire_length,
                _ => self.x = op.k,
            },
            ST => self.scratch[op.k as usize % SCRATCH] = self.a,
            STX => self.scratch[op.k as usize % SCRATCH] = self.x,
            ALU => match compute(op.code & 0xf0, self.a, operand) {
                Some(value) => self.a = value,
                None => return Step::Done(0),
            },
            JMP if op.code == JMP | JA => return Step::On(op.k),
            JMP => {
                let holds = match op.code & 0xf0 {
                    JEQ => self.a == operand,
                    JGT => self.a > operand,
                    JGE => self.a >= operand,
                    _ => self.a & operand != 0,
                };
                return Step::On(if holds { op.jt } else { op.jf }.into());
            }
            RET => return Step::Done(if op.code & A != 0 { self.a } else { op.k }),
            _ if op.code & TXA != 0 => self.a = self.x,
            _ => self.x = self.a,
        }
        Step::On(0)
    }

    fn load(&self, op: &Op) -> Option<u32> {
        let size = match op.code & 0x18 {
            H => 2,
            B => 1,
            _ => 4,
        };
        match op.code & 0xe0 {
            ABS => self.octets(op.k, size),
            IND => self.octets(self.x.checked_add(op.k)?, size),
            MEM => Some(self.scratch[op.k as usize % SCRATCH]),
            LEN => Some(self.wire_length),
            _ => Some(op.k),
        }
    }

    fn octets(&self, at: u32, size: usize) -> Option<u32> {
        match at {
            AD_PROTOCOL => return Some(self.known.protocol.into()),
            AD_VLAN_TAG => return Some(self.known.vlan.unwrap_or(0).into()),
            AD_VLAN_PRESENT => return Some(self.known.vlan.is_some().into()),
            _ => {}
        }
        let at = at as usize;
        (at.checked_add(size)? <= self.packet.len()).then(|| match size {
            1 => u8_at(self.packet, at).into(),
            2 => u16_at(self.packet, at).into(),
            _ => u32_at(self.packet, at),
        })
    }
}

fn compute(operation: u16, a: u32, b: u32) -> Option<u32> {
    Some(match operation {
        ADD => a.wrapping_add(b),
        SUB => a.wrapping_sub(b),
        MUL => a.wrapping_mul(b),
        DIV => a.checked_div(b)?,
        MOD => a.checked_rem(b)?,
        OR => a | b,
        AND => a & b,
        XOR => a ^ b,
        LSH => a.checked_shl(b).unwrap_or(0),
        RSH => a.checked_shr(b).unwrap_or(0),
        _ => a.wrapping_neg(),
    })
}

impl fmt::Display for Program {
    /// `2,40 0 0 12,6 0 0 0`: what `tcpdump -ddd` prints, with commas for its line ends.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.len())?;
        self.0.iter().try_for_each(|op| write!(f, ",{} {} {} {}", op.code, op.jt, op.jf, op.k))
    }
}

impl FromStr for Program {
    type Err = BadProgram;

    fn from_str(text: &str) -> Result<Self, BadProgram> {
        let unreadable = |part: &str| BadProgram::Unreadable(part.chars().take(40).collect());
        let mut parts = text.trim().trim_end_matches(',').split([',', '\n']).map(str::trim);
        let head = parts.next().unwrap_or_default();
        let count: usize = head.parse().map_err(|_| unreadable(head))?;
        if !(1..=MOST_OPS).contains(&count) {
            return Err(BadProgram::Length(count));
        }
        let mut ops = Vec::with_capacity(count);
        for part in parts.take(MOST_OPS + 1) {
            ops.push(op(part).ok_or_else(|| unreadable(part))?);
        }
        if ops.len() != count {
            return Err(unreadable(head));
        }
        Self::new(ops)
    }
}

fn op(text: &str) -> Option<Op> {
    let mut words = text.split_ascii_whitespace();
    let op = Op {
        code: words.next()?.parse().ok()?,
        jt: words.next()?.parse().ok()?,
        jf: words.next()?.parse().ok()?,
        k: words.next()?.parse().ok()?,
    };
    words.next().is_none().then_some(op)
}

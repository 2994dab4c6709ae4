//! Filter expressions as tcpdump's users know them, compiled to classic BPF, and a machine that runs it.
//!
//! [`Expression::parse`] reads `host`, `net`, `port`, `portrange`, `proto`, `vlan` and the protocols' names, with `src`
//! and `dst`, `and`, `or`, `not` and parentheses, by pcap-filter(7)'s rules: `and` and `or` bind alike, from the left,
//! and a value without a keyword takes that of the value before. [`Expression::compile`] makes a [`Program`] for one
//! kind of link. There is no arithmetic (`tcp[13] & 2 != 0`); a [`Program`] can also be read from `tcpdump -ddd`.

mod assemble;
mod bpf;
mod lower;
mod parse;
#[cfg(test)]
mod tests;
mod tree;
mod words;

pub use bpf::{Ancillary, BadProgram, MOST_OPS, Op, Program};
pub use parse::{BadExpression, Expression};
pub use words::KEYWORDS;

use std::net::IpAddr;

use super::pcap::Link;

/// Where a program will see packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// As they lie in a file.
    File(Link),
    /// As the kernel shows them to a packet socket: VLAN tags apart, and without a header where the link is cooked.
    Kernel(Link),
}

impl Expression {
    /// The program that accepts, of each packet that matches, the first `snaplen` octets.
    ///
    /// `addresses` tells those of a host's name.
    ///
    /// # Errors
    /// A name without an address, or an expression that is too long for the kernel (4,096 operations).
    pub fn compile(
        &self,
        view: View,
        snaplen: u32,
        addresses: &dyn Fn(&str) -> Vec<IpAddr>,
    ) -> Result<Program, BadExpression> {
        let condition = lower::lower(self, view, addresses)?;
        assemble::assemble(&condition, snaplen).map_err(|bad| self.bad_whole(&bad))
    }
}

/// The body of the fuzz target: no text makes the parser panic, what it takes can be compiled, and no program that
/// passes the checks leaves the packet or runs for ever.
pub fn fuzz_filter(octets: &[u8]) {
    let (text, packet) = octets.split_at(octets.len() / 2);
    let text = String::from_utf8_lossy(text);
    if let Ok(expression) = Expression::parse(&text) {
        for link in Link::ALL {
            for view in [View::File(link), View::Kernel(link)] {
                if let Ok(program) = expression.compile(view, 128, &|_| vec![[192, 0, 2, 1].into()]) {
                    program.run(packet, packet.len() as u32, &Ancillary::default());
                }
            }
        }
    }
    if let Ok(program) = text.parse::<Program>() {
        program.run(packet, packet.len() as u32, &Ancillary::default());
        assert_eq!(program.to_string().parse().as_ref(), Ok(&program), "a program survives its text");
    }
    let ops = packet.chunks_exact(8).map(|op| Op {
        code: u16::from_be_bytes([op[0], op[1]]),
        jt: op[2],
        jf: op[3],
        k: u32::from_be_bytes([op[4], op[5], op[6], op[7]]),
    });
    if let Ok(program) = Program::new(ops.collect()) {
        program.run(octets, octets.len() as u32, &Ancillary::default());
    }
}

//! Conditions to operations: jumps that go forward only, and as far as they must.

use super::bpf::{
    ABS, ALU, AND, B, BadProgram, H, IND, JA, JEQ, JGE, JGT, JMP, JSET, LD, LDX, MSH, Op, Program, RET, W,
};

/// What must hold of a packet.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Always(bool),
    Compare(Compare),
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
}

/// A number of the packet beside another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Compare {
    pub(super) load: Load,
    /// The bits that count.
    pub(super) mask: u32,
    pub(super) relation: Relation,
    pub(super) value: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Relation {
    Equal,
    Above,
    AtLeast,
    /// They share a bit.
    Shares,
}

/// Where a number stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Load {
    /// So many octets, from the packet's beginning, or of what the kernel knows.
    At(Size, u32),
    /// So far behind the IPv4 header that begins at `header`, whose length the packet tells.
    Behind { header: u32, size: Size, offset: u32 },
    /// The packet's length.
    Length,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Size {
    One,
    Two,
    Four,
}

impl Size {
    const fn code(self) -> u16 {
        match self {
            Self::One => B,
            Self::Two => H,
            Self::Four => W,
        }
    }
}

/// The program that accepts `snaplen` octets of what meets `condition`.
pub(super) fn assemble(condition: &Condition, snaplen: u32) -> Result<Program, BadProgram> {
    let mut draft = Draft::default();
    let (accept, refuse) = (draft.label(), draft.label());
    draft.condition(condition, accept, refuse);
    draft.place(refuse);
    draft.lines.push(Line::Plain(Op::of(RET, 0)));
    // The last: `Program::and_then` goes on here.
    draft.place(accept);
    draft.lines.push(Line::Plain(Op::of(RET, snaplen)));
    Program::new(draft.finish())
}

#[derive(Clone, Copy)]
struct Label(usize);

enum Line {
    Plain(Op),
    Jump(Label),
    Branch { code: u16, k: u32, holds: Label, fails: Label },
}

#[derive(Default)]
struct Draft {
    lines: Vec<Line>,
    /// The line that each label stands before.
    labels: Vec<usize>,
}

impl Draft {
    fn label(&mut self) -> Label {
        self.labels.push(usize::MAX);
        Label(self.labels.len() - 1)
    }

    fn place(&mut self, label: Label) {
        self.labels[label.0] = self.lines.len();
    }

    fn condition(&mut self, condition: &Condition, holds: Label, fails: Label) {
        match condition {
            Condition::Always(true) => self.lines.push(Line::Jump(holds)),
            Condition::Always(false) => self.lines.push(Line::Jump(fails)),
            Condition::Compare(compare) => self.compare(compare, holds, fails),
            Condition::Not(inner) => self.condition(inner, fails, holds),
            Condition::All(parts) => self.chain(parts, holds, fails, true),
            Condition::Any(parts) => self.chain(parts, holds, fails, false),
        }
    }

    /// All of `parts`, or any.
    fn chain(&mut self, parts: &[Condition], holds: Label, fails: Label, all: bool) {
        let Some((last, first)) = parts.split_last() else {
            self.lines.push(Line::Jump(if all { holds } else { fails }));
            return;
        };
        for part in first {
            let next = self.label();
            let (on, off) = if all { (next, fails) } else { (holds, next) };
            self.condition(part, on, off);
            self.place(next);
        }
        self.condition(last, holds, fails);
    }

    fn compare(&mut self, compare: &Compare, holds: Label, fails: Label) {
        match compare.load {
            Load::At(size, at) => self.plain(LD | ABS | size.code(), at),
            Load::Behind { header, size, offset } => {
                self.plain(LDX | MSH | B, header);
                self.plain(LD | IND | size.code(), header + offset);
            }
            Load::Length => self.plain(LD | 0x80, 0),
        }
        if compare.mask != u32::MAX {
            self.plain(ALU | AND, compare.mask);
        }
        let code = JMP
            | match compare.relation {
                Relation::Equal => JEQ,
                Relation::Above => JGT,
                Relation::AtLeast => JGE,
                Relation::Shares => JSET,
            };
        self.lines.push(Line::Branch { code, k: compare.value, holds, fails });
    }

    fn plain(&mut self, code: u16, k: u32) {
        self.lines.push(Line::Plain(Op::of(code, k)));
    }

    /// Operations, with a long jump beside each branch whose eight bits do not reach.
    fn finish(&self) -> Vec<Op> {
        let mut far = vec![[false; 2]; self.lines.len()];
        // Each pass only adds jumps: it ends.
        loop {
            let starts = self.starts(&far);
            let mut grew = false;
            for (number, (line, far)) in self.lines.iter().zip(&mut far).enumerate() {
                let Line::Branch { holds, fails, .. } = line else { continue };
                let behind = starts[number] + 1;
                for (side, label) in [holds, fails].into_iter().enumerate() {
                    let distance = starts[self.labels[label.0]] - behind;
                    if !far[side] && distance > 255 - 2 {
                        (far[side], grew) = (true, true);
                    }
                }
            }
            if !grew {
                return self.emit(&far, &starts);
            }
        }
    }

    /// Where each line begins, and where the program ends.
    fn starts(&self, far: &[[bool; 2]]) -> Vec<usize> {
        let mut at = 0;
        let mut starts = Vec::with_capacity(far.len() + 1);
        for far in far {
            starts.push(at);
            at += 1 + far.iter().filter(|far| **far).count();
        }
        starts.push(at);
        starts
    }

    fn emit(&self, far: &[[bool; 2]], starts: &[usize]) -> Vec<Op> {
        let mut ops = Vec::with_capacity(starts.last().copied().unwrap_or(0));
        for (line, far) in self.lines.iter().zip(far) {
            match line {
                Line::Plain(op) => ops.push(*op),
                Line::Jump(to) => ops.push(self.long(*to, ops.len(), starts)),
                &Line::Branch { code, k, holds, fails } => {
                    let behind = ops.len() + 1;
                    let near = |label: Label| starts[self.labels[label.0]] - behind;
                    let jt = if far[0] { 0 } else { near(holds) };
                    let jf = if far[1] { usize::from(far[0]) } else { near(fails) };
                    ops.push(Op { code, jt: jt as u8, jf: jf as u8, k });
                    for (far, label) in far.iter().zip([holds, fails]) {
                        if *far {
                            ops.push(self.long(label, ops.len(), starts));
                        }
                    }
                }
            }
        }
        ops
    }

    fn long(&self, to: Label, at: usize, starts: &[usize]) -> Op {
        Op::of(JMP | JA, (starts[self.labels[to.0]] - at - 1) as u32)
    }
}

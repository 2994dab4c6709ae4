//! The text of an expression to its tests; what is wrong is said with its place.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use super::bpf::BadProgram;
use super::tree::{Block, Network, Side, Test, Tree};
use super::words::{ICMP, ICMP6, KEYWORDS, is_name, net_of, number_of, port_of, protocol_of};

/// Parentheses and `not`s inside of each other: nobody writes more.
const DEEPEST: usize = 64;
/// How often `and` and `or` may take turns: each turn is one level more.
const MOST_TURNS: usize = 256;
/// Octets of text.
const LONGEST: usize = 64 * 1024;

/// An expression that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    text: String,
    pub(super) tree: Tree,
}

/// What is wrong with an expression, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}`: {what} at character {} (`{}`)", self.character(), self.part())]
pub struct BadExpression {
    text: String,
    at: Range<usize>,
    what: String,
}

impl BadExpression {
    /// The place, counted in characters from 1.
    pub fn character(&self) -> usize {
        self.text.get(..self.at.start).map_or(1, |before| before.chars().count() + 1)
    }

    fn part(&self) -> &str {
        let part = self.text.get(self.at.clone()).unwrap_or_default();
        if part.is_empty() { "the end" } else { part }
    }
}

impl Expression {
    /// Reads `text`.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, BadExpression> {
        let bad = |at, what: &str| BadExpression { text: shown(text), at, what: what.to_owned() };
        if text.len() > LONGEST {
            return Err(bad(0..0, "more than 64 KiB of text"));
        }
        let tokens = tokens(text).map_err(|(at, what)| bad(at, &what))?;
        let mut parser = Parser { text, tokens, next: 0, depth: 0, turns: 0, last: None };
        let tree = parser.expression().and_then(|tree| match parser.peek() {
            None => Ok(tree),
            Some(_) => Err(parser.wrong("`and` or `or` is missing before this")),
        });
        tree.map(|tree| Self { text: text.to_owned(), tree }).map_err(|(at, what)| bad(at, &what))
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names of hosts in it.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.tree.each(&mut |test| {
            if let Test::Name { name, .. } = test {
                names.push(name.as_str());
            }
        });
        names
    }

    pub(super) fn bad_name(&self, at: &Range<usize>) -> BadExpression {
        BadExpression {
            text: shown(&self.text),
            at: at.clone(),
            what: "no address is known of the host".to_owned(),
        }
    }

    pub(super) fn bad_whole(&self, bad: &BadProgram) -> BadExpression {
        BadExpression {
            text: shown(&self.text),
            at: 0..self.text.len().min(40),
            what: format!("compiled, {bad};"),
        }
    }
}

/// What is repeated of a text in an error.
fn shown(text: &str) -> String {
    text.chars().take(400).collect()
}

/// Where something is wrong, and what.
type Wrong = (Range<usize>, String);

fn tokens(text: &str) -> Result<Vec<Range<usize>>, Wrong> {
    let mut tokens = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let mut end = start + c.len_utf8();
        match c {
            _ if c.is_whitespace() => continue,
            '(' | ')' | '!' => {}
            '&' | '|' => match chars.next_if(|&(_, next)| next == c) {
                Some(_) => end += 1,
                None => return Err((start..end, format!("a single `{c}` (`{c}{c}` is the word)"))),
            },
            _ if is_word(c) => {
                while let Some((_, c)) = chars.next_if(|&(_, next)| is_word(next)) {
                    end += c.len_utf8();
                }
            }
            '[' | '=' | '<' | '>' | '+' | '*' => {
                let why = "arithmetic is not known here (compile it by `tcpdump -ddd` for --bpf)";
                return Err((start..end, why.to_owned()));
            }
            _ => return Err((start..end, "a character that no expression has".to_owned())),
        }
        tokens.push(start..end);
    }
    Ok(tokens)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | ':' | '/' | '-' | '_' | '\\' | '%')
}

/// What stands before a value and says what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Qualifiers {
    over: Option<Over>,
    side: Side,
    kind: Option<Kind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    Network(Network),
    Transport(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Host,
    Net,
    Port,
    Portrange,
    Protocol,
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Range<usize>>,
    next: usize,
    depth: usize,
    turns: usize,
    /// What the value before was, for one without a word of its own.
    last: Option<Qualifiers>,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.peek_at(0)
    }

    fn peek_at(&self, further: usize) -> Option<&'a str> {
        self.text.get(self.tokens.get(self.next + further)?.clone())
    }

    fn take(&mut self) -> Option<(&'a str, Range<usize>)> {
        let at = self.tokens.get(self.next)?.clone();
        self.next += 1;
        Some((self.text.get(at.clone())?, at))
    }

    fn take_if(&mut self, words: &[&str]) -> bool {
        let found = self.peek().is_some_and(|word| words.contains(&word));
        self.next += usize::from(found);
        found
    }

    /// What is wrong with the next token.
    fn wrong(&self, what: impl Into<String>) -> Wrong {
        let end = self.text.len();
        (self.tokens.get(self.next).cloned().unwrap_or(end..end), what.into())
    }

    fn expression(&mut self) -> Result<Tree, Wrong> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong("more than 64 parentheses and `not`s inside of each other"));
        }
        let mut tree = self.unary()?;
        loop {
            let join: fn(Vec<Tree>) -> Tree = match self.peek() {
                Some("and" | "&&") => Tree::And,
                Some("or" | "||") => Tree::Or,
                _ => {
                    self.depth -= 1;
                    return Ok(tree);
                }
            };
            self.next += 1;
            // A run of one word is one list; a turn begins another around it.
            let mut parts = match (tree, join(Vec::new())) {
                (Tree::And(parts), Tree::And(_)) | (Tree::Or(parts), Tree::Or(_)) => parts,
                (other, _) => {
                    self.turns += 1;
                    vec![other]
                }
            };
            if self.turns > MOST_TURNS {
                return Err(self.wrong("`and` and `or` take turns more than 256 times before this"));
            }
            parts.push(self.unary()?);
            tree = join(parts);
        }
    }

    fn unary(&mut self) -> Result<Tree, Wrong> {
        let before = self.depth;
        let mut negated = false;
        while self.take_if(&["not", "!"]) {
            negated = !negated;
        }
        let tree = if self.take_if(&["("]) { self.rest_of_group()? } else { self.test()? };
        self.depth = before;
        Ok(if negated { Tree::Not(Box::new(tree)) } else { tree })
    }

    fn rest_of_group(&mut self) -> Result<Tree, Wrong> {
        let tree = self.expression()?;
        if self.take_if(&[")"]) { Ok(tree) } else { Err(self.wrong("`)` is missing")) }
    }

    fn test(&mut self) -> Result<Tree, Wrong> {
        let start = self.next;
        let over = self.over();
        if let Some(over) = over
            && !self.says_more()
        {
            self.last = None;
            return Ok(Tree::Test(match over {
                Over::Network(network) => Test::Network(network),
                Over::Transport(ICMP) => Test::Protocol(Some(Network::Ipv4), ICMP),
                Over::Transport(ICMP6) => Test::Protocol(Some(Network::Ipv6), ICMP6),
                Over::Transport(number) => Test::Protocol(None, number),
            }));
        }
        if over.is_none()
            && let Some(test) = self.alone()?
        {
            self.last = None;
            return Ok(Tree::Test(test));
        }
        let side = self.side();
        let kind = self.kind();
        let qualifiers = if self.next > start {
            Qualifiers { over, side: side.unwrap_or(Side::Either), kind }
        } else if let Some(last) = self.last {
            last
        } else {
            Qualifiers { over: None, side: Side::Either, kind: None }
        };
        self.last = Some(qualifiers);
        if self.next > start && self.take_if(&["("]) {
            return self.rest_of_group();
        }
        self.value(qualifiers).map(Tree::Test)
    }

    /// The protocol that a test begins with.
    fn over(&mut self) -> Option<Over> {
        let over = match self.peek()? {
            "ip" => Over::Network(Network::Ipv4),
            "ip6" => Over::Network(Network::Ipv6),
            "arp" => Over::Network(Network::Arp),
            "rarp" => Over::Network(Network::Rarp),
            "tcp" => Over::Transport(6),
            "udp" => Over::Transport(17),
            "sctp" => Over::Transport(132),
            "icmp" => Over::Transport(ICMP),
            "icmp6" => Over::Transport(ICMP6),
            _ => return None,
        };
        self.next += 1;
        Some(over)
    }

    /// Whether a protocol's name is followed by what it qualifies.
    fn says_more(&self) -> bool {
        self.peek().is_some_and(|word| !matches!(word, "and" | "&&" | "or" | "||" | ")"))
    }

    /// A test that is complete without protocol, side and kind.
    fn alone(&mut self) -> Result<Option<Test>, Wrong> {
        let test = match self.peek() {
            Some("vlan") => {
                self.next += 1;
                let number = self.peek().filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
                let id = number.map(|word| {
                    let id = number_of(word).filter(|id| *id < 4096);
                    id.ok_or_else(|| self.wrong("a VLAN's number is 0 to 4095"))
                });
                let id = id.transpose()?;
                self.next += usize::from(id.is_some());
                Test::Vlan(id.map(|id| id as u16))
            }
            Some(word @ ("less" | "greater")) => {
                self.next += 1;
                let octets = self.peek().and_then(number_of);
                let octets = octets.ok_or_else(|| self.wrong("a number of octets is missing"))?;
                self.next += 1;
                Test::Length { least: word == "greater", octets }
            }
            _ => return Ok(None),
        };
        Ok(Some(test))
    }

    fn side(&mut self) -> Option<Side> {
        let (first, other) = match self.peek()? {
            "src" => (Side::Source, "dst"),
            "dst" => (Side::Destination, "src"),
            _ => return None,
        };
        self.next += 1;
        if self.peek_at(1) != Some(other) {
            return Some(first);
        }
        let both = match self.peek() {
            Some("or" | "||") => Side::Either,
            Some("and" | "&&") => Side::Both,
            _ => return Some(first),
        };
        self.next += 2;
        Some(both)
    }

    fn kind(&mut self) -> Option<Kind> {
        let kind = match self.peek()? {
            "host" => Kind::Host,
            "net" => Kind::Net,
            "port" => Kind::Port,
            "portrange" => Kind::Portrange,
            "proto" => Kind::Protocol,
            _ => return None,
        };
        self.next += 1;
        Some(kind)
    }

    fn value(&mut self, qualifiers: Qualifiers) -> Result<Test, Wrong> {
        let Some((word, at)) = self.take() else {
            return Err(self.wrong("something is missing"));
        };
        let bad = |what: &str| Err((at.clone(), what.to_owned()));
        if matches!(word, ")" | "(" | "!" | "not" | "and" | "or" | "&&" | "||") || KEYWORDS.contains(&word) {
            return bad("a value, such as an address or a port, is missing before this");
        }
        let Qualifiers { over, side, kind } = qualifiers;
        match kind {
            Some(Kind::Port | Kind::Portrange) => self.ports(qualifiers, word, at),
            Some(Kind::Protocol) => match over {
                None | Some(Over::Network(Network::Ipv4 | Network::Ipv6)) => {
                    let over = over.map(|over| {
                        if over == Over::Network(Network::Ipv4) { Network::Ipv4 } else { Network::Ipv6 }
                    });
                    match protocol_of(word) {
                        Some(number) => Ok(Test::Protocol(over, number)),
                        None => bad("no IP protocol (a number to 255, or tcp, udp, icmp, …)"),
                    }
                }
                _ => bad("`proto` goes with ip and ip6 only"),
            },
            _ => {
                let over = match over {
                    None => None,
                    Some(Over::Network(network)) => Some(network),
                    Some(Over::Transport(_)) => {
                        return bad("tcp, udp, sctp and icmp are followed by `port`, `portrange` or nothing");
                    }
                };
                self.addresses(over, side, kind, word, at)
            }
        }
    }

    fn ports(&self, qualifiers: Qualifiers, word: &str, at: Range<usize>) -> Result<Test, Wrong> {
        let Qualifiers { over, side, kind } = qualifiers;
        let of = match over {
            None => None,
            Some(Over::Transport(number @ (6 | 17 | 132))) => Some(number),
            Some(_) => return Err((at, "only tcp, udp and sctp have ports".to_owned())),
        };
        let range = match kind {
            Some(Kind::Portrange) => {
                word.split_once('-').and_then(|(low, high)| Some((port_of(low)?, port_of(high)?)))
            }
            _ => port_of(word).map(|port| (port, port)),
        };
        match range {
            Some((low, high)) => Ok(Test::Ports { of, side, low: low.min(high), high: low.max(high) }),
            None if kind == Some(Kind::Portrange) => Err((at, "no range of ports (8000-8080)".to_owned())),
            None => Err((at, "no port (0-65535, or a name such as https)".to_owned())),
        }
    }

    fn addresses(
        &mut self,
        over: Option<Network>,
        side: Side,
        kind: Option<Kind>,
        word: &str,
        at: Range<usize>,
    ) -> Result<Test, Wrong> {
        let bad = |what: &str| Err((at.clone(), what.to_owned()));
        let is_net = kind == Some(Kind::Net) || kind.is_none() && word.contains('/');
        let block = if is_net {
            let mask = if self.take_if(&["mask"]) {
                let mask = self.take().and_then(|(mask, _)| mask.parse::<Ipv4Addr>().ok());
                match mask {
                    Some(mask) => Some(u32::from(mask)),
                    None => return bad("`mask` is followed by an IPv4 mask, 255.255.0.0"),
                }
            } else {
                None
            };
            net_of(word, mask).map_err(|what| (at.clone(), what.to_owned()))?
        } else if let Ok(address) = word.parse::<IpAddr>() {
            Block::of(address)
        } else if is_name(word) {
            return match over {
                Some(Network::Rarp) => bad("`rarp` goes with addresses only"),
                _ => Ok(Test::Name { over, side, name: word.to_owned(), at }),
            };
        } else {
            return bad("neither a keyword nor an address");
        };
        match (over, block) {
            (Some(Network::Ipv6), Block::V4 { .. }) => bad("an IPv4 address cannot follow ip6"),
            (Some(Network::Ipv4 | Network::Arp | Network::Rarp), Block::V6 { .. }) => {
                bad("an IPv6 address can follow ip6 only")
            }
            _ => Ok(Test::Block { over, side, block }),
        }
    }
}

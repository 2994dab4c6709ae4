//! What a server answers to a ClientHello before anything is encrypted: alerts, ServerHello or HelloRetryRequest,
//! certificates, ServerKeyExchange. The octets may come in any pieces.

use super::{SSL2, Suite, TLS1_2, TLS1_3, extension, sized, version_name, word};

/// Octets that are read of an answer: what is longer is no answer to a question of ours.
pub const MOST_OCTETS: usize = 256 << 10;
/// Warnings before a ServerHello that are suffered.
const MOST_WARNINGS: usize = 4;

/// The random number that says that a ServerHello is a HelloRetryRequest (RFC 8446 §4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// An answer, as far as it has come.
#[derive(Clone, Debug, Default)]
pub struct Flight {
    /// The first octets of a record, until its head is whole.
    head: Vec<u8>,
    /// The kind of the record that is read, and how much of it is still to come.
    record: Option<(u8, usize)>,
    handshake: Vec<u8>,
    notice: Vec<u8>,
    octets: usize,
    warnings: usize,
    /// What the server chose.
    pub hello: Option<ServerHello>,
    /// Its certificates in DER, its own first; never seen of TLS 1.3.
    pub certificates: Vec<Vec<u8>>,
    /// How keys are exchanged, where its message says that.
    pub exchange: Option<Exchange>,
    /// A fatal alert, which ends it (RFC 8446 §6).
    pub alert: Option<u8>,
    /// It has said all that can be read.
    pub is_over: bool,
}

/// What a server chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHello {
    /// The version.
    pub version: u16,
    /// It asks for a share of another group first (HelloRetryRequest).
    pub is_retry: bool,
    /// It keeps the session under a number (RFC 5246 §7.4.1.3).
    pub has_session: bool,
    /// The cipher suite.
    pub suite: Suite,
    /// It compresses (RFC 3749).
    pub compresses: bool,
    /// The group, where this message names it.
    pub group: Option<u16>,
    /// Its share of the key exchange, of TLS 1.3.
    pub share: Vec<u8>,
    /// Timestamps of certificate logs, a list (RFC 6962 §3.3.1); of TLS 1.2 and before.
    pub timestamps: Option<Vec<u8>>,
    /// The application's protocol.
    pub alpn: Option<Vec<u8>>,
    /// It renegotiates safely (RFC 5746).
    pub renegotiates_safely: bool,
    /// It will send a session ticket (RFC 5077).
    pub has_ticket: bool,
    /// It answers heartbeats (RFC 6520).
    pub has_heartbeat: bool,
}

/// How keys are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The group, of ECDHE.
    pub group: Option<u16>,
    /// Bits of the prime (DHE) or of the modulus (RSA for export).
    pub bits: Option<u16>,
    /// The algorithm of the signature, of TLS 1.2.
    pub signature: Option<u16>,
}

/// Why octets are no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Garbled {
    /// They are no TLS at all.
    #[error("it does not speak TLS")]
    NoTls,
    /// A message or a record contradicts itself.
    #[error("a message of its handshake contradicts itself")]
    Contradictory,
    /// They never end.
    #[error("its handshake is longer than 256 KiB")]
    TooLong,
    /// It warns and warns.
    #[error("it sends one warning after another")]
    Warnings,
}

impl Flight {
    /// Reads what has come next.
    ///
    /// # Errors
    /// That it is no answer.
    pub fn push(&mut self, mut octets: &[u8]) -> Result<(), Garbled> {
        self.octets += octets.len();
        if self.octets > MOST_OCTETS {
            return Err(Garbled::TooLong);
        }
        while !octets.is_empty() && !self.is_over {
            let Some((kind, left)) = self.record else {
                let missing = (5 - self.head.len()).min(octets.len());
                self.head.extend(octets.split_off(..missing).unwrap_or_default());
                self.begin_record()?;
                continue;
            };
            let part = octets.split_off(..left.min(octets.len())).unwrap_or_default();
            self.record = (left > part.len()).then(|| (kind, left - part.len()));
            match kind {
                21 => self.alerts(part)?,
                22 => self.messages(part)?,
                // TLS 1.3 says this for old middleboxes' sake (RFC 8446 appendix D.4); what is encrypted follows.
                20 => {}
                _ => self.is_over = true,
            }
        }
        Ok(())
    }

    /// Nothing has come at all.
    pub fn is_empty(&self) -> bool {
        self.octets == 0
    }

    /// Begins a record whose head is whole.
    fn begin_record(&mut self) -> Result<(), Garbled> {
        // Whoever speaks something else shows that with his first octets.
        match self.head[..] {
            [] | [20..=23] | [20..=23, 3] | [20..=23, 3, 0..=4, ..] => {}
            // A SERVER-HELLO of SSL 2.0, of which no more is asked than that it is one.
            [0x80..=0xff] | [0x80..=0xff, _] | [0x80..=0xff, _, 4] | [0x80..=0xff, _, 4, _]
                if self.hello.is_none() => {}
            [0x80..=0xff, _, 4, _, _] if self.hello.is_none() => {
                (self.hello, self.is_over) = (Some(ServerHello::of(SSL2, Suite(0))), true);
                return Ok(());
            }
            _ => return Err(Garbled::NoTls),
        }
        if let [kind, _, _, high, low] = self.head[..] {
            let length = usize::from(u16::from_be_bytes([high, low]));
            // 2^14, and 2048 more where it is encrypted (RFC 5246 §6.2.3).
            if length > (1 << 14) + 2048 {
                return Err(Garbled::Contradictory);
            }
            self.head.clear();
            self.record = (length > 0).then_some((kind, length));
        }
        Ok(())
    }

    fn alerts(&mut self, part: &[u8]) -> Result<(), Garbled> {
        self.notice.extend(part);
        while let [level, what, ..] = self.notice[..] {
            self.notice.drain(..2);
            // Warnings, such as of a name that it does not know, precede an answer. "Close" is the end.
            if level == 2 || what == 0 {
                (self.alert, self.is_over) = (Some(what), true);
                return Ok(());
            }
            self.warnings += 1;
            if self.warnings > MOST_WARNINGS {
                return Err(Garbled::Warnings);
            }
        }
        Ok(())
    }

    fn messages(&mut self, part: &[u8]) -> Result<(), Garbled> {
        self.handshake.extend(part);
        let mut buffer = std::mem::take(&mut self.handshake);
        let mut left = buffer.as_slice();
        while let [kind, rest @ ..] = left {
            let mut rest = rest;
            let Some(body) = sized(&mut rest, 3) else { break };
            left = rest;
            self.message(*kind, body).ok_or(Garbled::Contradictory)?;
            if self.is_over {
                return Ok(());
            }
        }
        if let [_, a, b, c, ..] = left
            && u32::from_be_bytes([0, *a, *b, *c]) as usize > MOST_OCTETS
        {
            return Err(Garbled::TooLong);
        }
        let read = buffer.len() - left.len();
        buffer.drain(..read);
        self.handshake = buffer;
        Ok(())
    }

    /// Reads a message; `None` where it contradicts itself.
    fn message(&mut self, kind: u8, body: &[u8]) -> Option<()> {
        match (kind, &self.hello) {
            (2, None) => {
                let hello = ServerHello::parse(body)?;
                self.is_over = hello.version == TLS1_3;
                self.hello = Some(hello);
            }
            // Nothing but a request for another handshake (0) comes before it.
            (0, None) => {}
            (_, None) => return None,
            (11, Some(_)) => self.certificates = certificates(body)?,
            (12, Some(hello)) => self.exchange = Some(Exchange::parse(body, hello)?),
            (14, Some(_)) => self.is_over = true,
            _ => {}
        }
        Some(())
    }
}

impl ServerHello {
    /// One that says no more than this.
    const fn of(version: u16, suite: Suite) -> Self {
        Self {
            version,
            is_retry: false,
            has_session: false,
            suite,
            compresses: false,
            group: None,
            share: Vec::new(),
            timestamps: None,
            alpn: None,
            renegotiates_safely: false,
            has_ticket: false,
            has_heartbeat: false,
        }
    }

    fn parse(mut body: &[u8]) -> Option<Self> {
        let old = word(&mut body)?;
        let random = body.split_off(..32)?;
        let session = sized(&mut body, 1).filter(|session| session.len() <= 32)?;
        let suite = Suite(word(&mut body)?);
        let compression = *body.split_off_first()?;
        let mut found = Self {
            is_retry: *random == RETRY,
            has_session: !session.is_empty(),
            compresses: compression != 0,
            ..Self::of(old, suite)
        };
        let mut extensions = if body.is_empty() { body } else { sized(&mut body, 2)? };
        while !extensions.is_empty() {
            let kind = word(&mut extensions)?;
            let told = sized(&mut extensions, 2)?;
            found.read(kind, told)?;
        }
        Some(found)
    }

    fn read(&mut self, kind: u16, mut told: &[u8]) -> Option<()> {
        match kind {
            extension::VERSIONS => self.version = word(&mut told)?,
            extension::KEY_SHARE => {
                self.group = Some(word(&mut told)?);
                // A retry names the group alone.
                self.share = sized(&mut told, 2).unwrap_or_default().to_vec();
            }
            extension::TIMESTAMPS => self.timestamps = Some(told.to_vec()),
            extension::ALPN => {
                let mut names = sized(&mut told, 2)?;
                self.alpn = Some(sized(&mut names, 1)?.to_vec());
            }
            extension::RENEGOTIATION => self.renegotiates_safely = true,
            extension::TICKET => self.has_ticket = true,
            extension::HEARTBEAT => self.has_heartbeat = true,
            _ => {}
        }
        Some(())
    }
}

/// The certificates of a message of TLS 1.2 or before (RFC 5246 §7.4.2).
fn certificates(mut body: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut list = sized(&mut body, 3)?;
    let mut found = Vec::new();
    while !list.is_empty() {
        found.push(sized(&mut list, 3)?.to_vec());
    }
    Some(found)
}

impl Exchange {
    /// Reads a ServerKeyExchange (RFC 5246 §7.4.3, RFC 8422 §5.4).
    fn parse(mut body: &[u8], hello: &ServerHello) -> Option<Self> {
        let mut found = Self { group: None, bits: None, signature: None };
        let kind = hello.suite.exchange();
        if kind.contains("PSK") {
            // A hint of the key's name stands first (RFC 4279 §2).
            sized(&mut body, 2)?;
        }
        match kind.as_str() {
            _ if kind.starts_with("ECDH") => {
                // A named curve; whoever describes his own (1, 2) uses what nobody should.
                if *body.split_off_first()? != 3 {
                    return Some(found);
                }
                found.group = Some(word(&mut body)?);
                sized(&mut body, 1)?;
            }
            _ if kind.starts_with("DH") => {
                found.bits = bits(sized(&mut body, 2)?);
                sized(&mut body, 2)?;
                sized(&mut body, 2)?;
            }
            _ if kind.starts_with("RSA_EXPORT") => {
                found.bits = bits(sized(&mut body, 2)?);
                sized(&mut body, 2)?;
            }
            _ => return Some(found),
        }
        if hello.version == TLS1_2 && !body.is_empty() {
            found.signature = Some(word(&mut body)?);
        }
        Some(found)
    }
}

/// Bits of a number without its leading zeros.
fn bits(number: &[u8]) -> Option<u16> {
    let first = number.iter().position(|octet| *octet != 0)?;
    let zeros = number[first].leading_zeros() as usize;
    u16::try_from((number.len() - first) * 8 - zeros).ok()
}

/// What the fuzz target and a property test share: no octets panic, and in whatever pieces they come, what is read is
/// the same.
pub fn fuzz(octets: &[u8]) {
    let octets = &octets[..octets.len().min(MOST_OCTETS)];
    let (mut whole, mut pieces) = (Flight::default(), Flight::default());
    let at_once = whole.push(octets);
    let cut = octets.first().map_or(1, |first| usize::from(*first % 7) + 1);
    let in_turn = octets.chunks(cut).try_for_each(|piece| pieces.push(piece));
    assert_eq!(at_once, in_turn);
    assert_eq!((&whole.hello, whole.exchange, whole.alert), (&pieces.hello, pieces.exchange, pieces.alert));
    assert_eq!(whole.certificates, pieces.certificates);
    if let Some(hello) = &whole.hello {
        assert!(!version_name(hello.version).is_empty() && !hello.suite.name().is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[kind][..], &(body.len() as u32).to_be_bytes()[1..], body].concat()
    }

    fn record(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[kind, 3, 3][..], &(body.len() as u16).to_be_bytes(), body].concat()
    }

    fn server_hello(version: u16, random: [u8; 32], suite: u16, extensions: &[u8]) -> Vec<u8> {
        let mut body = version.to_be_bytes().to_vec();
        body.extend(random);
        body.extend([1, 9]);
        body.extend(suite.to_be_bytes());
        body.push(0);
        body.extend((extensions.len() as u16).to_be_bytes());
        body.extend(extensions);
        message(2, &body)
    }

    fn read(octets: &[u8]) -> Result<Flight, Garbled> {
        fuzz(octets);
        let mut flight = Flight::default();
        flight.push(octets).map(|()| flight)
    }

    #[test]
    fn a_retry_names_the_group_that_is_wanted() {
        let extensions = [0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0x11, 0xec];
        let flight = read(&record(22, &server_hello(TLS1_2, RETRY, 0x1302, &extensions))).expect("an answer");
        let hello = flight.hello.expect("a hello");
        assert_eq!((hello.version, hello.is_retry, hello.group), (TLS1_3, true, Some(0x11ec)));
        assert!(flight.is_over && hello.suite == Suite(0x1302));
    }

    #[test]
    fn a_flight_of_tls_1_2_tells_certificates_and_exchange_however_it_is_cut() {
        let certificate = message(11, &[0, 0, 8, 0, 0, 5, 1, 2, 3, 4, 5]);
        let ecdhe = message(12, &[&[3, 0, 29, 2, 7, 7, 8, 4, 0, 1], &[9][..]].concat());
        let hello = server_hello(TLS1_2, [1; 32], 0xc02f, &[0xff, 1, 0, 1, 0, 0, 35, 0, 0]);
        let all = [hello, certificate, ecdhe, message(14, &[])].concat();
        let mut octets = Vec::new();
        all.chunks(37).for_each(|piece| octets.extend(record(22, piece)));
        let flight = read(&octets).expect("an answer");
        assert_eq!(flight.certificates, [[1, 2, 3, 4, 5]]);
        let exchange = Exchange { group: Some(29), bits: None, signature: Some(0x0804) };
        assert_eq!(flight.exchange, Some(exchange));
        let hello = flight.hello.expect("a hello");
        assert!(hello.renegotiates_safely && hello.has_ticket && hello.has_session && flight.is_over);
    }

    #[test]
    fn a_prime_has_as_many_bits_as_it_has() {
        let prime = [&[0, 0, 0x7f][..], &[0xff; 126]].concat();
        let body =
            [&(prime.len() as u16).to_be_bytes()[..], &prime, &[0, 1, 2, 0, 1, 5, 4, 1, 0, 0]].concat();
        let octets = [server_hello(TLS1_2, [1; 32], 0x009e, &[]), message(12, &body)].concat();
        let flight = read(&record(22, &octets)).expect("an answer");
        let exchange = Exchange { group: None, bits: Some(1015), signature: Some(0x0401) };
        assert_eq!(flight.exchange, Some(exchange));
    }

    #[test]
    fn what_is_no_answer_is_told_apart() {
        let alert = |level, what| record(21, &[level, what]);
        for (octets, expected) in [
            (b"SSH-2.0-x\r\n".to_vec(), Err(Garbled::NoTls)),
            (b"HTTP/1.1 400\r\n".to_vec(), Err(Garbled::NoTls)),
            (alert(2, 70), Ok(Some(70))),
            ([alert(1, 112), alert(2, 40)].concat(), Ok(Some(40))),
            (alert(1, 112).repeat(5), Err(Garbled::Warnings)),
            (record(22, &message(14, &[])), Err(Garbled::Contradictory)),
            (record(22, &message(2, &[3, 3])), Err(Garbled::Contradictory)),
            (record(22, &[2, 0xff, 0xff, 0xff]), Err(Garbled::TooLong)),
            (vec![22, 3, 3, 0xff, 0xff], Err(Garbled::Contradictory)),
            (record(22, &[]).repeat(60_000), Err(Garbled::TooLong)),
            (Vec::new(), Ok(None)),
            (vec![0x80, 40, 4, 0, 1, 0, 2, 0, 0], Ok(None)),
        ] {
            assert_eq!(read(&octets).map(|flight| flight.alert), expected, "{octets:02x?}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_panic(suite in prop::sample::select(vec![0xc02fu16, 0x009e, 0x0003, 0x0018, 0xc0a9]), body: Vec<u8>, extensions: Vec<u8>) {
            fuzz(&body);
            fuzz(&record(22, &body));
            fuzz(&record(22, &server_hello(TLS1_2, [1; 32], 0xc02f, &extensions)));
            let hello = server_hello(TLS1_2, [1; 32], suite, &[]);
            fuzz(&record(22, &[hello.clone(), message(12, &body)].concat()));
            fuzz(&record(22, &[hello, message(11, &body)].concat()));
        }
    }
}

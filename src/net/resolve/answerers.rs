//! Which resolver answered: hickory's connections, each of which notes the questions that were answered over it.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use hickory_resolver::config::{ConnectionConfig, ProtocolConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::{DnsExchange, DnsExchangeSend, DnsHandle};
use hickory_resolver::proto::op::{DnsRequest, DnsResponse};
use hickory_resolver::{ConnectionProvider, PoolContext};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Answers that are remembered.
const MOST: usize = 256;

/// A resolver that has answered, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DnsAnswerer")]
pub struct Answerer {
    /// Its address and port.
    pub address: SocketAddr,
    /// What carried the answer.
    pub transport: DnsTransport,
}

/// What carries questions and answers of DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DnsTransport {
    /// Datagrams.
    Udp,
    /// A connection: what was too long for a datagram (RFC 7766).
    Tcp,
}

/// Who has answered what, of late.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    /// Answers so far.
    count: u64,
    answers: VecDeque<(String, Answerer)>,
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Now, for [`Ledger::since`].
    pub(super) fn mark(&self) -> u64 {
        self.lock().count
    }

    /// The first who has answered for `host` since `mark`, and whether anybody has before.
    pub(super) fn since(&self, mark: u64, host: &str) -> (Option<Answerer>, bool) {
        let noted = self.lock();
        let new = usize::try_from(noted.count - mark).unwrap_or(usize::MAX);
        let old = noted.answers.len().saturating_sub(new);
        let about = |(name, _): &&(String, Answerer)| is_about(name, host);
        let found = noted.answers.iter().skip(old).find(about).map(|(_, by)| *by);
        (found, noted.answers.iter().take(old).any(|one| about(&one)))
    }

    /// Notes that `by` has given records for `name`.
    fn note(&self, name: String, by: Answerer) {
        let mut noted = self.lock();
        noted.count += 1;
        noted.answers.push_back((name, by));
        if noted.answers.len() > MOST {
            noted.answers.pop_front();
        }
    }
}

/// Whether a question for `name`, which is absolute, was one for `host`, alone or in a domain of the search list.
fn is_about(name: &str, host: &str) -> bool {
    let (name, host) = (name.trim_end_matches('.'), host.trim_end_matches('.'));
    let begins = name.get(..host.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(host));
    begins && matches!(name.as_bytes().get(host.len()), None | Some(b'.'))
}

/// Makes connections to resolvers.
#[derive(Clone)]
pub(super) struct Connections {
    runtime: TokioRuntimeProvider,
    ledger: Ledger,
}

impl Connections {
    pub(super) fn new(ledger: Ledger) -> Self {
        Self { runtime: TokioRuntimeProvider::default(), ledger }
    }
}

impl ConnectionProvider for Connections {
    type Conn = Exchange;
    type FutureConn = Pin<Box<dyn Future<Output = Result<Exchange, NetError>> + Send>>;
    type RuntimeProvider = TokioRuntimeProvider;

    fn new_connection(
        &self,
        ip: IpAddr,
        config: &ConnectionConfig,
        cx: &PoolContext,
    ) -> Result<Self::FutureConn, NetError> {
        let transport = match config.protocol {
            ProtocolConfig::Tcp => DnsTransport::Tcp,
            _ => DnsTransport::Udp,
        };
        let by = Answerer { address: SocketAddr::new(ip.to_canonical(), config.port), transport };
        let (made, ledger) = (self.runtime.new_connection(ip, config, cx)?, self.ledger.clone());
        Ok(Box::pin(async move { Ok(Exchange { inner: made.await?, by, ledger }) }))
    }

    fn runtime_provider(&self) -> &TokioRuntimeProvider {
        &self.runtime
    }
}

/// A connection to one resolver.
#[derive(Clone)]
pub(super) struct Exchange {
    inner: DnsExchange<TokioRuntimeProvider>,
    by: Answerer,
    ledger: Ledger,
}

impl DnsHandle for Exchange {
    type Response = Answers;
    type Runtime = TokioRuntimeProvider;

    fn send(&self, request: DnsRequest) -> Answers {
        Answers { inner: self.inner.send(request), by: self.by, ledger: self.ledger.clone() }
    }
}

/// The answers to one question.
pub(super) struct Answers {
    inner: DnsExchangeSend<TokioRuntimeProvider>,
    by: Answerer,
    ledger: Ledger,
}

impl Stream for Answers {
    type Item = Result<DnsResponse, NetError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let answer = ready!(Pin::new(&mut self.inner).poll_next(cx));
        if let Some(Ok(answer)) = &answer
            && !answer.answers.is_empty()
            && !answer.metadata.truncation
            && let Some(question) = answer.queries.first()
        {
            self.ledger.note(question.name().to_ascii(), self.by);
        }
        Poll::Ready(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_answered_is_whoever_did_so_since() {
        let by = |last| Answerer { address: ([192, 0, 2, last], 53).into(), transport: DnsTransport::Udp };
        let ledger = Ledger::default();
        assert_eq!(ledger.since(ledger.mark(), "a.example"), (None, false));
        let mark = ledger.mark();
        ledger.note("b.example.".to_owned(), by(1));
        ledger.note("A.example.lan.".to_owned(), by(2));
        ledger.note("a.example.".to_owned(), by(3));
        assert_eq!(ledger.since(mark, "a.example"), (Some(by(2)), false), "the search list's domain");
        assert_eq!(ledger.since(ledger.mark(), "a.example"), (None, true), "known before");
        assert_eq!(ledger.since(mark, "a.exam"), (None, false), "not a part of a label");
        for n in 0..2 * MOST {
            ledger.note(format!("{n}.example."), by(4));
        }
        assert_eq!(ledger.lock().answers.len(), MOST);
        assert_eq!(ledger.since(mark, "0.example"), (None, false), "what is forgotten is nobody's");
        assert_eq!(ledger.since(mark, "500.example"), (Some(by(4)), false));
    }
}

//! As programs of this host look names up: getaddrinfo(3), with hosts(5), search lists and whatever nsswitch.conf(5) has.

use std::time::Instant;

use super::{Reply, Unanswered, until};
use crate::failure::Class;
use crate::sys::{addresses, clock};
use crate::wire::dns::{Kind, Message, Question, Record};

pub(super) async fn ask(question: &Question, deadline: Instant) -> Result<Reply, Unanswered> {
    let name = question.name.clone();
    let ipv6 = question.kind == Kind::AAAA;
    let text = name.to_string();
    let text = text.trim_end_matches('.').to_owned();
    let sent = clock::now();
    until(deadline, async {
        let asked = tokio::task::spawn_blocking(move || addresses::of(&text, ipv6)).await;
        let asked =
            asked.map_err(|_| Unanswered::Broken(Class::Internal.because("getaddrinfo: interrupted")))?;
        let now = clock::now();
        let (found, said) = match asked {
            Ok(found) => (found, None),
            // What the resolvers say of a name is an answer; that they say nothing is none.
            Err(code) if code.is_answer() => (Vec::new(), Some(code.word())),
            Err(code) => {
                return Err(Unanswered::Broken(
                    Class::Resolve.because(format_args!("getaddrinfo: {}", code.word())),
                ));
            }
        };
        let mut message = Message::empty(question.clone());
        message.answers = found
            .into_iter()
            .map(|address| Record {
                name: name.clone(),
                kind: question.kind,
                class: 1,
                ttl: 0,
                data: match address {
                    std::net::IpAddr::V4(v4) => v4.octets().to_vec(),
                    std::net::IpAddr::V6(v6) => v6.octets().to_vec(),
                },
            })
            .collect();
        Ok(Reply {
            message,
            bytes: 0,
            at: now.wall,
            query: now.mono.saturating_duration_since(sent.mono),
            kernel: false,
            case_kept: true,
            cookie: None,
            made: None,
            truncated: None,
            said,
        })
    })
    .await
}

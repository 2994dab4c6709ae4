//! HTTPS records (type 65, RFC 9460): where and by which protocols a name's services are to be had.

use std::net::IpAddr;

use hickory_resolver::proto::rr::rdata::SVCB;
use hickory_resolver::proto::rr::rdata::svcb::{SvcParamKey, SvcParamValue};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{DEADLINE, Resolver, plain};
use crate::failure::{Class, Failure};
use crate::wire::text::printable;

/// Aliases that are followed (RFC 9460 §2.4.2).
const MOST_ALIASES: usize = 4;
/// Records of one name that are told, and protocols and addresses of each.
const MOST_RECORDS: usize = 16;
const MOST_PARTS: usize = 16;

/// What one HTTPS record offers (ServiceMode, RFC 9460 §2.4.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DnsService")]
pub struct Service {
    /// The lower, the sooner it is to be tried.
    pub priority: u16,
    /// The host that offers it; null for the name itself.
    pub target: Option<String>,
    /// Protocols that it offers beside HTTP/1.1, as in ALPN: `h2`, `h3`.
    pub alpn: Vec<String>,
    /// Its port; null for that of the URL.
    pub port: Option<u16>,
    /// Addresses of its host, as hints.
    pub hints: Vec<IpAddr>,
    /// It can be asked without the name in the clear (Encrypted Client Hello).
    pub ech: bool,
}

impl Service {
    /// What a record says; `None` of one that demands what this program does not know.
    fn of(record: &SVCB) -> Option<Self> {
        let target = record.target_name.to_ascii();
        let target = target.trim_end_matches('.');
        let mut service = Self {
            priority: record.svc_priority,
            target: (!target.is_empty()).then(|| printable(target.as_bytes())),
            alpn: Vec::new(),
            port: None,
            hints: Vec::new(),
            ech: false,
        };
        for (_, value) in &record.svc_params {
            match value {
                SvcParamValue::Mandatory(keys) if !keys.0.iter().all(is_known) => return None,
                SvcParamValue::Alpn(names) => {
                    service.alpn =
                        names.0.iter().take(MOST_PARTS).map(|name| printable(name.as_bytes())).collect();
                }
                SvcParamValue::Port(port) => service.port = Some(*port),
                SvcParamValue::Ipv4Hint(hints) => {
                    service.hints.extend(hints.0.iter().take(MOST_PARTS).map(|hint| IpAddr::from(hint.0)));
                }
                SvcParamValue::Ipv6Hint(hints) => {
                    service.hints.extend(hints.0.iter().take(MOST_PARTS).map(|hint| IpAddr::from(hint.0)));
                }
                SvcParamValue::EchConfigList(_) => service.ech = true,
                _ => {}
            }
        }
        Some(service)
    }
}

/// What a record may demand that its reader knows (RFC 9460 §8).
fn is_known(key: &SvcParamKey) -> bool {
    matches!(
        key,
        SvcParamKey::Alpn
            | SvcParamKey::NoDefaultAlpn
            | SvcParamKey::Port
            | SvcParamKey::Ipv4Hint
            | SvcParamKey::Ipv6Hint
    )
}

impl Resolver {
    /// What the HTTPS records of `host` offer for https at `port`, the preferred first; none where there are no records.
    ///
    /// # Errors
    /// Class `resolve`: nobody says.
    pub async fn services(&self, host: &str, port: u16) -> Result<Vec<Service>, Failure> {
        let failure = |why: String| Class::Resolve.because(format_args!("resolve HTTPS of {host}: {why}"));
        let known = self.known().await.map_err(failure)?;
        let host = host.trim_end_matches('.');
        // RFC 9460 §9.1: other ports have names of their own.
        let mut name = if port == 443 { format!("{host}.") } else { format!("_{port}._https.{host}.") };
        for _ in 0..=MOST_ALIASES {
            let owner = Name::from_ascii(&name).map_err(|error| failure(plain(&error.to_string())))?;
            let asking = timeout(DEADLINE, known.resolver.lookup(owner, RecordType::HTTPS));
            let found = match asking.await {
                Err(_) => return Err(failure(format!("no answer in {} s", DEADLINE.as_secs()))),
                Ok(Err(error)) if error.is_no_records_found() => return Ok(Vec::new()),
                Ok(Err(error)) => return Err(failure(plain(&error.to_string()))),
                Ok(Ok(found)) => found,
            };
            let records: Vec<&SVCB> = found
                .answers()
                .iter()
                .filter_map(|record| match &record.data {
                    RData::HTTPS(https) => Some(&https.0),
                    _ => None,
                })
                .take(MOST_RECORDS)
                .collect();
            // An alias stands for all that is beside it.
            if let Some(alias) = records.iter().find(|record| record.svc_priority == 0) {
                name = alias.target_name.to_ascii();
                if name == "." {
                    return Ok(Vec::new());
                }
                continue;
            }
            let mut services: Vec<Service> = records.into_iter().filter_map(Service::of).collect();
            // What names no host means the record's owner (RFC 9460 §2.5.2), which an alias or a port makes another name.
            let end = name.trim_end_matches('.');
            if !end.eq_ignore_ascii_case(host) {
                for service in services.iter_mut().filter(|service| service.target.is_none()) {
                    service.target = Some(printable(end.as_bytes()));
                }
            }
            services.sort_by_key(|service| service.priority);
            return Ok(services);
        }
        Err(failure(format!("more than {MOST_ALIASES} aliases")))
    }
}

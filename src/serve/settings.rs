//! Section `[serve]` of the configuration.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::iperf3::Iperf3Settings;
use super::reflector::{Service, UdpPingSettings};
use crate::failure::Fault;
use crate::units::Span;
use crate::wire::iperf3;

/// The test server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Serve")]
pub struct Settings {
    /// Where each service listens: `ADDRESS:PORT` or `off`. What is not named keeps its default:
    /// `udpping = "[::]:2000"`, `iperf3 = "[::]:5201"` (TCP and UDP), `stamp = "off"` (its port is 862).
    pub listen: BTreeMap<ServiceName, Place>,
    /// The account to become when started as root. Without one: `waddleperf`, if it exists, else the owner of DATA.
    pub user: Option<String>,
    /// How long running sessions may go on after SIGTERM.
    pub drain: Span,
    /// Limits of the UDP ping reflector; STAMP shares them.
    pub udpping: UdpPingSettings,
    /// Limits of the iperf3 server.
    pub iperf3: Iperf3Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: BTreeMap::new(),
            user: None,
            drain: Span::secs(30),
            udpping: UdpPingSettings::default(),
            iperf3: Iperf3Settings::default(),
        }
    }
}

impl Settings {
    /// Refuses what each key allows and all of them together do not.
    ///
    /// # Errors
    /// The key and what it may be.
    pub fn check(&self) -> Result<(), Fault> {
        self.iperf3.check().map_err(|fault| fault.within("iperf3"))
    }

    /// Where `service` listens; `None` when it is off.
    pub fn place(&self, service: ServiceName) -> Option<SocketAddr> {
        self.listen.get(&service).copied().unwrap_or(service.default_place()).0
    }
}

/// The services that listen, by their names in `--listen NAME=ADDRESS:PORT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ServiceName {
    /// The UDP ping reflector.
    UdpPing,
    /// The STAMP reflector.
    Stamp,
    /// iperf3's server.
    Iperf3,
}

impl ServiceName {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::UdpPing, Self::Stamp, Self::Iperf3];

    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UdpPing => "udpping",
            Self::Stamp => "stamp",
            Self::Iperf3 => "iperf3",
        }
    }

    /// The reflector's service of this name, if it is one of its.
    pub(super) const fn reflected(self) -> Option<Service> {
        match self {
            Self::UdpPing => Some(Service::UdpPing),
            Self::Stamp => Some(Service::Stamp),
            Self::Iperf3 => None,
        }
    }

    const fn default_place(self) -> Place {
        let any = std::net::IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED);
        match self {
            Self::UdpPing => Place(Some(SocketAddr::new(any, 2000))),
            Self::Stamp => Place(None),
            Self::Iperf3 => Place(Some(SocketAddr::new(any, iperf3::PORT))),
        }
    }
}

/// Where a service listens, or that it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(Option<SocketAddr>);

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        let address = text
            .parse()
            .map_err(|_| format!("`{text}` is neither ADDRESS:PORT (such as [::]:2000) nor off"))?;
        Ok(Self(Some(address)))
    }
}

impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(address) => to.collect_str(&address),
            None => to.serialize_str("off"),
        }
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Place {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Place".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "ADDRESS:PORT, or off", "examples": ["[::]:2000", "off"] })
    }
}

/// One `--listen NAME=ADDRESS:PORT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(pub ServiceName, pub Place);

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form =
            || format!("`{text}` is not NAME=ADDRESS:PORT or NAME=off (names: udpping, stamp, iperf3)");
        let (name, place) = text.split_once('=').ok_or_else(form)?;
        let service = ServiceName::ALL.into_iter().find(|service| service.name() == name).ok_or_else(form)?;
        Ok(Self(service, place.parse()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_where_the_settings_say_or_at_its_default() {
        let mut settings = Settings::default();
        assert_eq!(
            settings.place(ServiceName::UdpPing).map(|place| place.to_string()).as_deref(),
            Some("[::]:2000")
        );
        let iperf3 = settings.place(ServiceName::Iperf3).map(|place| place.to_string());
        assert_eq!(iperf3.as_deref(), Some("[::]:5201"));
        assert_eq!(settings.place(ServiceName::Stamp), None);
        let Listen(service, place) = "stamp=127.0.0.1:8620".parse().expect("a listener");
        settings.listen.insert(service, place);
        assert_eq!(settings.place(ServiceName::Stamp).map(|place| place.port()), Some(8620));
    }

    #[test]
    fn a_wrong_listener_is_refused_with_its_form() {
        for text in ["", "udpping", "http=127.0.0.1:80", "udpping=2000", "udpping=localhost:2000"] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }
}

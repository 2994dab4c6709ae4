//! How well a radio hears its access point, and how often it has to repeat itself (nl80211). Of keys nothing is asked.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wl_nl80211::{Nl80211Attr, Nl80211Command, Nl80211Message, Nl80211RateInfo, Nl80211StationInfo};

use super::Interface;
use super::interface::hardware;
use super::source::Source;
use crate::failure::reason;
use crate::sys::netlink::Radios;

/// A radio and the station that it talks to. What the driver does not tell is null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Radio {
    /// The network's name; null while there is none.
    pub ssid: Option<String>,
    /// The hardware address of the access point.
    pub access_point: Option<String>,
    /// The centre of its channel.
    pub frequency_mhz: Option<u32>,
    /// How strong the access point is heard: −50 is near, −80 is barely enough.
    pub signal_dbm: Option<i8>,
    /// The rate at which it sends now, before all that radio costs.
    pub tx_bitrate_bps: Option<u64>,
    /// The rate at which the access point sends.
    pub rx_bitrate_bps: Option<u64>,
    /// Packets that it has sent.
    pub tx_packets: Option<u64>,
    /// How often it had to send one again.
    pub tx_retries: Option<u64>,
    /// Packets that it gave up.
    pub tx_failed: Option<u64>,
    /// Beacons of the access point that it missed.
    pub beacon_losses: Option<u64>,
    /// How long it has been with this access point.
    pub connected_s: Option<u64>,
}

impl Radio {
    /// Those of `interfaces` that are radios are told what there is of them.
    pub(super) fn read(source: &mut Source, interfaces: &mut [Interface]) {
        if !interfaces.iter().any(|interface| interface.wireless) {
            return;
        }
        let asked = Radios::new().and_then(|radios| {
            let question = |cmd, attributes| radios.dump(Nl80211Message { cmd, attributes });
            let mut found = Self::of(&question(Nl80211Command::GetInterface, Vec::new())?);
            for (index, radio) in &mut found {
                let stations = vec![Nl80211Attr::IfIndex(*index)];
                radio.hear(&question(Nl80211Command::GetStation, stations)?);
            }
            Ok(found)
        });
        match asked {
            Ok(mut found) => {
                for interface in interfaces.iter_mut().filter(|interface| interface.wireless) {
                    interface.radio = found.remove(&interface.index);
                }
            }
            Err(error) => source.lacks("radios", &reason(&error)),
        }
    }

    /// The radios that `answers` (to GET_INTERFACE) tell of, by the numbers of their interfaces.
    fn of(answers: &[Nl80211Message]) -> BTreeMap<u32, Self> {
        let mut found = BTreeMap::new();
        for answer in answers {
            let mut radio = Self::default();
            let mut number = None;
            for told in &answer.attributes {
                match told {
                    Nl80211Attr::IfIndex(index) => number = Some(*index),
                    Nl80211Attr::Ssid(ssid) => radio.ssid = Some(ssid.clone()),
                    Nl80211Attr::WiphyFreq(mhz) => radio.frequency_mhz = Some(*mhz),
                    _ => {}
                }
            }
            found.extend(number.map(|number| (number, radio)));
        }
        found
    }

    /// Takes what `answers` (to GET_STATION) tell: of a client it is one station, its access point; of an access point the
    /// first of many says nothing.
    fn hear(&mut self, answers: &[Nl80211Message]) {
        let [answer] = answers else { return };
        for told in &answer.attributes {
            match told {
                Nl80211Attr::Mac(octets) => self.access_point = hardware(octets),
                Nl80211Attr::StationInfo(all) => all.iter().for_each(|one| self.note(one)),
                _ => {}
            }
        }
    }

    fn note(&mut self, told: &Nl80211StationInfo) {
        match told {
            Nl80211StationInfo::Signal(dbm) => self.signal_dbm = Some(*dbm),
            Nl80211StationInfo::TxBitrate(rates) => self.tx_bitrate_bps = bitrate(rates),
            Nl80211StationInfo::RxBitrate(rates) => self.rx_bitrate_bps = bitrate(rates),
            Nl80211StationInfo::TxPackets(count) => self.tx_packets = Some((*count).into()),
            Nl80211StationInfo::TxRetries(count) => self.tx_retries = Some((*count).into()),
            Nl80211StationInfo::TxFailed(count) => self.tx_failed = Some((*count).into()),
            Nl80211StationInfo::BeaconLoss(count) => self.beacon_losses = Some((*count).into()),
            Nl80211StationInfo::ConnectedTime(seconds) => self.connected_s = Some((*seconds).into()),
            _ => {}
        }
    }

    /// Of ten packets how many had to be repeated, as a share; null before there are enough.
    pub(super) fn retried_ratio(&self) -> Option<f64> {
        let (sent, again) = (self.tx_packets?, self.tx_retries?);
        (sent >= 1_000).then(|| again as f64 / sent as f64)
    }
}

/// Bits a second; the kernel tells them in units of 100 kbit/s.
fn bitrate(rates: &[Nl80211RateInfo]) -> Option<u64> {
    let wide = rates.iter().find_map(|rate| match rate {
        Nl80211RateInfo::Bitrate32(units) => Some(u64::from(*units)),
        _ => None,
    });
    let narrow = rates.iter().find_map(|rate| match rate {
        Nl80211RateInfo::Bitrate(units) => Some(u64::from(*units)),
        _ => None,
    });
    wide.or(narrow).map(|units| units * 100_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(attributes: Vec<Nl80211Attr>) -> Nl80211Message {
        Nl80211Message { cmd: Nl80211Command::NewStation, attributes }
    }

    /// What a client of an access point is told; there is no radio in a laboratory without mac80211_hwsim.
    #[test]
    fn a_client_has_one_access_point() {
        let interface = told(vec![
            Nl80211Attr::IfIndex(7),
            Nl80211Attr::Ssid("home".to_owned()),
            Nl80211Attr::WiphyFreq(5180),
        ]);
        let mut radio = Radio::of(&[interface]).remove(&7).expect("a radio");
        let station = told(vec![
            Nl80211Attr::Mac([2, 0, 0, 0, 0, 9]),
            Nl80211Attr::StationInfo(vec![
                Nl80211StationInfo::Signal(-71),
                Nl80211StationInfo::TxBitrate(vec![
                    Nl80211RateInfo::Bitrate(540),
                    Nl80211RateInfo::Bitrate32(8667),
                ]),
                Nl80211StationInfo::TxPackets(2_000),
                Nl80211StationInfo::TxRetries(500),
            ]),
        ]);
        radio.hear(&[station.clone(), station.clone()]);
        assert_eq!(radio.signal_dbm, None, "an access point's many stations are nobody's signal");
        radio.hear(&[station]);
        assert_eq!(radio.access_point.as_deref(), Some("02:00:00:00:00:09"));
        assert_eq!((radio.signal_dbm, radio.tx_bitrate_bps), (Some(-71), Some(866_700_000)));
        assert_eq!(radio.retried_ratio(), Some(0.25));
    }
}

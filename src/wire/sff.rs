//! The memory of a pluggable module: SFP (SFF-8472, and SFF-8079 without measurements) and QSFP (SFF-8636, SFF-8436). Who made it,
//! how warm it is, how much light goes out and comes in, and how little its maker calls too little.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The standards by their numbers in linux/ethtool.h (`ETH_MODULE_SFF_…`).
const SFF_8079: u32 = 1;
const SFF_8472: u32 = 2;
const SFF_8636: u32 = 3;
const SFF_8436: u32 = 4;

/// What a module tells of itself. What it does not measure is null or empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HostModule")]
pub struct Module {
    /// Its maker.
    pub vendor: Option<String>,
    /// The maker's number of it.
    pub part: Option<String>,
    /// How warm it is, in degrees Celsius.
    pub temperature_c: Option<f64>,
    /// The light that comes, in microwatts, of each lane.
    pub rx_power_uw: Vec<f64>,
    /// The light that it sends, likewise.
    pub tx_power_uw: Vec<f64>,
    /// Less light than this is little, its maker says.
    pub rx_power_low_uw: Option<f64>,
}

impl Module {
    /// Reads the `octets` of a module that follows `standard`, a number of linux/ethtool.h; `None` of one that is not known.
    pub fn parse(standard: u32, octets: &[u8]) -> Option<Self> {
        match standard {
            SFF_8079 | SFF_8472 => Some(Self::sfp(octets)),
            SFF_8636 | SFF_8436 => Some(Self::qsfp(octets)),
            _ => None,
        }
    }

    /// SFF-8472: address A0h, then A2h.
    fn sfp(octets: &[u8]) -> Self {
        let mut module = Self { vendor: text(octets, 20, 16), part: text(octets, 40, 16), ..Self::default() };
        // Bit 6: it measures; bit 5: in the units below. (What is to be calibrated by whoever reads it is left alone.)
        let measures = octets.get(92).is_some_and(|kind| kind & 0x60 == 0x60);
        if let Some(measured) = octets.get(256..).filter(|_| measures) {
            module.temperature_c = degrees(measured, 96);
            module.tx_power_uw = light(measured, 102).into_iter().collect();
            module.rx_power_uw = light(measured, 104).into_iter().collect();
            module.rx_power_low_uw = light(measured, 38).filter(|low| *low > 0.0);
        }
        module
    }

    /// SFF-8636: the lower page, then the upper pages 00h to 03h, as far as they are there.
    fn qsfp(octets: &[u8]) -> Self {
        let lanes = |at: usize| (0..4).filter_map(|lane| light(octets, at + 2 * lane)).collect();
        // Bit 2 of octet 2: there are no further pages.
        let has_pages = octets.get(2).is_some_and(|status| status & 4 == 0);
        // Octet 182 of page 03h, whose 128 octets begin at 512.
        let low = light(octets, 512 + 182 - 128).filter(|low| has_pages && *low > 0.0);
        Self {
            vendor: text(octets, 148, 16),
            part: text(octets, 168, 16),
            temperature_c: degrees(octets, 22).filter(|degrees| *degrees != 0.0),
            rx_power_uw: lanes(34),
            tx_power_uw: lanes(50),
            rx_power_low_uw: low,
        }
    }

    /// The least light that comes on a lane, and what is little, where it is less than that.
    pub fn too_dark(&self) -> Option<(f64, f64)> {
        let least = self.rx_power_uw.iter().copied().min_by(f64::total_cmp)?;
        self.rx_power_low_uw.filter(|low| least < *low).map(|low| (least, low))
    }
}

/// Text that is padded with spaces; `None` where there is none.
fn text(octets: &[u8], at: usize, length: usize) -> Option<String> {
    let text = String::from_utf8_lossy(octets.get(at..at + length)?);
    let text: String = text.chars().filter(|letter| letter.is_ascii_graphic() || *letter == ' ').collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn word(octets: &[u8], at: usize) -> Option<[u8; 2]> {
    octets.get(at..)?.first_chunk().copied()
}

/// 256ths of a degree.
fn degrees(octets: &[u8], at: usize) -> Option<f64> {
    word(octets, at).map(|word| f64::from(i16::from_be_bytes(word)) / 256.0)
}

/// Tenths of a microwatt.
fn light(octets: &[u8], at: usize) -> Option<f64> {
    word(octets, at).map(|word| f64::from(u16::from_be_bytes(word)) / 10.0)
}

/// The body of the fuzz target: no memory is too short or too odd, by any standard.
pub fn fuzz_sff(octets: &[u8]) {
    for standard in 0..6 {
        let found = Module::parse(standard, octets);
        assert_eq!(found.is_some(), (SFF_8079..=SFF_8436).contains(&standard));
        let dark = found.as_ref().and_then(Module::too_dark);
        assert!(dark.is_none_or(|(light, low)| light < low));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn put(octets: &mut [u8], at: usize, what: &[u8]) {
        octets[at..at + what.len()].copy_from_slice(what);
    }

    #[test]
    fn an_sfp_tells_its_maker_and_its_light() {
        let mut octets = vec![0; 512];
        put(&mut octets, 20, b"FINISAR CORP.   ");
        put(&mut octets, 40, b"FTLX8571D3BCL   ");
        put(&mut octets, 92, &[0x68]);
        // 36.5 °C, 0.5741 mW out, 0.0123 mW in, 0.0234 mW is little.
        put(&mut octets, 256 + 96, &[0x24, 0x80]);
        put(&mut octets, 256 + 102, &5741u16.to_be_bytes());
        put(&mut octets, 256 + 104, &123u16.to_be_bytes());
        put(&mut octets, 256 + 38, &234u16.to_be_bytes());
        let found = Module::parse(SFF_8472, &octets).expect("a module");
        assert_eq!(
            (found.vendor.as_deref(), found.part.as_deref()),
            (Some("FINISAR CORP."), Some("FTLX8571D3BCL"))
        );
        assert_eq!((found.temperature_c, found.tx_power_uw.clone()), (Some(36.5), vec![574.1]));
        assert_eq!(found.too_dark(), Some((12.3, 23.4)));
        // One that measures nothing, and one that others must calibrate.
        for kind in [0, 0x58] {
            octets[92] = kind;
            let found = Module::parse(SFF_8472, &octets).expect("a module");
            assert_eq!((found.temperature_c, found.too_dark()), (None, None), "{kind:x}");
        }
        assert_eq!(Module::parse(SFF_8079, &octets[..256]).and_then(|found| found.temperature_c), None);
    }

    #[test]
    fn a_qsfp_has_four_lanes_and_may_have_no_thresholds() {
        let mut octets = vec![0; 640];
        put(&mut octets, 22, &[0xff, 0x00]);
        for lane in 0..4u8 {
            put(&mut octets, 34 + 2 * usize::from(lane), &(1000 * (u16::from(lane) + 1)).to_be_bytes());
        }
        put(&mut octets, 148, b"Mellanox        ");
        put(&mut octets, 512 + 54, &1500u16.to_be_bytes());
        let found = Module::parse(SFF_8636, &octets).expect("a module");
        assert_eq!((found.temperature_c, found.vendor.as_deref()), (Some(-1.0), Some("Mellanox")));
        assert_eq!(found.rx_power_uw, [100.0, 200.0, 300.0, 400.0]);
        assert_eq!(found.too_dark(), Some((100.0, 150.0)));
        let short = Module::parse(SFF_8636, &octets[..256]).expect("a module");
        assert_eq!((short.rx_power_low_uw, short.too_dark()), (None, None));
        octets[2] = 4;
        assert_eq!(Module::parse(SFF_8436, &octets).and_then(|flat| flat.rx_power_low_uw), None);
        assert_eq!(Module::parse(9, &octets), None);
    }

    proptest! {
        #[test]
        fn no_memory_is_too_short_or_too_odd(octets in prop::collection::vec(any::<u8>(), 0..700)) {
            fuzz_sff(&octets);
        }
    }
}

//! Cipher suites: their numbers, and what IANA's names tell of them.

use rustls::CipherSuite;

use super::{SSL3, TLS1_2, TLS1_3};

/// Says that the client has tried a higher version in vain (RFC 7507).
pub const FALLBACK_SCSV: u16 = 0x5600;

/// A cipher suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Suite(pub u16);

/// Suites of TLS 1.3, whose names do not say how keys are exchanged.
const OF_TLS1_3: [u16; 9] = [0x1301, 0x1302, 0x1303, 0x1304, 0x1305, 0x00c6, 0x00c7, 0xc0b4, 0xc0b5];

/// What the names are of that no library lists.
const OTHERS: [(u16, &str); 9] = [
    (0x0007, "TLS_RSA_WITH_IDEA_CBC_SHA"),
    (0x00c6, "TLS_SM4_GCM_SM3"),
    (0x00c7, "TLS_SM4_CCM_SM3"),
    (0xc0b4, "TLS_SHA256_SHA256"),
    (0xc0b5, "TLS_SHA384_SHA384"),
    (0xff85, "TLS_GOSTR341112_256_WITH_28147_CNT_IMIT"),
    (0xc100, "TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC"),
    (0xc101, "TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC"),
    (0xc102, "TLS_GOSTR341112_256_WITH_28147_CNT_IMIT"),
];

impl Suite {
    /// Every suite that a server of `version` may have, those that are used most first.
    pub fn all(version: u16) -> Vec<u16> {
        let known = (1..=u16::MAX).map(Suite).filter(|suite| suite.is_of(version));
        let mut all: Vec<Suite> = known.collect();
        all.sort_by_cached_key(|suite| suite.rarity());
        all.into_iter().map(|suite| suite.0).collect()
    }

    /// Its name in IANA's registry; its number where it has none.
    pub fn name(self) -> String {
        self.known().unwrap_or_else(|| format!("0x{:04X}", self.0))
    }

    fn known(self) -> Option<String> {
        if let Some((_, name)) = OTHERS.iter().find(|(code, _)| *code == self.0) {
            return Some((*name).to_owned());
        }
        // rustls says of the suites of TLS 1.3 which version they are of.
        CipherSuite::from(self.0).as_str().map(|name| name.replacen("TLS13_", "TLS_", 1))
    }

    /// Whether a server of `version` may choose it.
    fn is_of(self, version: u16) -> bool {
        let Some(name) = self.known() else { return false };
        // Signals and what never was a suite.
        if name.contains("SCSV") || name.contains("_draft") {
            return false;
        }
        match version {
            TLS1_3 => OF_TLS1_3.contains(&self.0),
            _ if OF_TLS1_3.contains(&self.0) => false,
            TLS1_2 => true,
            SSL3 => !self.is_modern(&name) && !name.contains("_EC"),
            _ => !self.is_modern(&name),
        }
    }

    /// Whether no version before TLS 1.2 has it (RFC 5246 appendix A.5, RFC 5288): by its cipher or its hash.
    fn is_modern(self, name: &str) -> bool {
        ["GCM", "CCM", "POLY1305", "SHA256", "SHA384", "OMAC", "MGM"].iter().any(|word| name.contains(word))
    }

    /// How keys are exchanged and the server proves who it is: `ECDHE_RSA`; empty of TLS 1.3.
    pub fn exchange(self) -> String {
        let name = self.name();
        let known = name.trim_start_matches("TLS_").trim_start_matches("SSL_");
        known.split_once("_WITH_").map(|(exchange, _)| exchange.to_owned()).unwrap_or_default()
    }

    /// How seldom it is met: which suites are asked for together.
    fn rarity(self) -> u8 {
        let name = self.name();
        let is = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if is(&["GOST", "KRB5", "FORTEZZA", "KEA", "SRP", "ECCPWD", "IMIT", "OMAC"]) {
            return 4;
        }
        if is(&["PSK", "ARIA", "SEED", "IDEA", "RC2", "DES40", "EXPORT", "DH_RSA_WITH", "DH_DSS", "DSS"]) {
            return 3;
        }
        if is(&["ECDHE", "TLS_AES", "TLS_CHACHA20"]) {
            return 0;
        }
        if is(&["DHE_", "TLS_RSA_WITH"]) { 1 } else { 2 }
    }

    /// Bits of the key of its cipher; 0 where nothing is encrypted.
    pub fn bits(self) -> u16 {
        // A hash's size is no key's.
        let cipher = self.name().replace("_SHA256", "").replace("GOSTR341112_256", "");
        let known = [
            ("NULL", 0),
            ("EXPORT1024", 56),
            ("EXPORT", 40),
            ("DES40", 40),
            ("3DES", 112),
            ("DES_CBC", 56),
            ("CHACHA20", 256),
            ("256", 256),
            ("28147", 256),
            ("KUZNYECHIK", 256),
            ("MAGMA", 256),
        ];
        // TLS_SHA256_SHA256 and its sister only sign (RFC 9150).
        let is_bare = matches!(self.0, 0xc0b4 | 0xc0b5);
        let bits = known.iter().find(|(word, _)| cipher.contains(word)).map_or(128, |(_, bits)| *bits);
        if is_bare { 0 } else { bits }
    }

    /// Nothing is encrypted.
    pub fn is_null(self) -> bool {
        self.bits() == 0
    }

    /// Cut down for export, in the nineties.
    pub fn is_export(self) -> bool {
        self.name().contains("EXPORT")
    }

    /// Nobody proves who he is.
    pub fn is_anonymous(self) -> bool {
        self.name().contains("_anon_")
    }

    /// RC4, which is broken (RFC 7465).
    pub fn is_rc4(self) -> bool {
        self.name().contains("RC4")
    }

    /// A cipher with blocks of 64 bits, which repeat too soon (SWEET32).
    pub fn is_of_small_blocks(self) -> bool {
        let name = self.name();
        ["DES", "IDEA", "RC2"].iter().any(|word| name.contains(word))
    }

    /// CBC with the digest before the encryption (RFC 7366 speaks of why that is bad).
    pub fn is_cbc(self) -> bool {
        self.name().contains("_CBC")
    }

    /// Who learns the server's key later cannot read what was recorded.
    pub fn is_forward_secret(self) -> bool {
        let exchange = self.exchange();
        exchange.is_empty() || exchange.starts_with("ECDHE") || exchange.starts_with("DHE")
    }
}

#[cfg(test)]
mod tests {
    use super::super::TLS1_0;
    use super::*;

    #[test]
    fn a_name_tells_what_a_suite_is() {
        for (code, name, exchange, bits) in [
            (0x1302, "TLS_AES_256_GCM_SHA384", "", 256),
            (0x1301, "TLS_AES_128_GCM_SHA256", "", 128),
            (0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE_RSA", 128),
            (0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "RSA", 112),
            (0x0003, "TLS_RSA_EXPORT_WITH_RC4_40_MD5", "RSA_EXPORT", 40),
            (0x003b, "TLS_RSA_WITH_NULL_SHA256", "RSA", 0),
            (0xc0b4, "TLS_SHA256_SHA256", "", 0),
            (0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE_RSA", 256),
            (0x0018, "TLS_DH_anon_WITH_RC4_128_MD5", "DH_anon", 128),
            (0x0009, "TLS_RSA_WITH_DES_CBC_SHA", "RSA", 56),
            (0x0088, "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA", "DHE_RSA", 256),
        ] {
            let suite = Suite(code);
            assert_eq!(
                (suite.name().as_str(), suite.exchange().as_str(), suite.bits()),
                (name, exchange, bits)
            );
        }
        assert!(Suite(0xc02f).is_forward_secret() && !Suite(0x009c).is_forward_secret());
        assert!(Suite(0x0018).is_anonymous() && Suite(0x0018).is_rc4() && Suite(0x000a).is_of_small_blocks());
    }

    #[test]
    fn each_version_is_asked_for_its_own_suites() {
        let (all, old, new) = (Suite::all(TLS1_2), Suite::all(TLS1_0), Suite::all(TLS1_3));
        assert!(all.len() > 300 && old.len() > 130, "{} {}", all.len(), old.len());
        assert!(new.starts_with(&[0x1301, 0x1302, 0x1303]) && new.len() == OF_TLS1_3.len(), "{new:x?}");
        assert!(!all.contains(&0x1301) && !all.contains(&0x00ff) && !all.contains(&FALLBACK_SCSV));
        assert!(!old.contains(&0xc02f) && old.contains(&0xc013) && !Suite::all(SSL3).contains(&0xc013));
        // What servers have is in the first question.
        for code in [0xc030, 0xc02c, 0xcca9, 0x009d, 0x0035, 0x000a, 0x0005, 0x0039, 0x009e] {
            assert!(all[..120].contains(&code), "{code:x} {}", Suite(code).name());
        }
    }
}

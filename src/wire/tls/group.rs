//! Groups of the key exchange, and signature algorithms: their numbers and IANA's names.

/// Every group that is asked for, with its name; those that are used first. IANA's registry of TLS supported groups.
pub const GROUPS: [(u16, &str); 50] = [
    (0x11ec, "X25519MLKEM768"),
    (0x11eb, "SecP256r1MLKEM768"),
    (0x11ed, "SecP384r1MLKEM1024"),
    (0x0200, "MLKEM512"),
    (0x0201, "MLKEM768"),
    (0x0202, "MLKEM1024"),
    (0x6399, "X25519Kyber768Draft00"),
    (29, "x25519"),
    (30, "x448"),
    (23, "secp256r1"),
    (24, "secp384r1"),
    (25, "secp521r1"),
    (256, "ffdhe2048"),
    (257, "ffdhe3072"),
    (258, "ffdhe4096"),
    (259, "ffdhe6144"),
    (260, "ffdhe8192"),
    (31, "brainpoolP256r1tls13"),
    (32, "brainpoolP384r1tls13"),
    (33, "brainpoolP512r1tls13"),
    (26, "brainpoolP256r1"),
    (27, "brainpoolP384r1"),
    (28, "brainpoolP512r1"),
    (41, "curveSM2"),
    (34, "GC256A"),
    (35, "GC256B"),
    (36, "GC256C"),
    (37, "GC256D"),
    (38, "GC512A"),
    (39, "GC512B"),
    (40, "GC512C"),
    (22, "secp256k1"),
    (21, "secp224r1"),
    (20, "secp224k1"),
    (19, "secp192r1"),
    (18, "secp192k1"),
    (17, "secp160r2"),
    (16, "secp160r1"),
    (15, "secp160k1"),
    (14, "sect571r1"),
    (13, "sect571k1"),
    (12, "sect409r1"),
    (11, "sect409k1"),
    (10, "sect283r1"),
    (9, "sect283k1"),
    (8, "sect239k1"),
    (7, "sect233r1"),
    (6, "sect233k1"),
    (5, "sect193r2"),
    (3, "sect163r2"),
];

/// Signature algorithms (RFC 8446 §4.2.3; those of TLS 1.2 and before are pairs of hash and signature).
pub const SIGNATURES: [(u16, &str); 24] = [
    (0x0403, "ecdsa_secp256r1_sha256"),
    (0x0503, "ecdsa_secp384r1_sha384"),
    (0x0603, "ecdsa_secp521r1_sha512"),
    (0x0807, "ed25519"),
    (0x0808, "ed448"),
    (0x0804, "rsa_pss_rsae_sha256"),
    (0x0805, "rsa_pss_rsae_sha384"),
    (0x0806, "rsa_pss_rsae_sha512"),
    (0x0809, "rsa_pss_pss_sha256"),
    (0x080a, "rsa_pss_pss_sha384"),
    (0x080b, "rsa_pss_pss_sha512"),
    (0x081a, "ecdsa_brainpoolP256r1tls13_sha256"),
    (0x081b, "ecdsa_brainpoolP384r1tls13_sha384"),
    (0x081c, "ecdsa_brainpoolP512r1tls13_sha512"),
    (0x0401, "rsa_pkcs1_sha256"),
    (0x0501, "rsa_pkcs1_sha384"),
    (0x0601, "rsa_pkcs1_sha512"),
    (0x0303, "ecdsa_sha224"),
    (0x0301, "rsa_pkcs1_sha224"),
    (0x0402, "dsa_sha256"),
    (0x0203, "ecdsa_sha1"),
    (0x0201, "rsa_pkcs1_sha1"),
    (0x0202, "dsa_sha1"),
    (0x0101, "rsa_pkcs1_md5"),
];

/// The name of a group; its number where it has none.
pub fn group_name(group: u16) -> String {
    named(&GROUPS, group)
}

/// The name of a signature algorithm; its number where it has none.
pub fn signature_name(signature: u16) -> String {
    named(&SIGNATURES, signature)
}

/// Whether a recorded exchange over `group` stays closed to who has a quantum computer later.
pub fn is_post_quantum(group: &str) -> bool {
    group.contains("MLKEM") || group.contains("Kyber")
}

fn named(list: &[(u16, &str)], number: u16) -> String {
    let known = list.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| format!("0x{number:04X}"), |(_, name)| (*name).to_owned())
}

//! What comes in place of a handshake of TLS ends in a word, in time and in little memory.

use super::cheap_failure;
use crate::stranger::{endless, listen, misdeeds};

#[test]
fn no_handshake_is_a_failure_of_tls_whatever_comes_in_its_place() {
    for deed in misdeeds() {
        let name = deed.name;
        let port = listen(move |mut stream| endless(&mut stream, &deed.first, &deed.then));
        for believe in [&["-k"][..], &[]] {
            let url = format!("https://127.0.0.1:{port}/");
            let words = [believe, &["--connect-timeout", "60", "-m", "60", &url]].concat();
            let (class, detail) = cheap_failure(&words);
            assert_eq!(class, "tls", "{name}: {detail}");
        }
    }
}

//! Octets and strings that came from outside (names, banners, certificates) made harmless for a terminal.

use std::borrow::Cow;

/// `text` with control characters (C0, DEL, C1), direction marks and line separators written out, so that it can
/// neither move the cursor nor read otherwise than it is (security.md 3.3).
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_dangerous(c) {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// `octets` as text that is harmless, whatever they are: what is no UTF-8 is written as `\xff`, line ends and tabs as in a
/// program's string, and the rest as [`escape`] does.
pub fn printable(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\r' => text += "\\r",
                '\n' => text += "\\n",
                '\t' => text += "\\t",
                c => text.push(c),
            }
        }
        chunk.invalid().iter().for_each(|octet| text += &format!("\\x{octet:02x}"));
    }
    escape(&text).into_owned()
}

fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_text_whatever_they_are() {
        for (octets, expected) in [
            (&b"\x1b[2Jboo\0"[..], "\\u{1b}[2Jboo\\u{0}"),
            (b"\xff\xfd\x18", "\\xff\\xfd\\u{18}"),
            ("grüß\r\nGott\t!".as_bytes(), "grüß\\r\\nGott\\t!"),
            ("\u{9b}2J\u{202e}".as_bytes(), "\\u{9b}2J\\u{202e}"),
        ] {
            assert_eq!(printable(octets), expected);
        }
    }

    #[test]
    fn nothing_from_outside_reaches_the_terminal_as_a_command() {
        for (text, expected) in [
            ("host.example", "host.example"),
            ("züri.example", "züri.example"),
            ("a\x1b[2Jb", "a\\u{1b}[2Jb"),
            ("a\u{9b}2J", "a\\u{9b}2J"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("a\nb", "a\\u{a}b"),
        ] {
            assert_eq!(escape(text), expected);
        }
    }
}

//! Names with `*` and `?` in them, and lists of them with exceptions behind `!` (ssh_config(5), PATTERNS).

/// Whether one of `patterns` is `name`, and none that begins with `!` is.
pub(super) fn matches_any<'a>(patterns: impl IntoIterator<Item = &'a str>, name: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(excepted) if matches(excepted, name) => return false,
            Some(_) => {}
            None => found |= matches(pattern, name),
        }
    }
    found
}

/// Whether `name` is what `pattern` describes, in any case of letters. In time that grows with the product of both lengths.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut from) = (0, 0);
    // Where the last star stands, and what it has swallowed so far.
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(letter) if *letter == b'?' || letter.eq_ignore_ascii_case(&name[from]) => {
                (at, from) = (at + 1, from + 1);
            }
            _ => match star {
                Some((place, swallowed)) => {
                    star = Some((place, swallowed + 1));
                    (at, from) = (place + 1, swallowed + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_marks_stand_for_letters() {
        for (pattern, name, expected) in [
            ("a.example", "A.EXAMPLE", true),
            ("*.example", "a.b.example", true),
            ("*.example", "example", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("a*b*c", "axxbyybzc", true),
            ("a*b*c", "axxbyybz", false),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        assert!(matches_any(["*.a", "!x.a"], "y.a") && !matches_any(["*.a", "!x.a"], "x.a"));
        assert!(!matches(&"*a".repeat(2000), &"a".repeat(1999)), "and no time of its own is needed");
    }
}

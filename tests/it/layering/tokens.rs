//! Rust source as words, `::` and marks: no comments, no strings, no layout. Not a compiler's
//! lexer: enough to find paths, `mod` blocks and keywords in code that compiles.

/// One token and the line it stands on, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) line: usize,
    pub(super) kind: Kind<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind<'a> {
    /// An identifier, a keyword or a number.
    Word(&'a str),
    /// `::`
    Separator,
    /// Any other character that is not white space.
    Mark(char),
}

/// The tokens of `source`, which is taken to be valid Rust.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(first) = rest.chars().next() {
        let (length, kind) = next(rest, first);
        tokens.extend(kind.map(|kind| Token { line, kind }));
        let (taken, left) = rest.split_at(length);
        line += taken.matches('\n').count();
        rest = left;
    }
    tokens
}

/// How many bytes the next token takes, and what it is if it counts.
fn next(rest: &str, first: char) -> (usize, Option<Kind<'_>>) {
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), None);
    }
    if rest.starts_with("/*") {
        return (block_comment(rest), None);
    }
    if let Some(length) = string(rest) {
        return (length, None);
    }
    if first == '\'' {
        return (character_or_lifetime(rest), None);
    }
    if rest.starts_with("::") {
        return (2, Some(Kind::Separator));
    }
    let word = word(rest);
    if word > 0 {
        return (word, Some(Kind::Word(&rest[..word])));
    }
    let mark = (!first.is_whitespace()).then_some(Kind::Mark(first));
    (first.len_utf8(), mark)
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len())
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// `"…"` and `r#"…"#`, with or without `b` or `c` before it.
fn string(rest: &str) -> Option<usize> {
    let prefix = word(rest);
    let body = &rest[prefix..];
    match &rest[..prefix] {
        "" | "b" | "c" if body.starts_with('"') => Some(prefix + quoted(body, '"')),
        "r" | "br" | "cr" => {
            let hashes = body.find(|c| c != '#')?;
            let inner = body[hashes..].strip_prefix('"')?;
            let close = format!("\"{}", &body[..hashes]);
            let end = inner.find(&close).map_or(inner.len(), |at| at + close.len());
            Some(prefix + hashes + 1 + end)
        }
        _ => None,
    }
}

/// `'a'` and `'\n'` are skipped whole; of a lifetime only the quote, its name is a word.
fn character_or_lifetime(rest: &str) -> usize {
    let mut inner = rest[1..].chars();
    match (inner.next(), inner.next()) {
        (Some('\\'), _) => quoted(rest, '\''),
        (Some(only), Some('\'')) => 2 + only.len_utf8(),
        _ => 1,
    }
}

/// The length of a literal that begins with `quote`, escapes minded.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[test]
fn comments_strings_and_characters_hold_no_tokens() {
    let source = r####"
        // a
        /* b /* c */ d */ one
        "e \" f" two r#"g " h"# three b"i" c"j" br##"k "# l"##
        '"' four '\'' five 'x: '{' 'ü' six r#type
    "####;
    let words: Vec<_> = tokens(source)
        .into_iter()
        .filter_map(|token| match token.kind {
            Kind::Word(word) => Some((token.line, word)),
            _ => None,
        })
        .collect();
    let expected = [
        (3, "one"),
        (4, "two"),
        (4, "three"),
        (5, "four"),
        (5, "five"),
        (5, "x"),
        (5, "six"),
        (5, "r"),
        (5, "type"),
    ];
    assert_eq!(words, expected);
}

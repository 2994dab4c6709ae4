//! Which names at the crate's root a source file uses: by `crate::…`, by `super::…` that climbs
//! to the root, and by groups of both.

use super::tokens::{Kind, Token};

/// A name at the crate's root, used on a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Use<'a> {
    pub(super) line: usize,
    /// `*` for the root itself: a glob, or the root under another name.
    pub(super) name: &'a str,
}

/// The uses in the file of the module `file` (`["net", "drive"]`). The crate may also be called
/// by `alias`, which its binary does.
pub(super) fn uses<'a>(file: &[&'a str], alias: &str, tokens: &[Token<'a>]) -> Vec<Use<'a>> {
    let mut found = Vec::new();
    let mut module = file.to_vec();
    // For each inline module around: how many braces were open outside of it.
    let mut inline = Vec::new();
    let mut braces = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Mark('{') => braces += 1,
            Kind::Mark('}') => {
                braces -= 1;
                if inline.pop_if(|outside| *outside == braces).is_some() {
                    module.pop();
                }
            }
            Kind::Word("mod") => {
                if let Some(name) = inline_module(&tokens[at..]) {
                    inline.push(braces);
                    module.push(name);
                }
            }
            Kind::Word(word) if starts_path(word, alias) && !after_separator(tokens, at) => {
                let mut paths = Vec::new();
                tree(&tokens[at..], Path::new(), &mut paths);
                found.extend(paths.iter().filter_map(|path| resolve(&module, alias, path)));
            }
            _ => {}
        }
    }
    found
}

/// The words of a path, each with its line.
type Path<'a> = Vec<(usize, &'a str)>;

fn starts_path(word: &str, alias: &str) -> bool {
    ["crate", "self", "super", alias].contains(&word)
}

fn after_separator(tokens: &[Token<'_>], at: usize) -> bool {
    at > 0 && tokens[at - 1].kind == Kind::Separator
}

/// The name in `mod name {`.
fn inline_module<'a>(tokens: &[Token<'a>]) -> Option<&'a str> {
    match (tokens.get(1)?.kind, tokens.get(2)?.kind) {
        (Kind::Word(name), Kind::Mark('{')) => Some(name),
        _ => None,
    }
}

/// Adds every path of the tree at the start of `tokens` to `paths`, each with `prefix` before it;
/// answers what is left. A tree is `a`, `*`, `a::tree` or `{tree, tree as b}`.
fn tree<'a, 'b>(tokens: &'b [Token<'a>], mut prefix: Path<'a>, paths: &mut Vec<Path<'a>>) -> &'b [Token<'a>] {
    let Some((token, rest)) = tokens.split_first() else {
        return tokens;
    };
    match token.kind {
        Kind::Word(word) => {
            prefix.push((token.line, word));
            match rest.split_first() {
                Some((next, rest)) if next.kind == Kind::Separator => tree(rest, prefix, paths),
                Some((next, _)) if next.kind == Kind::Word("as") => {
                    prefix.push((token.line, "self"));
                    paths.push(prefix);
                    rest
                }
                _ => {
                    paths.push(prefix);
                    rest
                }
            }
        }
        Kind::Mark('*') => {
            prefix.push((token.line, "*"));
            paths.push(prefix);
            rest
        }
        Kind::Mark('{') => group(rest, &prefix, paths),
        // `crate::name::<T>`: the path is over.
        _ => {
            paths.push(prefix);
            tokens
        }
    }
}

/// The trees up to the brace that closes the group.
fn group<'a, 'b>(
    mut tokens: &'b [Token<'a>],
    prefix: &Path<'a>,
    paths: &mut Vec<Path<'a>>,
) -> &'b [Token<'a>] {
    while let Some((token, rest)) = tokens.split_first() {
        tokens = match token.kind {
            Kind::Mark('}') => return rest,
            Kind::Mark(',') => rest,
            // The new name in `tree as name`.
            Kind::Word("as") => rest.get(1..).unwrap_or_default(),
            Kind::Word(_) | Kind::Mark('{' | '*') => tree(tokens, prefix.clone(), paths),
            _ => rest,
        };
    }
    tokens
}

/// The name at the root that `path`, written in `module`, goes through, if it does.
fn resolve<'a>(module: &[&'a str], alias: &str, path: &Path<'a>) -> Option<Use<'a>> {
    // `self` the value, `pub(crate)` and `pub(super)`.
    if path.len() < 2 {
        return None;
    }
    let mut at = module.to_vec();
    for (position, &(line, word)) in path.iter().enumerate() {
        match word {
            "self" => {}
            "super" => {
                at.pop();
            }
            _ if position == 0 && starts_path(word, alias) => at.clear(),
            name if at.is_empty() => return Some(Use { line, name }),
            _ => return None,
        }
    }
    let (line, _) = path[path.len() - 1];
    at.is_empty().then_some(Use { line, name: "*" })
}

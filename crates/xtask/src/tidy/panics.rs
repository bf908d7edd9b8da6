//! What ships returns errors: no shortcut that panics, and no indexing where the bytes come from elsewhere.

use super::lexer::Source;

/// Shortcuts that panic, built from halves so that this file does not hold them.
const SHORTCUTS: &[&str] = &[
    concat!(".unw", "rap()"),
    concat!(".unw", "rap_err()"),
    concat!(".exp", "ect("),
    concat!(".exp", "ect_err("),
    concat!("pan", "ic!("),
    concat!("to", "do!("),
    concat!("unimpl", "emented!("),
];

/// The folders that read bytes from disk, the wire or a user.
const CAREFUL: &[&str] = &["crates/protocol/", "crates/vector/", "crates/embed/", "api/", "extension/"];

pub fn inspect(source: &Source) -> Vec<String> {
    let careful = CAREFUL.iter().any(|folder| source.name.starts_with(folder));
    let mut found = Vec::new();
    for (at, line) in source.shipped() {
        if SHORTCUTS.iter().any(|shortcut| line.contains(shortcut)) {
            found.push(format!("line {}: may panic; return an error", at + 1));
        }
        if careful && indexes(line) {
            found.push(format!("line {}: may panic; use get, split_at_checked or an iterator", at + 1));
        }
    }
    found
}

/// Tell whether a line of code indexes by something that is neither a number nor `..`.
fn indexes(line: &str) -> bool {
    line.match_indices('[').any(|(at, _)| {
        let before = line.get(..at).and_then(|head| head.chars().next_back());
        let value = before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ')' | ']'));
        let inside = line.get(at + 1..).and_then(bracketed).unwrap_or_default();
        let harmless = inside == ".." || (!inside.is_empty() && inside.bytes().all(|byte| byte.is_ascii_digit()));
        value && !inside.is_empty() && !harmless
    })
}

/// The text up to the bracket that closes, or `None` where the line ends before.
fn bracketed(text: &str) -> Option<&str> {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.get(..at).map(str::trim);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_finds_its_breach() {
        let breaches = |name: &str, text: &str| inspect(&Source::new(name, text)).len();
        for shortcut in SHORTCUTS {
            assert_eq!(breaches("crates/ivf/src/a.rs", &format!("fn f() {{ g{shortcut} }}")), 1, "{shortcut}");
            assert_eq!(breaches("tests/system/a.rs", &format!("fn f() {{ g{shortcut} }}")), 0, "{shortcut}");
        }
        for code in ["bytes[at]", "bytes[1..]", "f(x)[..n]", "rows[0][n]"] {
            assert_eq!(breaches("api/src/a.rs", &format!("fn f() {{ {code} }}")), 1, "{code}");
            assert_eq!(breaches("crates/ivf/src/a.rs", &format!("fn f() {{ {code} }}")), 0, "{code}");
        }
        for code in
            ["#[inline] fn g(a: &[u8], b: [f32; N]) {}", "array[3]", "&all[..]", "vec![x; n]", "for x in [a, b] {}"]
        {
            assert_eq!(breaches("api/src/a.rs", code), 0, "{code}");
        }
        let unwrapped = concat!("#[cfg(test)]\nmod tests { fn f() { a[i].unw", "rap() } }\n");
        assert_eq!(breaches("api/src/a.rs", unwrapped), 0);
    }
}

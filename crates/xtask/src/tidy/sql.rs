//! Statements live in `.sql` files with `$1`…`$n`; nothing is pasted into one.

use super::lexer::Source;

/// The words that a statement begins with, in capitals as the house writes SQL.
const VERBS: &[&str] = &["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "WITH"];

/// Find statements in literals. Tests may have them, but may not format them either.
pub fn inspect(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in source.strings.iter().filter(|(_, text)| is_statement(text)) {
        let shipped = !source.is_test_file() && !source.test.get(*at).copied().unwrap_or_default();
        if formatted(source, *at) {
            found.push(format!("line {}: SQL that is formatted; pass parameters", at + 1));
        } else if shipped {
            found.push(format!("line {}: SQL belongs in a .sql file", at + 1));
        }
    }
    found
}

/// Tell whether a literal is a statement rather than words: a verb in capitals, then a space.
fn is_statement(text: &str) -> bool {
    let text = text.trim_start_matches("\\n").trim_start();
    VERBS.iter().any(|verb| text.strip_prefix(verb).is_some_and(|tail| tail.starts_with([' ', '\n'])))
}

/// Tell whether a formatting macro is on the literal's line, or ends the line above it.
fn formatted(source: &Source, at: usize) -> bool {
    let macros = ["format!(", "format_args!(", "write!(", "writeln!("];
    let above = at.checked_sub(1).and_then(|above| source.code.get(above)).map(|line| line.trim_end());
    let here = source.code.get(at).is_some_and(|line| macros.iter().any(|name| line.contains(name)));
    here || above.is_some_and(|line| macros.iter().any(|name| line.ends_with(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_found() {
        let finds = |name: &str, text: &str| !inspect(&Source::new(name, text)).is_empty();
        let plain = "fn f() { run(\"SELECT 1\") }";
        assert!(finds("api/src/db.rs", plain));
        assert!(!finds("tests/system/search.rs", plain));
        assert!(!finds("api/src/db.rs", &format!("#[cfg(test)]\nmod tests {{\n{plain}\n}}\n")));
        assert!(finds("crates/xtask/src/a.rs", "fn f() { run(\"\n    UPDATE t SET a = 1\") }"));
        assert!(finds("tests/system/search.rs", "fn f() { run(&format!(\"DROP TABLE {name}\")) }"));
        assert!(finds("tests/system/search.rs", "fn f() { run(&format!(\n    \"DROP TABLE {name}\"\n)) }"));
        assert!(!finds(
            "api/src/db.rs",
            "fn f() { run(include_str!(\"../sql/a.sql\")); say(\"SELECTED\"); say(\"With care\") }"
        ));
    }
}

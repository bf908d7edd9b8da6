//! The place and the reason of unsafe code, and tests that are run.

use super::lexer::Source;
use super::names::starts_path;

pub fn inspect(source: &Source) -> Vec<String> {
    let mut found = bindings(source);
    found.extend(unsafe_without_reason(source));
    found.extend(ignored_tests(source));
    found
}

/// Find PostgreSQL's bindings outside the files that wrap them.
fn bindings(source: &Source) -> Vec<String> {
    let file = source.name.rsplit('/').next().unwrap_or_default();
    let wrapper = ["extension/src/pg/", "extension/src/am/"].iter().any(|place| source.name.starts_with(place))
        || (source.name.starts_with("extension/") && file.starts_with("datum"));
    let bad = source.code.iter().enumerate().filter(|(_, line)| !wrapper && line.contains("pg_sys::"));
    bad.map(|(at, _)| format!("line {}: only extension/src/pg, extension/src/am and datum files name pg_sys", at + 1))
        .collect()
}

/// Find unsafe blocks and impls with no `// SAFETY:` on the line or in the comment above their statement.
fn unsafe_without_reason(source: &Source) -> Vec<String> {
    let opens = |line: &str| {
        let words = line.replace('(', "( ");
        ["unsafe {", "unsafe impl", "unsafe extern {"].iter().any(|path| starts_path(&words, path))
    };
    let reasoned = |at: usize| {
        source.lines.get(at.saturating_sub(4)..=at).unwrap_or_default().iter().any(|l| l.contains("SAFETY:"))
    };
    let bare = source.code.iter().enumerate().filter(|(at, line)| opens(line) && !reasoned(*at));
    bare.map(|(at, _)| format!("line {}: unsafe without `// SAFETY:`", at + 1)).collect()
}

fn ignored_tests(source: &Source) -> Vec<String> {
    let ignored = source.code.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with("#[ignore"));
    ignored.map(|(at, _)| format!("line {}: a test that is ignored; repair it or remove it", at + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(name: &str, text: &str) -> usize {
        inspect(&Source::new(name, text)).len()
    }

    #[test]
    fn bindings_stay_in_their_wrappers() {
        let text = "fn f() { g(pgrx::pg_sys::Oid::INVALID) }";
        assert_eq!(breaches("extension/src/engine/client.rs", text), 1);
        assert_eq!(breaches("crates/vector/src/datum.rs", text), 1);
        for name in ["extension/src/pg/args.rs", "extension/src/am/scan.rs", "extension/src/types/datum_half.rs"] {
            assert_eq!(breaches(name, text), 0, "{name}");
        }
    }

    #[test]
    fn unsafe_has_a_reason() {
        let name = "extension/src/lib.rs";
        assert_eq!(breaches(name, "fn f() { unsafe { g() } }\n"), 1);
        assert_eq!(breaches(name, "fn f() { h(unsafe { g() }) }\n"), 1);
        assert_eq!(breaches(name, "unsafe impl Send for X {}\n"), 1);
        assert_eq!(breaches(name, "// SAFETY: g is harmless.\nfn f() { unsafe { g() } }\n"), 0);
        assert_eq!(breaches(name, "// An unsafe { block }.\nunsafe fn f() { g(\"unsafe {\") }\n"), 0);
    }

    #[test]
    fn every_test_is_run() {
        assert_eq!(breaches("tests/system/a.rs", concat!("#[test]\n#[ign", "ore = \"slow\"]\nfn f() {}\n")), 1);
    }
}

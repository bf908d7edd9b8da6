//! Reading: every file says what it is for, and nothing is too long to be read at once.

use super::lexer::{Source, item_end};

/// The longest file, in lines.
const MAX_LINES: usize = 500;
/// The median file, in lines.
const MAX_MEDIAN: usize = 150;
/// The longest function, in lines.
const MAX_FUNCTION: usize = 60;

pub fn inspect(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    if !source.lines.first().is_some_and(|line| line.starts_with("//!")) {
        found.push("must open with `//!`: what it is for, what it is not".to_owned());
    }
    if source.lines.len() > MAX_LINES {
        found.push(format!("{} lines; at most {MAX_LINES}", source.lines.len()));
    }
    found.extend(long_functions(source));
    found
}

/// Check the median length of all files.
pub fn median_breach(mut lengths: Vec<usize>) -> Option<String> {
    lengths.sort_unstable();
    let median = *lengths.get(lengths.len() / 2)?;
    (median > MAX_MEDIAN).then(|| format!("the median Rust file has {median} lines; at most {MAX_MEDIAN}"))
}

fn long_functions(source: &Source) -> Vec<String> {
    let starts = source.code.iter().enumerate().filter_map(|(at, line)| Some((at, function_name(line)?)));
    let lengths = starts.map(|(at, name)| (at, name, item_end(&source.code, at) + 1 - at));
    let long = lengths.filter(|(_, _, length)| *length > MAX_FUNCTION);
    long.map(|(at, name, length)| format!("line {}: {name} has {length} lines; at most {MAX_FUNCTION}", at + 1))
        .collect()
}

/// The name of the function that a line of code declares.
fn function_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    words.find(|word| *word == "fn")?;
    words.next()?.split(['(', '<']).next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(text: &str) -> usize {
        inspect(&Source::new("crates/a/src/lib.rs", text)).len()
    }

    #[test]
    fn each_rule_finds_its_breach() {
        assert_eq!(breaches("//! Fine.\nfn f() {}\n"), 0);
        assert_eq!(breaches("fn f() {}\n"), 1);
        assert_eq!(breaches(&format!("//! Long.\n{}", "\n".repeat(MAX_LINES))), 1);
        assert_eq!(
            breaches(&format!("//! x\npub fn f(a: [u8; 2]) {{\n{}}}\n", "    g();\n".repeat(MAX_FUNCTION - 2))),
            0
        );
        assert_eq!(
            breaches(&format!("//! x\npub fn f(a: [u8; 2]) {{\n{}}}\n", "    g();\n".repeat(MAX_FUNCTION - 1))),
            1
        );
        assert_eq!(median_breach(vec![1, MAX_MEDIAN, 900]), None);
        assert!(median_breach(vec![1, MAX_MEDIAN + 1, 900]).is_some());
    }
}

//! Patterns of file names: `*` stands for any characters, slashes included, and `?` for one.

/// Whether `name` matches `pattern` as a whole.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut place) = (0, 0);
    // Where the last star is, and how much of the name it stands for so far.
    let mut star: Option<(usize, usize)> = None;
    while let Some(c) = name.get(place) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, place));
                at += 1;
            }
            Some(p) if *p == '?' || p == c => {
                at += 1;
                place += 1;
            }
            _ => {
                let Some((from, taken)) = star else { return false };
                star = Some((from, taken + 1));
                at = from + 1;
                place = taken + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_characters() {
        for (pattern, name) in [
            ("*", ""),
            ("*", "a/b"),
            ("*.md", "docs/README.md"),
            ("onnx/*_q4.onnx", "onnx/a_q4.onnx"),
            ("a?c", "abc"),
            ("a*b*c", "aXbYbZc"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("", "a"), ("*.md", "a.mdx"), ("a?c", "ac"), ("onnx/*", "onnx"), ("a*b", "abc")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_ends() {
        assert!(!matches(&"*a".repeat(200), &"b".repeat(5000)));
    }
}

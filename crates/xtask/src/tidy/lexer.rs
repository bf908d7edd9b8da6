//! Rust text as the rules see it: code without comments and literals, the string literals, and which lines are tests.
//!
//! It knows just enough of the language not to be fooled by quotes and braces; it does not parse.

/// One Rust file.
pub struct Source<'a> {
    /// The path from the checkout's root.
    pub name: &'a str,
    /// The lines as written.
    pub lines: Vec<&'a str>,
    /// The same lines with comments and the inside of literals blanked, character for character.
    pub code: Vec<String>,
    /// String literals: the index of the line that each begins on, and what stands between its quotes.
    pub strings: Vec<(usize, String)>,
    /// For each line, whether it belongs to a `#[cfg(test)]` item.
    pub test: Vec<bool>,
}

impl<'a> Source<'a> {
    pub fn new(name: &'a str, text: &'a str) -> Source<'a> {
        let mut lexer = Lexer { rest: text, code: String::with_capacity(text.len()), strings: Vec::new() };
        while lexer.step() {}
        let code: Vec<String> = lexer.code.lines().map(str::to_owned).collect();
        let test = test_lines(&code);
        Source { name, lines: text.lines().collect(), code, strings: lexer.strings, test }
    }

    /// Tell whether the whole file is test code: below tests/ or fuzz/, or named as a test module.
    pub fn is_test_file(&self) -> bool {
        self.name.starts_with("tests/")
            || self.name.contains("/tests/")
            || self.name.contains("/fuzz/")
            || self.name.ends_with("tests.rs")
            || self.name.ends_with("testing.rs")
    }

    /// The code outside tests, with each line's index.
    pub fn shipped(&self) -> impl Iterator<Item = (usize, &str)> {
        let whole = self.is_test_file();
        let lines = self.code.iter().zip(&self.test).enumerate();
        lines.filter(move |(_, (_, test))| !whole && !**test).map(|(at, (line, _))| (at, line.as_str()))
    }
}

struct Lexer<'a> {
    rest: &'a str,
    code: String,
    strings: Vec<(usize, String)>,
}

impl<'a> Lexer<'a> {
    /// Take one token's worth of text; false at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if self.rest.starts_with("//") {
            self.blank(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.blank(comment(self.rest));
        } else if let Some((open, inside, close)) = string(self.rest, self.in_word()) {
            self.strings.push((self.code.matches('\n').count(), self.slice(open, open + inside)));
            self.keep(open);
            self.blank(inside);
            self.keep(close);
        } else if let Some(length) = character(self.rest) {
            self.keep(1);
            self.blank(length);
            self.keep(1);
        } else {
            self.keep(first.len_utf8());
        }
        true
    }

    /// Tell whether the last character could go on as a word, so that an `r` or `b` here is no prefix.
    fn in_word(&self) -> bool {
        self.code.chars().next_back().is_some_and(|last| last.is_alphanumeric() || last == '_')
    }

    fn slice(&self, from: usize, to: usize) -> String {
        self.rest.get(from..to).unwrap_or_default().to_owned()
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (head, tail) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = tail;
        head
    }

    fn keep(&mut self, length: usize) {
        let text = self.take(length);
        self.code.push_str(text);
    }

    fn blank(&mut self, length: usize) {
        let text = self.take(length);
        self.code.extend(text.chars().map(|c| if c == '\n' { c } else { ' ' }));
    }
}

/// The length of a block comment, which may hold others.
fn comment(text: &str) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// A string literal at the start of `text`: the lengths of its opening, inside and closing.
fn string(text: &str, in_word: bool) -> Option<(usize, usize, usize)> {
    let prefix = text.bytes().take_while(|byte| matches!(byte, b'r' | b'b' | b'c')).count();
    if prefix > 2 || (prefix > 0 && in_word) {
        return None;
    }
    let (letters, after) = text.split_at(prefix);
    let hashes = after.bytes().take_while(|byte| *byte == b'#').count();
    let raw = letters.contains('r');
    let open = prefix + hashes + 1;
    if !after.get(hashes..)?.starts_with('"') || (hashes > 0 && !raw) {
        return None;
    }
    let body = text.get(open..)?;
    if raw {
        let close = format!("\"{}", "#".repeat(hashes));
        return Some((open, body.find(&close).unwrap_or(body.len()), close.len()));
    }
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            '"' if !escaped => return Some((open, at, 1)),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    Some((open, body.len(), 0))
}

/// A character literal at the start of `text`: the length of its inside; `None` for a lifetime.
fn character(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    let first = body.chars().next()?;
    if first == '\\' {
        let tail = body.get(2..)?;
        return Some(2 + tail.find('\'')?);
    }
    body.get(first.len_utf8()..)?.starts_with('\'').then_some(first.len_utf8())
}

/// Mark the lines of each `#[cfg(test)]` item, from the attribute to its closing brace or semicolon.
fn test_lines(code: &[String]) -> Vec<bool> {
    let mut marks = vec![false; code.len()];
    let mut at = 0;
    while at < code.len() {
        if code.get(at).is_some_and(|line| line.trim_start().starts_with("#[cfg(test)]")) {
            let end = item_end(code, at + 1);
            marks.iter_mut().take(end + 1).skip(at).for_each(|mark| *mark = true);
            at = end;
        }
        at += 1;
    }
    marks
}

/// The line on which the item that begins on line `from` ends.
pub fn item_end(code: &[String], from: usize) -> usize {
    let (mut braces, mut others) = (0i32, 0i32);
    for (at, line) in code.iter().enumerate().skip(from) {
        for c in line.chars() {
            match c {
                '{' => braces += 1,
                '}' => braces -= 1,
                '(' | '[' => others += 1,
                ')' | ']' => others -= 1,
                _ => {}
            }
            if braces == 0 && others == 0 && matches!(c, '}' | ';') {
                return at;
            }
        }
    }
    code.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked() {
        let text = "a(\"x {\\\" }\", b'{', r#\"y \" z\"#); // } \"\n/* { /* } */ */ fn f<'a>() {}\n";
        let source = Source::new("x.rs", text);
        assert_eq!(source.code.concat().matches(['{', '}']).count(), 2);
        assert_eq!(source.strings, vec![(0, "x {\\\" }".to_owned()), (0, "y \" z".to_owned())]);
        assert!(source.code.iter().zip(&source.lines).all(|(code, line)| code.chars().count() == line.chars().count()));
    }

    #[test]
    fn test_items_end_where_their_braces_do() {
        let source = Source::new("x.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\nfn c() {}\n");
        assert_eq!(source.test, [false, true, true, true, true, false]);
        let lines: Vec<usize> = source.shipped().map(|(at, _)| at).collect();
        assert_eq!(lines, [0, 5]);
    }
}

//! Any machine: no file names a path of the one it was written on, and links in documents lead somewhere.

/// Folders of one machine, built from halves so that this file does not hold them.
const FOLDERS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/ro", "ot/")];

/// Find absolute paths below those folders.
pub fn inspect(text: &str) -> Vec<String> {
    let bad = text.lines().enumerate().filter(|(_, line)| FOLDERS.iter().any(|folder| names(line, folder)));
    bad.map(|(at, _)| format!("line {}: a path of one machine", at + 1)).collect()
}

/// Tell whether a line holds the path itself rather than the middle of a longer path or address.
fn names(line: &str, folder: &str) -> bool {
    let before = |at: usize| line.get(..at).and_then(|head| head.chars().next_back());
    let longer = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | '}' | ')' | '*');
    line.match_indices(folder).any(|(at, _)| !before(at).is_some_and(longer))
}

/// Find links to files that `exists` does not know; `name` is the document's path from the checkout's root.
pub fn dead_links(name: &str, text: &str, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (at, line) in text.lines().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        for target in links(line).filter(|_| !fenced) {
            if !resolve(name, target).is_some_and(|path| exists(&path)) {
                found.push(format!("line {}: the link to {target} leads nowhere", at + 1));
            }
        }
    }
    found
}

/// The targets of a line's links that are meant to be files of the checkout.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|tail| tail.split([')', ' ']).next());
    let paths = targets.map(|target| target.split('#').next().unwrap_or_default());
    paths.filter(|path| !path.is_empty() && !path.contains("://") && !path.starts_with("mailto:"))
}

/// A link's path from the checkout's root, or `None` when it leaves the checkout.
fn resolve(document: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_one_machine_are_found() {
        for folder in FOLDERS {
            assert_eq!(inspect(&format!("fine\nsee {folder}x\n")).len(), 1, "{folder}");
            assert_eq!(inspect(&format!("https://example.org{folder}x ~{folder}x ${{HOME}}{folder}x\n")).len(), 0);
        }
    }

    #[test]
    fn dead_links_are_found() {
        let there = |path: &str| path == "docs/a.md" || path == "README.md";
        let dead = |text: &str| dead_links("docs/index.md", text, &there).len();
        assert_eq!(dead("[a](a.md) [b](../README.md#x) [c](https://example.org/x) [d](#here)"), 0);
        assert_eq!(dead("[a](b.md)"), 1);
        assert_eq!(dead("[a](../../outside.md)"), 1);
        assert_eq!(dead("```\n[a](b.md)\n```"), 0);
    }
}

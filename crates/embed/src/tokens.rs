//! From a text of any size to the tokens of its beginning, in bounded time and memory.

use std::path::Path;

use serde::Deserialize;
use tokenizers::{Encoding, Tokenizer, TruncationParams};
use vw_protocol::ErrorCode;

use crate::Failure;
use crate::pack::read_json;

/// Characters that are tokenised at first for each token that the model reads. Prose has four to six a token.
const CHARACTERS_PER_TOKEN: usize = 64;

/// Characters that are tokenised at the most, for texts of little but white space, control characters, or "words"
/// so long that they are one unknown token each.
const MOST_CHARACTERS: usize = 1 << 20;

/// How far before a cut a white space is looked for, in bytes.
const WORD: usize = 1024;

/// What a text model reads: ids and segment types, special tokens included; always at least those.
#[derive(Clone, Debug, PartialEq)]
pub struct Tokens {
    pub ids: Vec<u32>,
    pub types: Vec<u32>,
    /// Whether the text went on.
    pub truncated: bool,
}

/// A tower's tokenizer, set to the tower's own maximum: the one in tokenizer.json may be another.
pub struct TextTokenizer {
    tokenizer: Tokenizer,
    max_tokens: usize,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Lengths {
    max_seq_length: Option<usize>,
    max_position_embeddings: Option<usize>,
}

/// The longest text that a tower reads, in tokens: sentence_bert_config.json, else config.json.
pub fn max_tokens(tower: &Path) -> Result<usize, Failure> {
    let path = tower.join("sentence_bert_config.json");
    let own: Lengths = if path.is_file() { read_json(&path)? } else { Lengths::default() };
    let config: Lengths = read_json(&tower.join("config.json"))?;
    let longest = own.max_seq_length.or(config.max_position_embeddings);
    longest.ok_or_else(|| Failure::pack(format!("{}: no maximum length is given", tower.display())))
}

impl TextTokenizer {
    /// Load the tokenizer of a tower's folder.
    pub fn load(tower: &Path) -> Result<TextTokenizer, Failure> {
        let broken = |error| Failure::pack(format!("{}: tokenizer.json: {error}", tower.display()));
        let mut tokenizer = Tokenizer::from_file(tower.join("tokenizer.json")).map_err(broken)?;
        let max_tokens = max_tokens(tower)?;
        tokenizer.with_padding(None);
        let longest = TruncationParams { max_length: max_tokens, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(longest)).map_err(broken)?;
        Ok(TextTokenizer { tokenizer, max_tokens })
    }

    /// Tokenise a text, which must be UTF-8; what is beyond the model's maximum is left out.
    ///
    /// Only a beginning is given to the tokenizer. It is long enough if it made twice the tokens that are read: a
    /// tokenizer looks at one word at a time, so a cut can change the tokens of the word it goes through only, and
    /// that word would have to be longer than the model's maximum to reach back into what is read. If it made
    /// fewer, a beginning four times as long is tried.
    pub fn encode(&self, text: &[u8]) -> Result<Tokens, Failure> {
        let text = std::str::from_utf8(text).map_err(|_| Failure::new(ErrorCode::BadInput, "text is not UTF-8"))?;
        let first = self.max_tokens.saturating_mul(CHARACTERS_PER_TOKEN);
        let most = first.max(MOST_CHARACTERS);
        let mut characters = first;
        loop {
            let head = beginning(text, characters.min(most));
            let cut = head.len() < text.len();
            let encoding = self.tokenizer.encode_fast(head, true);
            let encoding = encoding.map_err(|error| Failure::new(ErrorCode::BadInput, error.to_string()))?;
            if cut && encoding.get_overflowing().len() < 2 && characters < most {
                characters = characters.saturating_mul(4);
                continue;
            }
            let ends = text.get(head.len()..).is_none_or(|rest| rest.trim().is_empty());
            return Ok(tokens(&encoding, !ends));
        }
    }
}

fn tokens(encoding: &Encoding, goes_on: bool) -> Tokens {
    Tokens {
        ids: encoding.get_ids().to_vec(),
        types: encoding.get_type_ids().to_vec(),
        truncated: goes_on || !encoding.get_overflowing().is_empty(),
    }
}

/// Cut a text after at most `characters`, where there is white space nearby before that point, there.
fn beginning(text: &str, characters: usize) -> &str {
    if text.len() <= characters {
        return text;
    }
    let Some((end, _)) = text.char_indices().nth(characters) else { return text };
    let head = text.get(..end).unwrap_or(text);
    match head.rfind(char::is_whitespace) {
        Some(space) if space > 0 && end - space <= WORD => head.get(..space).unwrap_or(head),
        _ => head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_white_space_or_else_between_characters() {
        assert_eq!(beginning("white shoes", 100), "white shoes");
        assert_eq!(beginning("white shoes", 11), "white shoes");
        assert_eq!(beginning("white shoes", 8), "white");
        assert_eq!(beginning("schöne Füße", 3), "sch");
        assert_eq!(beginning("äöüäöü", 4), "äöüä");
        assert_eq!(beginning("äöü", 4), "äöü", "more bytes than characters");
        assert_eq!(beginning(" x", 1), " ");
        let long = format!("a {}", "x".repeat(WORD * 3));
        assert_eq!(beginning(&long, WORD * 2).len(), WORD * 2, "the space is too far away");
    }
}

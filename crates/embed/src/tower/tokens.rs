//! From a text of any size to the tokens of its beginning, in bounded time and memory.

use std::borrow::Cow;

use tokenizers::normalizers::{Lowercase, Sequence};
use tokenizers::{Encoding, NormalizerWrapper, Tokenizer, TruncationParams};
use vw_protocol::ErrorCode;

use super::words::Words;
use crate::Failure;
use crate::pack::Part;

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
    words: Option<Words>,
    query: String,
    document: String,
}

impl TextTokenizer {
    /// Load the tokenizer of a tower.
    pub fn load(part: &Part) -> Result<TextTokenizer, Failure> {
        let path = part.folder.join("tokenizer.json");
        let broken = |error| Failure::pack(format!("{}: {error}", path.display()));
        let mut tokenizer = Tokenizer::from_file(&path).map_err(broken)?;
        let max_tokens = part.max_tokens()?;
        tokenizer.with_padding(None);
        let longest = TruncationParams { max_length: max_tokens, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(longest)).map_err(broken)?;
        if part.lowercase {
            let mut steps = vec![NormalizerWrapper::Lowercase(Lowercase)];
            steps.extend(tokenizer.get_normalizer().cloned());
            tokenizer.with_normalizer(Some(Sequence::new(steps)));
        }
        let (query, document) = (part.prompts.query.clone(), part.prompts.document.clone());
        let words = Words::of(&tokenizer);
        Ok(TextTokenizer { tokenizer, max_tokens, words, query, document })
    }

    /// The longest text that is read, in tokens.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// Read no more than `fixed` tokens, which is all that the graph takes.
    pub fn shorten(&mut self, fixed: usize) -> Result<(), Failure> {
        self.max_tokens = self.max_tokens.min(fixed);
        let longest = TruncationParams { max_length: self.max_tokens, ..TruncationParams::default() };
        self.tokenizer.with_truncation(Some(longest)).map(drop).map_err(Failure::pack)
    }

    /// The id of a token.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.tokenizer.token_to_id(token)
    }

    /// Tokenise a text, which must be UTF-8, after the prompt for queries or for documents; what is beyond the model's
    /// maximum is left out.
    ///
    /// Only a beginning is given to the tokenizer. It is long enough if it made twice the tokens that are read: a
    /// tokenizer looks at one word at a time, so a cut can change the tokens of the word it goes through only, and
    /// that word would have to be longer than the model's maximum to reach back into what is read. If it made
    /// fewer, a beginning four times as long is tried.
    pub fn encode(&self, text: &[u8], document: bool) -> Result<Tokens, Failure> {
        let text = std::str::from_utf8(text).map_err(|_| Failure::new(ErrorCode::BadInput, "text is not UTF-8"))?;
        let prompt = if document { &self.document } else { &self.query };
        let first = self.max_tokens.saturating_mul(CHARACTERS_PER_TOKEN);
        let most = first.max(MOST_CHARACTERS);
        let mut characters = first;
        if text.len() <= first
            && let Some(words) = &self.words
            && let Some(tokens) = words.encode(&self.tokenizer, &prompted(prompt, text), self.max_tokens)
        {
            return Ok(tokens);
        }
        loop {
            let head = beginning(text, characters.min(most));
            let cut = head.len() < text.len();
            let encoding = self.tokenizer.encode_fast(prompted(prompt, head), true);
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

fn prompted<'a>(prompt: &str, head: &'a str) -> Cow<'a, str> {
    if prompt.is_empty() { Cow::Borrowed(head) } else { Cow::Owned(format!("{prompt}{head}")) }
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

//! Tokens of plain English-like text, word by word out of a table: a tokenizer spends most of its time on words that it has seen
//! before, and that is more than all else that a short text costs but its run.
//!
//! Only for pipelines where the tokens of what stands between two white spaces depend on nothing else: BERT's normalizer and
//! pre-tokenizer, which look at one character at a time and cut at every white space. Only for texts of printable ASCII; what
//! is not in the table is asked of the tokenizer itself, which stays the one authority. This is no tokenizer.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use tokenizers::{ModelWrapper, NormalizerWrapper, PreTokenizerWrapper, Tokenizer};

use super::tokens::Tokens;

/// Words that are kept; when there are more, the table begins anew.
const MOST: usize = 1 << 15;

/// Bytes of the longest word that is kept.
const LONGEST: usize = 48;

/// The words that were seen, and the special tokens around a text.
pub struct Words {
    before: Vec<u32>,
    after: Vec<u32>,
    known: RwLock<HashMap<Box<str>, Box<[u32]>>>,
}

impl Words {
    /// A table for a tokenizer, which must cut no text shorter than a few tokens; none where words are not its own affair.
    pub fn of(tokenizer: &Tokenizer) -> Option<Words> {
        let bert = matches!(tokenizer.get_normalizer(), Some(NormalizerWrapper::BertNormalizer(_)))
            && matches!(tokenizer.get_pre_tokenizer(), Some(PreTokenizerWrapper::BertPreTokenizer(_)))
            && matches!(tokenizer.get_model(), ModelWrapper::WordPiece(_));
        let added = tokenizer.get_added_tokens_decoder();
        if !bert || added.values().any(|token| token.content.is_empty() || token.content.contains(char::is_whitespace))
        {
            return None;
        }
        // What stands around a word is found by looking.
        let (bare, whole) = (tokenizer.encode_fast("a", false).ok()?, tokenizer.encode_fast("a", true).ok()?);
        let at = whole.get_ids().windows(bare.len().max(1)).position(|ids| ids == bare.get_ids())?;
        let before = whole.get_ids().get(..at)?.to_vec();
        let after = whole.get_ids().get(at + bare.len()..)?.to_vec();
        // With none, a text that is cut could not be told from one that just fits.
        let plain = !(before.is_empty() && after.is_empty()) && whole.get_type_ids().iter().all(|kind| *kind == 0);
        plain.then(|| Words { before, after, known: RwLock::default() })
    }

    /// The tokens of a text, at most `most`; none where it has to be given to the tokenizer as a whole.
    pub fn encode(&self, tokenizer: &Tokenizer, text: &str, most: usize) -> Option<Tokens> {
        let printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
        let room = most.checked_sub(self.before.len() + self.after.len())?;
        if !text.as_bytes().iter().all(printable) {
            return None;
        }
        let mut ids = self.before.clone();
        let end = ids.len() + room;
        for word in text.split_ascii_whitespace() {
            self.append(tokenizer, word, &mut ids)?;
            if ids.len() > end {
                break;
            }
        }
        let truncated = ids.len() > end;
        ids.truncate(end);
        ids.extend(&self.after);
        Some(Tokens { types: vec![0; ids.len()], ids, truncated })
    }

    /// Add a word's tokens; none where the word is too long to be kept.
    fn append(&self, tokenizer: &Tokenizer, word: &str, ids: &mut Vec<u32>) -> Option<()> {
        if word.len() > LONGEST {
            return None;
        }
        if let Some(own) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(word) {
            ids.extend(own);
            return Some(());
        }
        let own = tokenizer.encode_fast(word, false).ok()?;
        ids.extend(own.get_ids());
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(word.into(), own.get_ids().into());
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenizers::models::wordpiece::WordPiece;
    use tokenizers::normalizers::BertNormalizer;
    use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
    use tokenizers::processors::bert::BertProcessing;
    use tokenizers::{AddedToken, TruncationParams};

    const VOCABULARY: [&str; 21] = [
        "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "rain", "##coat", "##s", "wool", "##len", ",", ".", "'", "[", "]",
        "mask", "2", "##5", "-", "in", "the",
    ];

    fn tokenizer(most: usize) -> Tokenizer {
        let mut ids = 0..;
        let vocabulary = VOCABULARY.map(|word| (word.to_owned(), ids.next().unwrap_or_default()));
        let model = WordPiece::builder().vocab(vocabulary).unk_token("[UNK]".to_owned()).build().expect("it is whole");
        let mut tokenizer = Tokenizer::new(model);
        tokenizer.with_normalizer(Some(BertNormalizer::default())).with_pre_tokenizer(Some(BertPreTokenizer));
        tokenizer.with_post_processor(Some(BertProcessing::new(("[SEP]".to_owned(), 2), ("[CLS]".to_owned(), 1))));
        tokenizer.add_special_tokens(&[AddedToken::from("[MASK]", true)]);
        let cut = TruncationParams { max_length: most, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(cut)).expect("it fits");
        tokenizer
    }

    /// What the tokenizer says of the whole text.
    fn whole(tokenizer: &Tokenizer, text: &str) -> Tokens {
        let encoding = tokenizer.encode_fast(text, true).expect("it is text");
        let (ids, types) = (encoding.get_ids().to_vec(), encoding.get_type_ids().to_vec());
        Tokens { ids, types, truncated: !encoding.get_overflowing().is_empty() }
    }

    #[test]
    fn tokens_are_those_of_the_whole_text() {
        let parts = [
            "rain",
            "coats",
            "Raincoats,",
            " ",
            "\n",
            "woollen",
            "[MASK]",
            "x[MASK].",
            "[mask]",
            "25",
            "2-5",
            "it's",
            "in\tthe",
            "...",
            "zebra",
            "a",
            "  ",
        ];
        for most in [3, 5, 12, 64] {
            let tokenizer = tokenizer(most);
            let words = Words::of(&tokenizer).expect("it is BERT's");
            let mut state = 7u32;
            let mut next = |below: usize| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as usize % below
            };
            for _ in 0..500 {
                let glue = [" ", "", "\r\n"][next(3)];
                let text = (0..next(14)).map(|_| parts[next(parts.len())]).collect::<Vec<_>>().join(glue);
                if text.split_ascii_whitespace().all(|word| word.len() <= LONGEST) {
                    let ours = words.encode(&tokenizer, &text, most).expect("it is plain");
                    assert_eq!(ours, whole(&tokenizer, &text), "{most}: {text:?}");
                }
            }
        }
    }

    #[test]
    fn other_texts_and_other_tokenizers_are_left_alone() {
        let mut tokenizer = tokenizer(64);
        let words = Words::of(&tokenizer).expect("it is BERT's");
        for text in ["caf\u{e9}", "a\u{0}b", "a\u{7f}", &"x".repeat(LONGEST + 1)] {
            assert_eq!(words.encode(&tokenizer, text, 64), None, "{text:?}");
        }
        assert_eq!(words.encode(&tokenizer, "a", 1), None, "no room for the special tokens");
        tokenizer.add_tokens(&[AddedToken::from("in the", false)]);
        assert!(Words::of(&tokenizer).is_none(), "a token goes over a white space");
        tokenizer.with_normalizer(None::<BertNormalizer>);
        assert!(Words::of(&tokenizer).is_none());
    }

    #[test]
    fn the_table_is_bounded() {
        let tokenizer = tokenizer(64);
        let words = Words::of(&tokenizer).expect("it is BERT's");
        for number in 0..MOST + 10 {
            words.encode(&tokenizer, &format!("w{number}"), 64).expect("it is plain");
        }
        assert!(words.known.read().expect("it is whole").len() <= MOST);
    }
}

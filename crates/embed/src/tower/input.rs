//! An input that is ready to be run: a text's tokens, or a picture's or sound's features.

use super::tokens::Tokens;
use crate::media::Features;

/// What a graph reads, and what is known of it.
pub struct Input {
    pub body: Body,
    /// Its extent along the axis that a batch pads, or the count of its numbers where nothing is padded.
    pub length: usize,
    /// The tokens that it counts for.
    pub tokens: usize,
}

/// The numbers themselves.
pub enum Body {
    Text(Tokens),
    Media(Features),
}

impl Input {
    /// A text that its graph pads to `fixed` tokens, or to the longest of its batch.
    pub fn text(tokens: Tokens, fixed: Option<usize>) -> Input {
        Input {
            length: fixed.unwrap_or(tokens.ids.len()),
            tokens: super::usage::text(&tokens),
            body: Body::Text(tokens),
        }
    }

    /// A picture or sound that counts for `tokens`.
    pub fn media(features: Features, tokens: usize) -> Input {
        Input { length: features.values.len(), tokens, body: Body::Media(features) }
    }

    /// Whether something of what was sent is not read.
    pub fn truncated(&self) -> bool {
        match &self.body {
            Body::Text(tokens) => tokens.truncated,
            Body::Media(features) => features.truncated,
        }
    }
}

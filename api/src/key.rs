//! API keys: `vwk_<8 characters, the id>_<43 characters, 32 random bytes>`. The database keeps only the hash of the whole.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

const PREFIX: &str = "vwk_";
const ID_LENGTH: usize = 8;
const SECRET_LENGTH: usize = 43;

/// 32 characters that are not mistaken for one another.
const ID_ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What the database knows a key by.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub id: String,
    /// SHA-256 of the whole key, 32 bytes.
    pub hash: Vec<u8>,
}

/// Make a new key; gives its text, which is shown once, as well.
pub fn generate() -> Result<(String, Key), getrandom::Error> {
    let (mut picks, mut secret) = ([0_u8; ID_LENGTH], [0_u8; 32]);
    getrandom::fill(&mut picks)?;
    getrandom::fill(&mut secret)?;
    let letter = |pick: &u8| ID_ALPHABET.get(usize::from(pick % 32)).copied().map_or('0', char::from);
    let id: String = picks.iter().map(letter).collect();
    let text = format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(secret));
    let hash = Sha256::digest(text.as_bytes()).to_vec();
    Ok((text, Key { id, hash }))
}

/// Take a key apart; None where it is not of the form of a key.
pub fn parse(text: &str) -> Option<Key> {
    let rest = text.strip_prefix(PREFIX)?;
    let (id, secret) = (rest.get(..ID_LENGTH)?, rest.get(ID_LENGTH..)?.strip_prefix('_')?);
    let fits = id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && secret.len() == SECRET_LENGTH
        && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    fits.then(|| Key { id: id.to_owned(), hash: Sha256::digest(text.as_bytes()).to_vec() })
}

#[cfg(test)]
mod tests {
    //! Guards the form of keys, which users store.
    use super::*;

    #[test]
    fn a_new_key_parses_to_itself() {
        let (text, key) = generate().expect("the system's random numbers");
        assert_eq!(text.len(), 4 + 8 + 1 + 43);
        assert_eq!(parse(&text), Some(key));
        assert_ne!(generate().expect("random").0, text);
    }

    #[test]
    fn the_hash_is_of_the_whole_text() {
        let text = format!("vwk_abcd1234_{}", "A".repeat(43));
        let key = parse(&text).expect("a key");
        assert_eq!(key.id, "abcd1234");
        assert_eq!(key.hash, Sha256::digest(text.as_bytes()).to_vec());
    }

    #[test]
    fn other_forms_are_refused() {
        let secret = "A".repeat(43);
        for bad in [
            "",
            "vwk_",
            "sk-123",
            &format!("vwk_abcd123_{secret}"),
            &format!("vwk_abcd12345{secret}"),
            &format!("vwk_abcd1234_{secret}A"),
            &format!("vwk_abcd1234_{}", "A".repeat(42)),
            &format!("vwk_abcd1234_{}=", "A".repeat(42)),
            &format!("vwk_ébcd123_{secret}"),
            &format!(" vwk_abcd1234_{secret}"),
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}

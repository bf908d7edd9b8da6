//! How a model is named: by its id, or as `id@sha256` where another pack of that id must not answer.

use vw_protocol::{ErrorCode, Model};

use crate::Failure;

/// The fewest digits of a hash that name a pack.
const LEAST_DIGITS: usize = 12;

/// A name that a request gives.
#[derive(Debug, PartialEq)]
pub struct Name<'a> {
    pub id: &'a str,
    /// The beginning of the pack's hash.
    hash: Option<&'a str>,
}

impl Name<'_> {
    /// Take a name apart.
    pub fn parse(name: &str) -> Result<Name<'_>, Failure> {
        let Some((id, hash)) = name.split_once('@') else { return Ok(Name { id: name, hash: None }) };
        if !(LEAST_DIGITS..=64).contains(&hash.len()) || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let message = format!(
                "\"{name}\": after the @, {LEAST_DIGITS} to 64 hexadecimal digits of the pack's sha256 are wanted"
            );
            return Err(Failure::new(ErrorCode::UnknownModel, message).hint("vw_models() tells the hashes."));
        }
        Ok(Name { id, hash: Some(hash) })
    }

    /// Hold the hash to that of the pack that has the id.
    pub fn check(&self, model: &Model) -> Result<(), Failure> {
        let Some(hash) = self.hash else { return Ok(()) };
        let same = model.sha256.get(..hash.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(hash));
        if same {
            return Ok(());
        }
        let message =
            format!("the pack of model \"{}\" is another one: its sha256 is {}, not {hash}", model.id, model.sha256);
        let hint =
            "Vectors of two packs cannot be compared: install the pack that was used, or embed everything again.";
        Err(Failure::new(ErrorCode::ChangedPack, message).hint(hint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_must_be_the_packs_own() {
        let text = || "m".to_owned();
        let sha256 = "0123456789abcdef".repeat(4);
        let model = Model { id: text(), name: text(), types: 1, dimensions: 2, metric: text(), max_tokens: 1, sha256 };
        let check = |name: &str| Name::parse(name).and_then(|name| name.check(&model)).map_err(|failure| failure.code);
        let whole = format!("m@{}", model.sha256);
        for good in ["m", "m@0123456789ab", "m@0123456789ABCDEF0", &whole] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        assert_eq!(check("m@0123456789ac"), Err(ErrorCode::ChangedPack));
        for bad in ["m@", "m@0123456789a", "m@0123456789ag", "m@0123456789ab@", &format!("{whole}0")] {
            assert_eq!(check(bad), Err(ErrorCode::UnknownModel), "{bad}");
        }
        let message = Name::parse("m@0123456789ac").and_then(|name| name.check(&model)).expect_err("another").message;
        assert!(message.contains("0123456789ac") && message.contains(&model.sha256), "both hashes are told");
    }
}

//! Content URLs of media in a local folder: signed, and good until a time that they name. Not S3's, which signs its own.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use url::form_urlencoded;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::ring::{Ring, Secret};

/// The path under which content is served.
pub const PATH: &str = "/v1/vectors/content/";

/// Why a content URL opens nothing.
#[derive(Debug, PartialEq)]
pub enum Refused {
    /// It is not one of ours, or was changed, or its secret is no longer in force.
    Forged,
    Expired,
}

/// Give the path and query that open `key` until `expires`, in seconds since 1970.
pub fn sign(ring: &Ring, key: &str, expires: u64) -> Option<String> {
    let secret = ring.newest()?;
    let signature = URL_SAFE_NO_PAD.encode(mac(secret, key, expires)?.finalize().into_bytes());
    Some(format!("{PATH}{key}?exp={expires}&kid={}&sig={signature}", secret.id))
}

/// Check the query string of a request for `key`; gives the seconds for which it stays good.
pub fn verify(ring: &Ring, key: &str, query: &str, now: u64) -> Result<u64, Refused> {
    let (mut expires, mut id, mut signature) = (None, None, None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "exp" => expires = Some(value),
            "kid" => id = Some(value),
            "sig" => signature = Some(value),
            _ => return Err(Refused::Forged),
        }
    }
    let expires: u64 = expires.and_then(|text| text.parse().ok()).ok_or(Refused::Forged)?;
    let secret = id.and_then(|id| ring.find(&id)).ok_or(Refused::Forged)?;
    let signature = signature.and_then(|text| URL_SAFE_NO_PAD.decode(text.as_bytes()).ok()).ok_or(Refused::Forged)?;
    // This comparison takes the same time wherever the signatures differ.
    let fits = mac(secret, key, expires).is_some_and(|mac| mac.verify_slice(&signature).is_ok());
    match expires.checked_sub(now) {
        _ if !fits => Err(Refused::Forged),
        None | Some(0) => Err(Refused::Expired),
        Some(left) => Ok(left),
    }
}

/// HMAC-SHA256 (RFC 2104) over what the URL opens, how and until when; a later form gets another first line.
fn mac(secret: &Secret, key: &str, expires: u64) -> Option<Hmac<Sha256>> {
    let mut mac: Hmac<Sha256> = Mac::new_from_slice(&secret.bytes).ok()?;
    mac.update(format!("vw-content-1\nGET\n{key}\n{expires}\n{}", secret.id).as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    //! Guards media against whoever changes a URL, keeps it too long, or makes one up.
    use super::*;

    #[test]
    fn a_url_opens_what_it_was_signed_for_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut ring = Ring::open(folder.path().join("keys")).expect("a ring");
        let url = sign(&ring, "prj_a/col_b/01X", 1000).expect("signed");
        let (path, query) = url.split_once('?').expect("a query");
        assert_eq!(path, "/v1/vectors/content/prj_a/col_b/01X");
        assert_eq!(verify(&ring, "prj_a/col_b/01X", query, 990), Ok(10));
        for now in [1000, 1001, u64::MAX] {
            assert_eq!(verify(&ring, "prj_a/col_b/01X", query, now), Err(Refused::Expired));
        }
        let id = ring.newest().expect("one").id.clone();
        let start = query.find("sig=").expect("a signature") + 4;
        let flipped = if query[start..].starts_with('A') { "B" } else { "A" };
        let forged = [
            ("prj_a/col_b/01Y", query.to_owned()),
            ("prj_a/col_b/01X", query.replace("exp=1000", "exp=1001")),
            ("prj_a/col_b/01X", query.replace("exp=1000", "exp=01000&exp=2000")),
            ("prj_a/col_b/01X", query.replace(&id, "AAAAAAAA")),
            ("prj_a/col_b/01X", format!("{}{flipped}{}", &query[..start], &query[start + 1..])),
            ("prj_a/col_b/01X", format!("{query}&x=1")),
            ("prj_a/col_b/01X", format!("exp=1000&kid={id}")),
            ("prj_a/col_b/01X", format!("exp=1000&kid={id}&sig=")),
            ("prj_a/col_b/01X", String::new()),
        ];
        for (key, query) in forged {
            assert_eq!(verify(&ring, key, &query, 990), Err(Refused::Forged), "{key} {query}");
        }
        ring.rotate().expect("rotated");
        assert_eq!(verify(&ring, "prj_a/col_b/01X", query, 990), Ok(10));
        ring.rotate().expect("rotated");
        assert_eq!(verify(&ring, "prj_a/col_b/01X", query, 990), Err(Refused::Forged));
    }
}

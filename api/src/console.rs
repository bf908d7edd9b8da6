//! The console at `/`: static files, built into the program. It uses the API as any other client does.

use axum::extract::Path;
use axum::http::{HeaderName, header};

use crate::error::{Code, Error, Result};

/// Only the console's own files run, and they may talk to this server only; what the user chose is shown from memory.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    media-src 'self' blob:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Name, content type and content of what the page loads.
const FILES: &[(&str, &str, &str)] = &[
    ("console.css", CSS, include_str!("../console/console.css")),
    ("main.js", SCRIPT, include_str!("../console/main.js")),
    ("api.js", SCRIPT, include_str!("../console/api.js")),
    ("page.js", SCRIPT, include_str!("../console/page.js")),
    ("collections.js", SCRIPT, include_str!("../console/collections.js")),
    ("items.js", SCRIPT, include_str!("../console/items.js")),
    ("search.js", SCRIPT, include_str!("../console/search.js")),
    ("add.js", SCRIPT, include_str!("../console/add.js")),
    ("media.js", SCRIPT, include_str!("../console/media.js")),
    ("recorder.js", SCRIPT, include_str!("../console/recorder.js")),
    ("recorder-worklet.js", SCRIPT, include_str!("../console/recorder-worklet.js")),
];

type File = ([(HeaderName, &'static str); 4], &'static str);

/// `GET /`
pub async fn page() -> File {
    file("text/html; charset=utf-8", include_str!("../console/index.html"))
}

/// `GET /console/{name}`
pub async fn part(Path(name): Path<String>) -> Result<File> {
    let found = FILES.iter().find(|(known, ..)| *known == name);
    let (_, kind, text) = found.ok_or_else(|| Error::new(Code::NotFound, "the console has no such file"))?;
    Ok(file(kind, text))
}

fn file(kind: &'static str, text: &'static str) -> File {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, text)
}

#[cfg(test)]
mod tests {
    //! Guards against a file of the console that is written but not served.
    use super::*;

    #[test]
    fn what_files_name_is_served() {
        let page = include_str!("../console/index.html");
        let texts = FILES.iter().map(|(_, _, text)| *text).chain([page]);
        let named: Vec<&str> = texts
            .flat_map(|text| {
                text.split('"').filter_map(|word| word.strip_prefix("./").or(word.strip_prefix("console/")))
            })
            .collect();
        assert!(named.len() > FILES.len(), "{named:?}");
        for name in named {
            assert!(FILES.iter().any(|(known, ..)| *known == name), "{name} is not served");
        }
        for (name, ..) in FILES {
            assert!(page.contains(name) || FILES.iter().any(|(_, _, text)| text.contains(name)), "{name} is not used");
        }
    }
}

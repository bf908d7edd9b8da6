//! The console at `/`: static files, built into the program. It uses the API as any other client does.

use axum::extract::{Path, State};
use axum::http::{HeaderName, header};

use crate::app::App;
use crate::error::{Code, Error, Result};

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
    ("status.js", SCRIPT, include_str!("../console/status.js")),
    ("search.js", SCRIPT, include_str!("../console/search.js")),
    ("add.js", SCRIPT, include_str!("../console/add.js")),
    ("media.js", SCRIPT, include_str!("../console/media.js")),
    ("recorder.js", SCRIPT, include_str!("../console/recorder.js")),
    ("recorder-worklet.js", SCRIPT, include_str!("../console/recorder-worklet.js")),
];

type File = ([(HeaderName, String); 4], &'static str);

/// `GET /`
pub async fn page(State(app): State<App>) -> File {
    let policy = policy(app.media.other_origin().await.as_deref());
    file("text/html; charset=utf-8", include_str!("../console/index.html"), policy)
}

/// `GET /console/{name}`
pub async fn part(Path(name): Path<String>) -> Result<File> {
    let found = FILES.iter().find(|(known, ..)| *known == name);
    let (_, kind, text) = found.ok_or_else(|| Error::new(Code::NotFound, "the console has no such file"))?;
    Ok(file(kind, text, policy(None)))
}

/// Only the console's own files run, and they may talk to this server only; media come from here, from where they are
/// kept, and from the user's choice.
fn policy(media: Option<&str>) -> String {
    let media = media.map(|origin| format!(" {origin}")).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:{media}; \
        media-src 'self' blob:{media}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
}

fn file(kind: &str, text: &'static str, policy: String) -> File {
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
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

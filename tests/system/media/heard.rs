//! The default pack's audio tower, from a file to its neighbours: a spoken phrase and a named sound lie near their texts, and
//! nothing lies near any. What it finds at large is measured by `make bench BENCH=retrieval`.

use postgres::Client;
use vw_tests::cluster::Cluster;
use vw_tests::samples;

/// Sounds of the demo collection, and what they mean.
const HEARD: [(&str, &[u8]); 4] = [
    ("a warm jacket for the winter", include_bytes!("../../../sql/demo/sounds/said-a-warm-jacket-for-the-winter.mp3")),
    ("a slice of pizza", include_bytes!("../../../sql/demo/sounds/said-a-slice-of-pizza.mp3")),
    ("a bell", include_bytes!("../../../sql/demo/sounds/bell.mp3")),
    ("a siren", include_bytes!("../../../sql/demo/sounds/siren.mp3")),
];

/// The text nearest to a sound, of those of `HEARD` and some others, and its cosine.
fn nearest(client: &mut Client, sound: &[u8]) -> (String, f64) {
    let mut texts: Vec<&str> = HEARD.iter().map(|(text, _)| *text).collect();
    texts.extend([
        "a winter coat of snow on the mountains",
        "the tax on imported goods",
        "a slice of bread",
        "rain",
        "music",
    ]);
    let query =
        "SELECT t, 1 - (vw_embed_audio($1) <=> vw_embed_text(t)) FROM unnest($2::text[]) t ORDER BY 2 DESC LIMIT 1";
    let row = client.query_one(query, &[&sound, &texts]).expect("a row");
    (row.get(0), row.get(1))
}

#[test]
fn sounds_lie_near_their_texts_and_silence_near_none() {
    let cluster = Cluster::start("");
    let mut client = cluster.with_vw("app");
    for (text, sound) in HEARD {
        let (found, cosine) = nearest(&mut client, sound);
        assert!(found == text && cosine > 0.3, "{text}: {found} {cosine}");
    }
    // A tone of no height is silence.
    let (found, cosine) = nearest(&mut client, &samples::wav(0.0));
    assert!(cosine < 0.3, "silence means {found}: {cosine}");
}

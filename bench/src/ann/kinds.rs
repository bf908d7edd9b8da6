//! The kinds of index that are measured: how each is made, and the knob that trades its speed for recall.
//!
//! Every kind is as its documents say to use it: ours with no option at all, `ivfflat` with both of the numbers of
//! lists that its README gives, `hnsw` with its defaults, VectorChord with one level of about as many lists as the
//! square root of the rows, with the vectors kept in its index or read from the table.

use super::data::Metric;

/// A setting and the values that it takes in turn.
pub struct Sweep {
    /// The curve's name.
    pub curve: &'static str,
    pub setting: &'static str,
    /// From fast to exact. None leaves the setting alone.
    pub values: &'static [Option<&'static str>],
}

/// The options of an index on so many rows, as names and values.
type Options = fn(usize, Metric) -> Vec<(&'static str, String)>;

/// A kind of index.
pub struct Kind {
    pub name: &'static str,
    pub method: &'static str,
    pub ours: bool,
    pub options: Options,
    /// Settings of every search.
    pub settings: &'static [(&'static str, &'static str)],
    pub sweeps: &'static [Sweep],
}

/// Write a sweep's values as the settings are written.
macro_rules! values {
    ($($value:literal)*) => { &[$(Some($value)),*] };
}

const IVFFLAT: &[Option<&str>] = values!["1" "2" "4" "6" "10" "16" "24" "40" "64" "100" "160" "240"];

pub fn all() -> Vec<Kind> {
    let ours = Kind {
        name: "ivf",
        method: "ivf",
        ours: true,
        options: |_, _| Vec::new(),
        settings: &[],
        sweeps: &[
            Sweep { curve: "ivf as it is", setting: "ivf.recall_target", values: &[None] },
            Sweep {
                curve: "ivf by recall",
                setting: "ivf.recall_target",
                values: values!["0.8" "0.85" "0.9" "0.95" "0.98" "0.99" "0.995"],
            },
            Sweep {
                curve: "ivf by probes",
                setting: "ivf.probes",
                values: values!["1" "2" "4" "6" "8" "12" "16" "24" "32" "48" "64" "96" "128" "192" "256"],
            },
        ],
    };
    let mut kinds = vec![ours];
    kinds.extend(pgvector());
    kinds.extend(vectorchord());
    kinds
}

/// <https://github.com/pgvector/pgvector#indexing>
fn pgvector() -> [Kind; 3] {
    let ivfflat = |name, options, sweeps| Kind { name, method: "ivfflat", ours: false, options, settings: &[], sweeps };
    [
        ivfflat(
            "ivfflat, rows/1000 lists",
            |rows, _| vec![("lists", (rows / 1000).max(1).to_string())],
            &[Sweep { curve: "ivfflat, rows/1000 lists", setting: "ivfflat.probes", values: IVFFLAT }],
        ),
        ivfflat(
            "ivfflat, sqrt lists",
            |rows, _| vec![("lists", root(rows).to_string())],
            &[Sweep { curve: "ivfflat, sqrt lists", setting: "ivfflat.probes", values: IVFFLAT }],
        ),
        Kind {
            name: "hnsw",
            method: "hnsw",
            ours: false,
            options: |_, _| Vec::new(),
            settings: &[],
            sweeps: &[Sweep {
                curve: "hnsw",
                setting: "hnsw.ef_search",
                values: values!["10" "20" "40" "60" "80" "120" "160" "240" "320" "480" "640" "900"],
            }],
        },
    ]
}

const VCHORDRQ: &[Option<&str>] = values!["2" "4" "6" "8" "12" "16" "24" "32" "48" "64" "96" "144" "200" "300"];

/// <https://docs.vectorchord.ai/vectorchord/usage/indexing.html>
fn vectorchord() -> [Kind; 2] {
    let settings = &[("vchordrq.epsilon", "1.9")];
    let kind = |name, options, sweeps| Kind { name, method: "vchordrq", ours: false, options, settings, sweeps };
    [
        kind(
            "vchordrq, in index",
            |rows, metric| vec![("options", toml(rows, metric, false))],
            &[Sweep { curve: "vchordrq, in index", setting: "vchordrq.probes", values: VCHORDRQ }],
        ),
        kind(
            "vchordrq, in table",
            |rows, metric| vec![("options", toml(rows, metric, true))],
            &[Sweep { curve: "vchordrq, in table", setting: "vchordrq.probes", values: VCHORDRQ }],
        ),
    ]
}

/// VectorChord's options, which are a document of their own.
fn toml(rows: usize, metric: Metric, rerank_in_table: bool) -> String {
    let (lists, spherical) = (root(rows), metric != Metric::L2);
    format!(
        "rerank_in_table = {rerank_in_table}\n[build.internal]\nlists = [{lists}]\nbuild_threads = 2\n\
         spherical_centroids = {spherical}\n"
    )
}

fn root(rows: usize) -> usize {
    rows.isqrt().max(1)
}

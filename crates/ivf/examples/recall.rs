//! Recall and work of searches over an index in memory: `recall BASE.npy QUERIES.npy [inserted]`, files of float32 rows.
//!
//! For setting the index's constants: lists visited, codes scanned, rows refined and fetched for each target and number
//! of probes. With `inserted`, the rows go into an empty index one by one. How fast searches are is for
//! `make bench BENCH=ann` to say: pages are copied here.

use std::error::Error;
use std::time::Instant;

use vw_ivf::memory::MemoryStore;
use vw_ivf::{Coding, Effort, Index, Loader, Metric, Options, Placer, Plan, Sample, Tid};
use vw_vector::dense::distance::cosine;
use vw_vector::kernel::Best;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Neighbours that each query is to find.
const K: usize = 10;
/// Queries that are asked.
const QUERIES: usize = 300;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, base, queries, mode @ ..] = arguments.as_slice() else {
        return Err("usage: recall BASE.npy QUERIES.npy [inserted]".into());
    };
    let base = Rows::read(base)?;
    let queries = Rows::read(queries)?;
    let (metric, coding) = (Metric::Cosine, Coding::Bits(4));
    let options = Options { dimensions: base.dim as u32, lists: 0, metric, coding };
    let store = MemoryStore::default();
    let start = Instant::now();
    match mode {
        [] => build(&store, &options, &base)?,
        _ => insert(&store, &options, &base)?,
    }
    println!("{} rows: {:.1} s", base.count(), start.elapsed().as_secs_f64());
    let index = Index::open(&store)?;
    println!("{:?}", index.stats(&mut || {})?);
    let queries: Vec<(&[f32], Vec<usize>)> =
        queries.iter().take(QUERIES).map(|query| (query, base.nearest(query))).collect();
    for recall in [0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99] {
        let label = format!("target {recall:.2}");
        measure(&store, &base, &queries, (&label, Effort { recall, ..Effort::default() }))?;
    }
    for probes in [1, 2, 4, 8, 16, 32, 64] {
        measure(&store, &base, &queries, (&format!("probes {probes}"), Effort { probes, ..Effort::default() }))?;
    }
    Ok(())
}

fn build(store: &MemoryStore, options: &Options, base: &Rows) -> Result<()> {
    let mut sample = Sample::new(options, 40_000).ok_or("no memory for the sample")?;
    base.iter().for_each(|vector| sample.offer(vector));
    let plan = Plan::new(sample, base.count() as u64, &mut || {});
    let mut placer = Placer::new(options, &plan).ok_or("no plan")?;
    let mut placed: Vec<(u32, usize, Vec<u8>)> = Vec::new();
    for (at, vector) in base.iter().enumerate() {
        let mut row = Vec::new();
        placed.push((placer.place(vector, &mut row), at, row));
    }
    placed.sort_by_key(|(list, at, _)| (*list, *at));
    let mut loader = Loader::new(store, options, plan)?;
    for (list, at, row) in &placed {
        loader.push(*list, tid(*at), row, &mut || {})?;
    }
    loader.finish(&mut || {})?;
    Ok(())
}

fn insert(store: &MemoryStore, options: &Options, base: &Rows) -> Result<()> {
    vw_ivf::create(store, options)?;
    let index = Index::open(store)?;
    for (at, vector) in base.iter().enumerate() {
        index.insert(tid(at), vector, &mut || {})?;
    }
    Ok(())
}

fn measure(
    store: &MemoryStore,
    base: &Rows,
    queries: &[(&[f32], Vec<usize>)],
    (label, effort): (&str, Effort),
) -> Result<()> {
    let mut hits = 0;
    let mut sums = [0.0; 4];
    for (query, truth) in queries {
        let mut search = Index::open(store)?.search(query, &effort)?;
        let mut distance = |tid: Tid| Ok::<_, vw_ivf::Error>(base.row(row(tid)).map(|row| cosine(Best, row, query)));
        for _ in 0..K {
            let found = search.next(&mut distance)?;
            hits += usize::from(found.is_some_and(|found| truth.contains(&row(found.tid))));
        }
        let counters = search.counters();
        let counts = [counters.lists, counters.scanned, counters.refined, counters.fetched];
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count as f64 / queries.len() as f64);
    }
    let recall = hits as f64 / (queries.len() * K) as f64;
    let [lists, scanned, refined, fetched] = sums;
    println!(
        "{label}: recall {recall:.4}, lists {lists:.1}, scanned {scanned:.0}, refined {refined:.0}, fetched {fetched:.1}"
    );
    Ok(())
}

fn tid(row: usize) -> Tid {
    Tid { block: (row / 100) as u32, offset: (row % 100 + 1) as u16 }
}

fn row(tid: Tid) -> usize {
    tid.block as usize * 100 + usize::from(tid.offset) - 1
}

/// Rows of one length.
struct Rows {
    values: Vec<f32>,
    dim: usize,
}

impl Rows {
    /// Read a file of float32 rows in the NPY format, version 1.0
    /// (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).
    fn read(path: &str) -> Result<Rows> {
        let bytes = std::fs::read(path)?;
        let length = bytes.get(8..).and_then(|bytes| bytes.first_chunk()).ok_or("no NPY file")?;
        let (header, data) = bytes.split_at_checked(10 + usize::from(u16::from_le_bytes(*length))).ok_or("cut off")?;
        let header = String::from_utf8_lossy(header).into_owned();
        let shape = header.split("'shape': (").nth(1).and_then(|shape| shape.split([',', ')']).nth(1));
        let dim = shape.ok_or("not of two dimensions")?.trim().parse()?;
        let values = data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Ok(Rows { values, dim })
    }

    fn count(&self) -> usize {
        self.values.len() / self.dim.max(1)
    }

    fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.dim.max(1))
    }

    fn row(&self, at: usize) -> Option<&[f32]> {
        self.values.get(at * self.dim..(at + 1) * self.dim)
    }

    /// Find the rows nearest to a query by measuring all.
    fn nearest(&self, query: &[f32]) -> Vec<usize> {
        let mut all: Vec<(f64, usize)> = self.iter().map(|row| cosine(Best, row, query)).zip(0..).collect();
        all.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        all.into_iter().take(K).map(|(_, at)| at).collect()
    }
}

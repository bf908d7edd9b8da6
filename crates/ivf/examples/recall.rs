//! Recall and work of searches over an index in memory: `recall BASE.npy QUERIES.npy [ROWS]`, files of float32 rows.
//!
//! With PROBES in the environment, only the lines of so many lists. For setting the index's constants. How fast searches are is for `make bench BENCH=ann` to say: pages are copied here.

use std::time::Instant;

use vw_ivf::memory::MemoryStore;
use vw_ivf::{Coding, Effort, Error, Index, Loader, Metric, Options, Placer, Plan, Sample, Tid};

const K: usize = 10;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (base, dim) = npy(&arguments[1]);
    let (queries, _) = npy(&arguments[2]);
    let rows = arguments.get(3).map_or(base.len() / dim, |rows| rows.parse().expect("a number of rows"));
    let base = &base[..rows * dim];
    let bits: u8 = std::env::var("BITS").map_or(4, |bits| bits.parse().expect("bits"));
    let options = Options { dimensions: dim as u32, lists: 0, metric: Metric::Cosine, coding: Coding::Bits(bits) };
    let count = std::env::var("QUERIES").map_or(200, |count| count.parse().expect("a number of queries"));
    let queries: Vec<&[f32]> = queries.chunks(dim).take(count).collect();
    let truth: Vec<Vec<usize>> = queries.iter().map(|query| exact(base, dim, query)).collect();

    let start = Instant::now();
    let store = MemoryStore::default();
    if std::env::var("INSERT").is_ok() {
        vw_ivf::create(&store, &options).expect("a store");
        let index = Index::open(&store).expect("an index");
        for (at, vector) in base.chunks(dim).enumerate() {
            index.insert(tid(at), vector, &mut || {}).expect("an insert");
        }
        println!("{rows} inserts: {:.1} us each", start.elapsed().as_secs_f64() * 1e6 / rows as f64);
    } else {
        build(&store, &options, base, (&queries, &truth));
        println!("build {:.1} s", start.elapsed().as_secs_f64());
    }
    let index = Index::open(&store).expect("an index");
    println!("{:?}\n{:?}", index.stats(&mut || {}), index.estimate());
    println!("steps {:?}", [0.8, 0.9, 0.95, 0.98, 0.99].map(|share| index.nearness(share).expect("a meta page")));
    let targets = [0.8, 0.9, 0.95, 0.98, 0.99, 1.0];
    for recall in targets.into_iter().filter(|_| std::env::var("PROBES").is_err()) {
        measure(&store, base, dim, &queries, &truth, &Effort { recall, ..Effort::default() });
    }
    for probes in [1, 2, 4, 8, 16, 32, 64] {
        measure(&store, base, dim, &queries, &truth, &Effort { probes, ..Effort::default() });
    }
}

fn build(store: &MemoryStore, options: &Options, base: &[f32], wanted: (&[&[f32]], &[Vec<usize>])) {
    let dim = options.dimensions as usize;
    let mut sample = Sample::new(options, 40_000).expect("memory");
    base.chunks(dim).for_each(|vector| sample.offer(vector));
    let (start, count) = (Instant::now(), sample.len());
    let plan = Plan::new(sample, (base.len() / dim) as u64, &mut || {});
    println!(
        "{} lists in {} groups of {count}: {:.2} s",
        plan.lists(),
        plan.groups.len(),
        start.elapsed().as_secs_f64()
    );
    let mut placer = Placer::new(options, &plan).expect("a plan");
    let start = Instant::now();
    let mut placed: Vec<(u32, usize, Vec<u8>)> = Vec::new();
    for (at, vector) in base.chunks(dim).enumerate() {
        let mut row = Vec::new();
        let list = placer.place(vector, &mut row);
        placed.push((list, at, row));
    }
    println!("placing: {:.2} us a row", start.elapsed().as_secs_f64() * 1e6 / placed.len() as f64);
    partition(&placed, base, dim, wanted);
    placed.sort_by_key(|(list, at, _)| (*list, *at));
    let mut loader = Loader::new(store, options, plan).expect("an empty store");
    for (list, at, row) in &placed {
        loader.push(*list, tid(*at), row, &mut || {}).expect("a push");
    }
    loader.finish(&mut || {}).expect("a finish");
}

/// Print what the lists are worth without codes: the recall, and the rows, of those whose means are nearest.
fn partition(placed: &[(u32, usize, Vec<u8>)], base: &[f32], dim: usize, (queries, truth): (&[&[f32]], &[Vec<usize>])) {
    let lists = placed.iter().map(|(list, ..)| *list as usize + 1).max().unwrap_or(0);
    let (mut means, mut counts) = (vec![0.0_f32; lists * dim], vec![0_usize; lists]);
    for (list, at, _) in placed {
        let vector = &base[at * dim..(at + 1) * dim];
        let scale = 1.0 / vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        let mean = &mut means[*list as usize * dim..(*list as usize + 1) * dim];
        mean.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value * scale);
        counts[*list as usize] += 1;
    }
    for (mean, count) in means.chunks_mut(dim).zip(&counts) {
        mean.iter_mut().for_each(|sum| *sum /= (*count).max(1) as f32);
    }
    // The members have norm one, so the mean squared distance from their means is what the means' norms leave of it.
    let norms = means.chunks(dim).map(|mean| mean.iter().map(|value| f64::from(value * value)).sum::<f64>());
    let left: f64 = norms.zip(&counts).map(|(norm, count)| norm * *count as f64).sum();
    println!("mean squared distance {:.5}", 1.0 - left / placed.len() as f64);
    let probes = [1, 2, 4, 8, 16, 32];
    let (mut hits, mut rows) = ([0; 6], [0; 6]);
    for (query, truth) in queries.iter().zip(truth) {
        let norm = query.iter().map(|value| value * value).sum::<f32>().sqrt();
        let distance =
            |mean: &[f32]| mean.iter().zip(*query).map(|(mean, value)| (mean - value / norm).powi(2)).sum::<f32>();
        let mut order: Vec<(f32, usize)> = means.chunks(dim).map(distance).zip(0..).collect();
        order.sort_by(|one, other| one.0.total_cmp(&other.0));
        for (at, probes) in probes.iter().enumerate() {
            let near: Vec<usize> = order.iter().take(*probes).map(|(_, list)| *list).collect();
            hits[at] += truth.iter().filter(|row| near.contains(&(placed[**row].0 as usize))).count();
            rows[at] += near.iter().map(|list| counts[*list]).sum::<usize>();
        }
    }
    for ((probes, hits), rows) in probes.iter().zip(hits).zip(rows) {
        let recall = hits as f64 / (queries.len() * K) as f64;
        println!("partition, {probes:3} lists: recall {recall:.4}  rows {}", rows / queries.len());
    }
}

fn measure(store: &MemoryStore, base: &[f32], dim: usize, queries: &[&[f32]], truth: &[Vec<usize>], effort: &Effort) {
    let (mut hits, mut lists, mut scanned, mut refined, mut fetched) = (0, 0, 0, 0, 0);
    let start = Instant::now();
    for (query, truth) in queries.iter().zip(truth) {
        let mut search = Index::open(store).expect("an index").search(query, effort).expect("a search");
        let mut distance = |tid: Tid| {
            let at = tid.block as usize * 100 + tid.offset as usize - 1;
            Ok::<_, Error>(Some(vw_vector::dense::distance::cosine(
                vw_vector::kernel::Best,
                &base[at * dim..(at + 1) * dim],
                query,
            )))
        };
        for _ in 0..K {
            let found = search.next(&mut distance).expect("a search").expect("a row");
            hits += usize::from(truth.contains(&(found.tid.block as usize * 100 + found.tid.offset as usize - 1)));
        }
        let counters = search.counters();
        lists += counters.lists;
        scanned += counters.scanned;
        refined += counters.refined;
        fetched += counters.fetched;
    }
    let per = |count: u64| count as f64 / queries.len() as f64;
    println!(
        "target {:.2} probes {:3}: recall {:.4}  lists {:.1} scanned {:.0} refined {:.0} fetched {:.1}  {:.0} us",
        effort.recall,
        effort.probes,
        hits as f64 / (queries.len() * K) as f64,
        per(lists),
        per(scanned),
        per(refined),
        per(fetched),
        start.elapsed().as_secs_f64() * 1e6 / queries.len() as f64
    );
}

fn exact(base: &[f32], dim: usize, query: &[f32]) -> Vec<usize> {
    let mut all: Vec<(f64, usize)> = base
        .chunks(dim)
        .enumerate()
        .map(|(at, vector)| (vw_vector::dense::distance::cosine(vw_vector::kernel::Best, vector, query), at))
        .collect();
    all.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    all.into_iter().take(K).map(|(_, at)| at).collect()
}

fn tid(at: usize) -> Tid {
    Tid { block: (at / 100) as u32, offset: (at % 100 + 1) as u16 }
}

/// Read a file of float32 rows (the NPY format of NumPy, version 1.0).
fn npy(path: &str) -> (Vec<f32>, usize) {
    let bytes = std::fs::read(path).expect("a file");
    let length = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
    let header = String::from_utf8_lossy(&bytes[10..10 + length]).into_owned();
    let shape = header.split("'shape': (").nth(1).expect("a shape");
    let dim = shape.split([',', ')']).nth(1).expect("two dimensions").trim().parse().expect("a number");
    let floats = bytes[10 + length..].as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    (floats, dim)
}

//! An index that grows by inserts, and one whose rows are replaced, beside one that is built of the same rows: the recall,
//! the searches in a second and the size.

use std::io::{BufWriter, Write};

use anyhow::{Result, anyhow};

use crate::ann::build::build;
use crate::ann::data::{Data, Vectors};
use crate::ann::kinds::{self, Kind, Sweep};
use crate::ann::report::Row;
use crate::ann::session::{Side, drop_index, run_made};
use crate::ann::{Plan, search, wire};

/// Clusters that the order of rows goes by.
const CLUSTERS: usize = 300;
/// How often most rows are deleted and filled in again.
const ROUNDS: i32 = 10;

/// The settings that are measured.
const SWEEPS: &[Sweep] = &[
    Sweep { curve: "as it is", setting: "ivf.recall_target", values: &[None] },
    Sweep { curve: "by recall", setting: "ivf.recall_target", values: &[Some("0.9"), Some("0.98")] },
    Sweep { curve: "by probes", setting: "ivf.probes", values: &[Some("64")] },
];

/// An index as it was measured: its size in megabytes, and a row for each setting.
struct State {
    size: f64,
    rows: Vec<Row>,
}

/// Measure all states. The table is loaded, and has no index.
pub fn run(side: &Side, data: &Data, plan: &Plan) -> Result<()> {
    let kind = kinds::all().into_iter().find(|kind| kind.ours).ok_or_else(|| anyhow!("there is no kind of ours"))?;
    let order = by_cluster(&data.base);
    build(side, &kind, data, plan)?;
    let fresh = measure(side, &kind, data, plan)?;

    for round in 0..ROUNDS {
        let mut client = side.connect()?;
        client.execute(include_str!("../../sql/churn_delete.sql"), &[&round])?;
        client.batch_execute(include_str!("../../sql/ann_settle.sql"))?;
        let gone = order.iter().copied().filter(|id| *id % 10 != round);
        fill(side, &data.base, gone)?;
    }
    side.connect()?.batch_execute(include_str!("../../sql/ann_settle.sql"))?;
    let refilled = measure(side, &kind, data, plan)?;

    drop_index(side)?;
    let mut client = side.connect()?;
    client.batch_execute(include_str!("../../sql/churn_empty.sql"))?;
    let none: &[String] = &[];
    run_made(
        &mut client,
        include_str!("../../sql/ann_index.sql"),
        &[&kind.method, &data.metric.class(), &none, &none],
    )?;
    fill(side, &data.base, order.iter().copied())?;
    let grown = measure(side, &kind, data, plan)?;
    client.batch_execute(include_str!("../../sql/ann_settle.sql"))?;
    let tended = measure(side, &kind, data, plan)?;

    let heads = ["recall", "q/s", "CPU ms", "size MB"].map(|head| format!(" {head:>9}")).concat();
    println!("\n  {:<30} {:<22}{heads} {:>8} {:>8} {:>8}", "index", "setting", "recall", "q/s", "by CPU");
    print(&fresh, &fresh, "built");
    print(&grown, &fresh, "grown in order of clusters");
    print(&tended, &fresh, "the same after a vacuum");
    print(&refilled, &fresh, "90 % replaced, 10 times");
    Ok(())
}

/// Search by each setting.
fn measure(side: &Side, kind: &Kind, data: &Data, plan: &Plan) -> Result<State> {
    let mut client = side.connect()?;
    client.batch_execute(include_str!("../../sql/ann_checkpoint.sql"))?;
    let bytes: i64 = client.query_one(include_str!("../../sql/ann_size.sql"), &[])?.get(0);
    search::warm(side, kind, data)?;
    let settings = SWEEPS.iter().flat_map(|sweep| sweep.values.iter().map(move |value| (sweep, value)));
    let rows = settings.map(|(sweep, value)| search::measure(side, kind, sweep, value, data, plan));
    Ok(State { size: bytes as f64 / 1_048_576.0, rows: rows.collect::<Result<_>>()? })
}

/// Print a state beside the first: the difference in recall, and what it has of the searches in a second.
fn print(state: &State, first: &State, name: &str) {
    for (row, of_first) in state.rows.iter().zip(&first.rows) {
        let work = row.work.unwrap_or(f64::NAN);
        let (recall, rate) = (row.recall - of_first.recall, row.one / of_first.one);
        let by_work = of_first.work.unwrap_or(f64::NAN) / work;
        println!(
            "  {name:<30} {:<22} {:>9.4} {:>9.1} {work:>9.3} {:>9.1} {recall:>+8.4} {rate:>8.2} {by_work:>8.2}",
            row.setting, row.recall, row.one, state.size
        );
    }
}

/// Insert the vectors of these numbers, in this order.
fn fill(side: &Side, base: &Vectors, ids: impl Iterator<Item = i32>) -> Result<()> {
    let mut client = side.connect()?;
    let mut copy = BufWriter::with_capacity(1 << 18, client.copy_in(include_str!("../../sql/ann_copy.sql"))?);
    wire::copy(ids.map(|id| (id, base.row(id as usize))), &mut copy)?;
    copy.flush()?;
    copy.into_inner().map_err(|error| error.into_error())?.finish()?;
    Ok(())
}

/// The numbers of all vectors, cluster by cluster: each belongs to the nearest of some that are spread over them.
fn by_cluster(base: &Vectors) -> Vec<i32> {
    let step = (base.len() / CLUSTERS).max(1);
    let middles: Vec<&[f32]> = base.rows().step_by(step).take(CLUSTERS).collect();
    let length = |row: &[f32]| row.iter().map(|value| value * value).sum::<f32>().sqrt();
    let lengths: Vec<f32> = middles.iter().map(|middle| length(middle)).collect();
    let home = |row: &[f32]| {
        let cosine = |at: usize| {
            let products = middles[at].iter().zip(row).map(|(one, other)| one * other);
            products.sum::<f32>() / lengths[at].max(f32::MIN_POSITIVE)
        };
        (0..middles.len()).map(|at| (cosine(at), at)).max_by(|(one, _), (other, _)| one.total_cmp(other))
    };
    let mut order: Vec<(usize, i32)> =
        (0_i32..).zip(base.rows()).map(|(id, row)| (home(row).map_or(0, |(_, at)| at), id)).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_cluster_follow_each_other() {
        let angle = |at: usize| (at % 7) as f32;
        let values = (0..700).flat_map(|at| [angle(at).cos(), angle(at).sin()]).collect();
        let order = by_cluster(&Vectors { dims: 2, values });
        let changes = order.windows(2).filter(|pair| pair[0] % 7 != pair[1] % 7).count();
        assert_eq!(changes, 6);
        let mut sorted = order;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..700).collect::<Vec<i32>>());
    }
}

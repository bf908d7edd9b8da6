//! What is printed: a line for each measurement, the builds, and who is how fast at the same recall.

use std::fmt::Write;

use super::build::Build;

/// The recalls at which the curves are compared.
const LEVELS: &[f64] = &[0.95, 0.98];
/// A sweep ends when the queries have this recall, and those of the other distribution that one.
const ENOUGH: (f64, f64) = (0.99, 0.98);
/// A sweep also ends where it has become slower than this.
const SLOW: f64 = 10.0;

/// The measurement of one setting by queries of another distribution.
pub struct Other {
    pub recall: f64,
    pub rate: f64,
    pub p99: f64,
}

/// The measurement of one setting; rates are queries a second, times are milliseconds.
pub struct Row {
    pub curve: &'static str,
    pub ours: bool,
    pub setting: String,
    pub recall: f64,
    pub one: f64,
    pub two: Option<f64>,
    pub p50: f64,
    pub p99: f64,
    /// Processor time of the server for a query.
    pub work: Option<f64>,
    pub other: Option<Other>,
}

impl Row {
    /// Tell whether slower settings would tell nothing more.
    pub fn is_enough(&self) -> bool {
        let other = self.other.as_ref().is_none_or(|other| other.recall >= ENOUGH.1);
        self.one < SLOW || (self.recall >= ENOUGH.0 && other)
    }

    pub fn header() -> String {
        let measured = ["recall", "q/s", "q/s by 2", "p50 ms", "p99 ms", "CPU ms", "other", "q/s"];
        format!("  {:<25} {:<25}{}", "", "", measured.map(|name| format!(" {name:>8}")).concat())
    }

    pub fn line(&self) -> String {
        let Row { curve, setting, recall, one, p50, p99, .. } = self;
        let (two, work) = (optional(self.two, 1), optional(self.work, 3));
        let mut line =
            format!("  {curve:<25} {setting:<25} {recall:>8.4} {one:>8.1} {two:>8} {p50:>8.2} {p99:>8.2} {work:>8}");
        if let Some(Other { recall, rate, .. }) = self.other {
            line += &format!(" {recall:>8.4} {rate:>8.1}");
        }
        line
    }
}

/// A number, or a dash.
fn optional(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

/// The builds as a table.
pub fn builds(builds: &[Build]) -> String {
    let mut text = format!("  {:<25} {:>8} {:>9} {:>8}\n", "", "build s", "memory MB", "size MB");
    for Build { name, seconds, peak, size } in builds {
        let peak = optional(*peak, 0);
        text.push_str(&format!("  {name:<25} {seconds:>8.1} {peak:>9} {size:>8.0}\n"));
    }
    text
}

/// How many queries a second each curve has at the same recall, and ours over the best of the others.
///
/// By one client, by two, in a second of the server's processor time, and by one client with the other queries.
pub fn summary(rows: &[Row], other: bool) -> String {
    let mut text = String::new();
    let (mut heads, mut views): (Vec<String>, Vec<(f64, View)>) = (Vec::new(), Vec::new());
    for level in LEVELS {
        heads.extend([format!("{level} alone"), format!("{level} by 2"), format!("{level} CPU")]);
        views.extend([(*level, one as View), (*level, two), (*level, by_work)]);
        if other {
            heads.push(format!("{level} other"));
            views.push((*level, of_other));
        }
    }
    let heads: String = heads.iter().map(|head| format!(" {head:>11}")).collect();
    let _ = writeln!(text, "  {:<25}{heads}", "queries/s at recall");
    for curve in curves(rows) {
        let of_curve: Vec<&Row> = rows.iter().filter(|row| row.curve == curve).collect();
        let rates: String =
            views.iter().map(|(level, view)| format!(" {:>11}", optional(at(&of_curve, *view, *level), 1))).collect();
        let _ = writeln!(text, "  {curve:<25}{rates}");
    }
    let ratios: String = views.iter().map(|(level, view)| format!(" {:>11}", ratio(rows, *view, *level))).collect();
    let _ = writeln!(text, "  {:<25}{ratios}", "ours / the best peer");
    text
}

/// One curve of a measurement: recall and rate.
type View = fn(&Row) -> Option<(f64, f64)>;

fn one(row: &Row) -> Option<(f64, f64)> {
    Some((row.recall, row.one))
}

fn two(row: &Row) -> Option<(f64, f64)> {
    row.two.map(|rate| (row.recall, rate))
}

/// Queries in a second of processor time.
fn by_work(row: &Row) -> Option<(f64, f64)> {
    row.work.map(|milliseconds| (row.recall, 1000.0 / milliseconds))
}

fn of_other(row: &Row) -> Option<(f64, f64)> {
    row.other.as_ref().map(|other| (other.recall, other.rate))
}

/// The curves' names, in the order of measurement.
pub fn curves(rows: &[Row]) -> Vec<&'static str> {
    let mut names: Vec<&str> = rows.iter().map(|row| row.curve).collect();
    names.dedup();
    names
}

/// Ours over the best of the others, each side by its best curve.
fn ratio(rows: &[Row], view: View, level: f64) -> String {
    let best = |ours: bool| {
        let rates = curves(rows).into_iter().filter_map(|curve| {
            let of_curve: Vec<&Row> = rows.iter().filter(|row| row.curve == curve && row.ours == ours).collect();
            at(&of_curve, view, level)
        });
        rates.max_by(f64::total_cmp)
    };
    optional(best(true).zip(best(false)).map(|(ours, theirs)| ours / theirs), 2)
}

/// The rate of a curve at a recall: that of its fastest measurement with as much, or between two neighbours, where the
/// logarithm of the rate is taken to be a straight line.
fn at(rows: &[&Row], view: View, level: f64) -> Option<f64> {
    let points: Vec<(f64, f64)> = rows.iter().filter_map(|row| view(row)).collect();
    let above = points.iter().filter(|(recall, _)| *recall >= level).map(|(_, rate)| *rate);
    let between = points.windows(2).filter_map(|pair| match pair {
        [(low, fast), (high, slow)] if *low < level && *high > level => {
            Some((fast.ln() + (slow.ln() - fast.ln()) * (level - low) / (high - low)).exp())
        }
        _ => None,
    });
    above.chain(between).max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(curve: &'static str, ours: bool, recall: f64, one: f64) -> Row {
        Row { curve, ours, setting: String::new(), recall, one, two: None, p50: 1.0, p99: 1.0, work: None, other: None }
    }

    #[test]
    fn rates_between_two_settings_are_interpolated() {
        let rows = [row("a", false, 0.9, 1000.0), row("a", false, 1.0, 10.0)];
        let rows: Vec<&Row> = rows.iter().collect();
        assert!((at(&rows, one, 0.95).unwrap() - 100.0).abs() < 1e-6);
        assert_eq!(at(&rows, one, 1.0), Some(10.0));
        assert_eq!(at(&rows[..1], one, 0.95), None, "a curve that does not get there has no rate");
        assert_eq!(at(&rows[..1], one, 0.8), Some(1000.0), "a curve that begins above is no slower");
    }

    #[test]
    fn the_best_curves_are_compared() {
        let rows = [
            row("ours", true, 0.96, 300.0),
            row("ours too", true, 0.96, 450.0),
            row("slow", false, 0.99, 20.0),
            row("fast", false, 0.97, 300.0),
        ];
        assert_eq!(ratio(&rows, one, 0.95), "1.50");
        assert_eq!(ratio(&rows, one, 0.98), "-");
        assert!(summary(&rows, false).contains("1.50"));
    }
}

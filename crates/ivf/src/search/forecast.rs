//! What a search is going to do, foretold from the meta page for a planner. The shape of the formulas is the search's
//! own; their numbers were measured on sentence embeddings of 384 dimensions and on synthetic ones of 1024.

use super::Effort;
use crate::codec::Coding;
use crate::{Estimate, PAGE_BYTES};

/// Lists that are visited, on average, for each that is visited before anything else.
const VISITED: f64 = 2.0;
/// Members given for which as many lists more are visited as for the first.
const FARTHER: f64 = 300.0;
/// Members whose distance is asked for, for each that is given, and at first.
const FETCHED: (f64, f64) = (1.1, 2.0);
/// Members whose rows are read, for each that is given, and at first.
const REFINED: (f64, f64) = (2.5, 30.0);
/// The share of all members whose distance is asked for where no bound may be left to chance. All rows are read then.
const CERTAIN: f64 = 0.002;
/// Bytes of a member in a code page, beside the code.
const BESIDE: f64 = 14.0;

/// What a search is going to do until it has given so many members.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Forecast {
    pub directory_pages: f64,
    pub lists: f64,
    /// Pages with the codes or the rows of the lists' members, and the members.
    pub pages: f64,
    pub scanned: f64,
    pub refined: f64,
    pub fetched: f64,
}

impl Forecast {
    /// Foretell a search that gives `rows` members.
    pub fn new(estimate: &Estimate, effort: &Effort, rows: f64) -> Forecast {
        let (members, all) = (estimate.members as f64, f64::from(estimate.lists).max(1.0));
        let rows = rows.min(members);
        let exhaustive = effort.is_exhaustive(estimate.lists);
        let first = match effort.probes {
            _ if exhaustive => all,
            0 => VISITED * effort.least(estimate.lists) as f64,
            probes => f64::from(probes),
        };
        // Lists that were asked for by number hold some members; the others are visited when those run out.
        let more = if effort.probes > 0 { rows * all / members.max(1.0) } else { first * rows / FARTHER };
        let lists = (first + more).min(f64::from(effort.most)).min(all);
        let scanned = members * lists / all;
        let certain = |share: f64| if exhaustive { share * members } else { 0.0 };
        let share = |(each, first): (f64, f64), more: f64| (each * rows + first + more).min(scanned);
        Forecast {
            directory_pages: f64::from(estimate.directory_pages),
            lists,
            pages: lists + scanned * bytes(estimate) / PAGE_BYTES as f64,
            scanned,
            refined: if matches!(estimate.options.coding, Coding::Bits(_)) {
                share(REFINED, certain(1.0))
            } else {
                0.0
            },
            // Without codes, only the table tells which members are near.
            fetched: if estimate.options.coding == Coding::None { scanned } else { share(FETCHED, certain(CERTAIN)) },
        }
    }
}

/// Bytes of a member that are read in any list that is visited.
fn bytes(estimate: &Estimate) -> f64 {
    let dimensions = f64::from(estimate.options.dimensions);
    BESIDE
        + match estimate.options.coding {
            Coding::None => 0.0,
            Coding::Raw => 4.0 * dimensions,
            Coding::Bits(_) => dimensions / 8.0,
        }
}

#[cfg(test)]
mod tests {
    //! Guards a planner against a search that seems to get cheaper the more it does, or to do more than there is.

    use super::*;
    use crate::{Metric, Options};

    fn numbers(forecast: &Forecast) -> [f64; 6] {
        let Forecast { directory_pages, lists, pages, scanned, refined, fetched } = *forecast;
        [directory_pages, lists, pages, scanned, refined, fetched]
    }

    #[test]
    fn more_rows_are_more_work_up_to_all_there_is() {
        for coding in [Coding::None, Coding::Raw, Coding::Bits(4)] {
            let options = Options { dimensions: 384, lists: 0, metric: Metric::Cosine, coding };
            let estimate =
                Estimate { options, members: 160_000, lists: 262, directory_pages: 5, ..Estimate::default() };
            let efforts = [(0.5, 0), (0.95, 0), (1.0, 0), (0.95, 1), (0.95, 1000)];
            for (recall, probes) in efforts {
                let effort = Effort { recall, probes, ..Effort::default() };
                let forecasts = [0.0, 1.0, 10.0, 1e3, 1e5, 1e9].map(|rows| Forecast::new(&estimate, &effort, rows));
                for pair in forecasts.map(|forecast| numbers(&forecast)).windows(2) {
                    let [less, more] = pair else { continue };
                    assert!(less.iter().zip(more).all(|(less, more)| less <= more), "{less:?} {more:?}");
                }
                let [.., last] = forecasts;
                assert!(last.lists <= 262.0 && last.scanned <= 160_000.0 && last.refined <= last.scanned, "{last:?}");
                assert!(last.fetched <= last.scanned, "{last:?}");
            }
        }
    }

    #[test]
    fn the_lists_that_are_asked_for_are_visited() {
        let options = Options { dimensions: 384, coding: Coding::Bits(4), ..Options::default() };
        let estimate = Estimate { options, members: 1000, lists: 10, ..Estimate::default() };
        let lists = |probes, most| Forecast::new(&estimate, &Effort { recall: 0.95, probes, most }, 0.0).lists;
        assert_eq!((lists(3, u32::MAX), lists(30, u32::MAX), lists(3, 2)), (3.0, 10.0, 2.0));
        let empty = Estimate { options, ..Estimate::default() };
        assert!(numbers(&Forecast::new(&empty, &Effort::default(), 10.0)).iter().all(|number| number.is_finite()));
    }
}

//! Guards against texts that are lost or embedded twice, batches beyond their bounds, and bulk before single
//! requests: random queues against a twin that does the obvious thing on a flat list.

use super::*;
use crate::tower::batch::PADDING_PERCENT;

/// Padded tokens of a batch of these tests.
const BATCH_TOKENS: usize = 512;

fn joins(_: Load, next: Load) -> bool {
    next.count * next.longest <= BATCH_TOKENS && next.padded_little()
}

/// Numbers below `bound` from a fixed seed (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// A waiting text of the twin.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Text {
    job: usize,
    bulk: bool,
    at: usize,
    length: usize,
    /// When the text's job last had its turn or came.
    turn: usize,
}

/// Take a batch out of a flat list: the lane, then the jobs by turn, then the lengths. `lanes` are those of the
/// batches so far.
fn naive(texts: &mut Vec<Text>, now: usize, lanes: &mut Vec<bool>) -> Vec<Text> {
    let starved = lanes.iter().rev().take_while(|bulk| !**bulk).count() >= IN_A_ROW as usize;
    texts.sort_by_key(|text| (text.bulk != starved, text.turn, text.length, text.at));
    let Some(head) = texts.first().copied() else {
        lanes.clear();
        return Vec::new();
    };
    if texts.iter().any(|text| text.bulk) {
        lanes.push(head.bulk)
    } else {
        lanes.clear()
    }
    let mut batch: Vec<Text> = Vec::new();
    let mut stopped = Vec::new();
    for text in texts.iter() {
        let shares = text.job == head.job || !head.bulk && !text.bulk;
        let longest = batch.iter().map(|other| other.length).max().unwrap_or(0).max(text.length);
        let padded = longest * (batch.len() + 1);
        let padding = padded - batch.iter().map(|other| other.length).sum::<usize>() - text.length;
        let fits = batch.is_empty() || padded <= BATCH_TOKENS && padding * 100 <= padded * PADDING_PERCENT;
        if !shares || stopped.contains(&text.job) {
            continue;
        }
        if fits { batch.push(*text) } else { stopped.push(text.job) }
    }
    texts.retain(|text| !batch.contains(text));
    texts.iter_mut().filter(|text| text.job == head.job).for_each(|text| text.turn = 2 * now + 1);
    batch
}

#[test]
fn batches_equal_those_of_the_naive_twin_and_cover_every_text_once() {
    let mut random = Random(0x5EED);
    for _ in 0..60 {
        let (mut queue, mut flat, mut lanes) = (Queue::default(), Vec::new(), Vec::new());
        let (mut expected, mut seen) = (0, std::collections::HashSet::new());
        for now in 0..200 {
            if now < 20 && random.below(3) > 0 {
                let (bulk, count) = (random.below(2) == 0, 1 + random.below(40));
                let widest = 1 << (1 + random.below(8));
                let lengths: Vec<usize> = (0..count).map(|_| 2 + random.below(widest)).collect();
                flat.extend(lengths.iter().enumerate().map(|(at, length)| Text {
                    job: now,
                    bulk,
                    at,
                    length: *length,
                    turn: 2 * now,
                }));
                queue.push(Arc::new(now), bulk, lengths.into_iter());
                expected += count;
            }
            let wanted: Vec<(usize, usize)> =
                naive(&mut flat, now, &mut lanes).iter().map(|text| (text.job, text.at)).collect();
            let batch: Vec<(usize, usize)> = queue.next(&joins).iter().map(|(job, at)| (**job, *at)).collect();
            assert_eq!(batch, wanted);
            assert_eq!(queue.waiting(), flat.len());
            batch.iter().for_each(|share| assert!(seen.insert(*share), "{share:?} ran twice"));
        }
        while flat.len() + queue.waiting() > 0 {
            naive(&mut flat, 1000, &mut lanes);
            queue.next(&joins).iter().for_each(|(job, at)| assert!(seen.insert((**job, *at))));
        }
        assert_eq!(seen.len(), expected, "every text ran");
    }
}

#[test]
fn one_bulk_batch_at_most_is_between_a_query_and_its_turn() {
    let mut queue = Queue::default();
    queue.push(Arc::new("bulk"), true, std::iter::repeat_n(100, 50));
    assert_eq!(queue.next(&joins).len(), BATCH_TOKENS / 100);
    queue.push(Arc::new("query"), false, std::iter::once(9));
    assert_eq!(queue.next(&joins).iter().map(|(job, _)| **job).collect::<Vec<_>>(), ["query"]);
    assert!(queue.next(&joins).iter().all(|(job, _)| **job == "bulk"));
}

#[test]
fn bulk_work_gets_one_batch_in_eight_while_queries_keep_coming() {
    let mut queue = Queue::default();
    queue.push(Arc::new("bulk"), true, std::iter::repeat_n(512, 3));
    let mut order = Vec::new();
    for _ in 0..24 {
        queue.push(Arc::new("query"), false, std::iter::once(9));
        order.extend(queue.next(&joins).first().map(|(job, _)| **job));
    }
    let bulk: Vec<usize> = (0..24).filter(|at| order[*at] == "bulk").collect();
    assert_eq!(bulk, [7, 15, 23]);
}

#[test]
fn queries_of_like_length_share_and_others_do_not() {
    let mut queue = Queue::default();
    for (job, length) in [("a", 10), ("b", 40), ("c", 11)] {
        queue.push(Arc::new(job), false, std::iter::once(length));
    }
    let names = |batch: Vec<Share<&'static str>>| batch.iter().map(|(job, _)| **job).collect::<Vec<_>>();
    assert_eq!(names(queue.next(&joins)), ["a", "c"]);
    assert_eq!(names(queue.next(&joins)), ["b"]);
}

#[test]
fn jobs_of_a_lane_take_turns() {
    let mut queue = Queue::default();
    queue.push(Arc::new("long"), true, std::iter::repeat_n(256, 10));
    queue.push(Arc::new("short"), true, std::iter::once(256));
    let turns: Vec<_> = (0..3).map(|_| *queue.next(&joins)[0].0).collect();
    assert_eq!(turns, ["long", "short", "long"]);
}

#[test]
fn unwanted_jobs_are_forgotten() {
    let mut queue = Queue::default();
    queue.push(Arc::new("gone"), true, std::iter::repeat_n(256, 10));
    queue.push(Arc::new("here"), true, std::iter::once(256));
    assert_eq!(queue.retain(|job| *job != "gone"), [Arc::new("gone")]);
    assert_eq!(queue.waiting(), 1);
}

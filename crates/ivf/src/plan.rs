//! What a build settles before it sees every row: the centre, how many lists there are, and where.

use crate::Options;
use crate::codec::{Codec, Coding, Metric, Space};
use crate::kmeans::{self, Group, Matrix, PerGroup};
use crate::layout::{BODY_BYTES, TID_BYTES};
use crate::packed::Shape;
use crate::table::Directory;

/// Pages that a list is to have: so many that its head page, the one that a deletion changes, is one in twenty.
const LIST_PAGES: usize = 20;
/// Members that a list is to have, at least and at most.
const MEMBERS: std::ops::RangeInclusive<usize> = 400..=800;
/// The seed of every index's rotation and clusters. One for all: what is in an index does not depend on when it was made.
pub const SEED: u64 = 0x7677_2d69_7666_0001;

/// Where the lists of an index are.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What is taken off each vector; empty for zeros. See [`Space`].
    pub centre: Vec<f32>,
    /// Lists that are near each other, by their centroids in the space of the codes. None: one list.
    pub groups: Vec<Group>,
}

/// Vectors that a plan is made from, a random part of all.
pub struct Sample {
    options: Options,
    /// Vectors one after another, transformed by the metric, with room behind each for what projecting adds.
    vectors: Vec<f32>,
    stride: usize,
    most: usize,
    seen: u64,
    random: u64,
}

impl Sample {
    /// A sample of at most `most` vectors; memory for all of them is asked for at once, and `None` says it is not there.
    pub fn new(options: &Options, most: usize) -> Option<Sample> {
        let stride = codec(options, Vec::new()).padded();
        let mut vectors = Vec::new();
        vectors.try_reserve_exact(most.checked_mul(stride)?).ok()?;
        Some(Sample { options: *options, vectors, stride, most, seen: 0, random: SEED })
    }

    /// Count the bytes that a vector of the sample takes.
    pub fn bytes(options: &Options) -> usize {
        codec(options, Vec::new()).padded() * size_of::<f32>()
    }

    /// Count the vectors in the sample.
    #[allow(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        self.vectors.len() / self.stride.max(1)
    }

    /// Offer a vector: each of all that are offered is in the sample in the end with the same chance. Vectors that have
    /// no place among others (not finite, zero under cosine) are passed over.
    pub fn offer(&mut self, vector: &[f32]) {
        let scale = match self.options.metric {
            Metric::Cosine => 1.0 / f64::from(vector.iter().map(|value| value * value).sum::<f32>()).sqrt(),
            Metric::L2 | Metric::InnerProduct => 1.0,
        };
        let fits = scale.is_finite() && vector.iter().all(|value| value.is_finite() && value.abs() < 1e15);
        if !fits || self.stride == 0 || self.most == 0 || vector.len() > self.stride {
            return;
        }
        self.seen += 1;
        let at = match self.len() < self.most {
            true => {
                self.vectors.resize(self.vectors.len() + self.stride, 0.0);
                self.len() - 1
            }
            // Algorithm R (Vitter, 1985).
            false => match self.below(self.seen) {
                at if at < self.most as u64 => at as usize,
                _ => return,
            },
        };
        if let Some(place) = self.vectors.get_mut(at * self.stride..(at + 1) * self.stride) {
            place.iter_mut().zip(vector).for_each(|(to, from)| *to = (f64::from(*from) * scale) as f32);
        }
    }

    /// Give true in so many of 1.0 cases, by a fixed sequence: for a caller who offers a part of what he has.
    pub fn chance(&mut self, share: f64) -> bool {
        share >= 1.0 || (self.below(1 << 32) as f64) < share * (1_u64 << 32) as f64
    }

    /// A number below `end`, of a fixed sequence (SplitMix64).
    fn below(&mut self, end: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }

    /// The mean of the sample.
    fn centre(&self, pause: &mut dyn FnMut()) -> Vec<f32> {
        let mut sums = vec![0.0_f64; self.options.dimensions as usize];
        for vector in self.vectors.chunks(self.stride.max(1)) {
            sums.iter_mut().zip(vector).for_each(|(sum, value)| *sum += f64::from(*value));
            pause();
        }
        let count = self.len().max(1) as f64;
        sums.iter().map(|sum| (sum / count) as f32).collect()
    }
}

impl Plan {
    /// Plan the lists of about `rows` rows. Takes time; `pause` is called now and then.
    pub fn new(mut sample: Sample, rows: u64, pause: &mut dyn FnMut()) -> Plan {
        let options = sample.options;
        let lists = lists(&options, rows).min(sample.len());
        if options.coding == Coding::None || sample.len() == 0 {
            return Plan::default();
        }
        let centre = match options.coding {
            Coding::Bits(_) => sample.centre(pause),
            Coding::Raw | Coding::None => Vec::new(),
        };
        let codec = codec(&options, centre.clone());
        let (mut vector, mut projected) = (Vec::new(), Vec::new());
        for place in sample.vectors.chunks_mut(sample.stride) {
            vector.clear();
            vector.extend_from_slice(place.get(..options.dimensions as usize).unwrap_or_default());
            codec.project(&vector, &mut projected);
            place.iter_mut().zip(&projected).for_each(|(to, from)| *to = *from);
            pause();
        }
        let capacity = Directory::capacity(crate::codec::CentroidCodec::new(&codec).bytes());
        // A page that is not full has room for the lists that come of splits.
        let per_group = PerGroup { about: (capacity * 3 / 5).max(1), most: (capacity * 5 / 6).max(1) };
        let points = Matrix { values: &sample.vectors, dim: sample.stride, rotated: rotated(options.coding) };
        let groups = kmeans::groups(points, lists.max(1), per_group, SEED, pause);
        Plan { centre, groups }
    }

    /// Count the lists.
    pub fn lists(&self) -> usize {
        self.groups.iter().map(|group| group.lists.len()).sum::<usize>().max(1)
    }
}

/// Count the lists for about `rows` rows: as many as the user asked for, or lists of [`target`] members.
pub fn lists(options: &Options, rows: u64) -> usize {
    let target = target(options) as u64;
    let fine = (rows + target / 2) / target;
    let wanted = match options.lists {
        0 => fine,
        // More than asked for where lists would get too long to be any use.
        asked => u64::from(asked).max(rows / (4 * target)).min(rows),
    };
    usize::try_from(wanted).unwrap_or(usize::MAX).max(1)
}

/// Members that a list is to have.
pub fn target(options: &Options) -> usize {
    let codec = codec(options, Vec::new());
    let shape = Shape::of(&codec);
    let member = TID_BYTES + shape.row_bytes + shape.block_bytes / crate::packed::BLOCK;
    (LIST_PAGES * BODY_BYTES / member).clamp(*MEMBERS.start(), *MEMBERS.end())
}

/// Members that a list has at most before it is split, in an index of so many rows and lists: after a split both halves
/// are a little shorter than a list is to be. Where the user asked for fewer lists, they are left as long as that makes
/// them, and half as much again.
pub fn limit(options: &Options, rows: u64, lists: usize) -> u32 {
    let asked = if options.lists > 0 { rows.div_ceil(lists.max(1) as u64).saturating_mul(3) / 2 } else { 0 };
    u32::try_from(asked.max(target(options) as u64 * 7 / 5)).unwrap_or(u32::MAX)
}

/// Tell whether the space of the codes is rotated.
pub fn rotated(coding: Coding) -> bool {
    matches!(coding, Coding::Bits(_))
}

/// The codec of an index that has this centre.
pub fn codec(options: &Options, centre: Vec<f32>) -> Codec {
    let Options { metric, coding, dimensions, .. } = *options;
    Codec::new(&Space { metric, dimensions: dimensions as usize, coding, seed: SEED, centre })
}

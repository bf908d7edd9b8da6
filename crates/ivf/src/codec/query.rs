//! A query in the space of the codes, and the scores that it gives.
//!
//! Where the metric is L2, |r - v|^2 is |r|^2 + |v|^2 - 2 <r, v>, with v the query projected as members are. For cosine
//! the score is half of that, of normalised vectors: 1 - <q, x> is |q - x|^2 / 2. So errors are in proportion to how
//! far the query lies from the centre, not to its own length. For inner products v is the query rotated without the
//! centre taken off, and the score is -<q, m> - <r, v>.

use vw_vector::code::{Bounds, LANES, codes};
use vw_vector::kernel::kernels;

use super::block;
use super::project::{Codec, Transformed};
use super::row::{Head, MAX_NORM_SQ, MIN_NORM_SQ};
use super::space::{Coding, Metric};

/// How many deviations the bounds allow at first: of normal errors, 3 in 100 are greater in the direction that counts.
pub const EPSILON: f32 = 1.9;

/// The rounding of scores and of rotations, relative to what is added.
const ROUNDING: f32 = 1e-6;

/// The greatest entry of a table.
const MAX_ENTRY: f32 = 255.0;

/// A score and how much less it may be: nothing is known.
pub(super) const ANYWHERE: (f32, f32) = (f32::NEG_INFINITY, 0.0);
/// The same of a member that comes last.
pub(super) const LAST: (f32, f32) = (f32::INFINITY, 0.0);

/// A query, prepared for the codes of one space.
#[derive(Clone, Debug)]
pub struct Query {
    /// How many deviations of the codes' error the bounds allow.
    pub epsilon: f32,
    pub(super) metric: Metric,
    coding: Coding,
    /// Whether scores can be told at all.
    usable: bool,
    /// The vector v, as long as projected vectors.
    pub(super) vector: Vec<f32>,
    /// The sum of v, and its squared norm.
    sum: f32,
    norm_sq: f32,
    base: f32,
    magnitude: f32,
    norm_weight: f32,
    dot_weight: f32,
    /// For each four dimensions 16 entries: the sums of v that the bits choose, in steps of `step` above the least.
    tables: Vec<u8>,
    step: f32,
    /// The sum of the magnitudes of v. Half of what it is more than the sum was taken off the sums of the tables.
    magnitudes: f32,
}

impl Codec {
    /// Prepare a query.
    pub fn query(&self, vector: &[f32]) -> Query {
        let mut values = Vec::with_capacity(self.width);
        let transformed = matches!(self.transform(vector, &mut values), Transformed::Vector);
        if !transformed || self.coding == Coding::None {
            return self.blind();
        }
        let product = if self.metric == Metric::InnerProduct {
            let norms = (kernels().f32_inner_product)(&self.centre, &self.centre) * norm_sq(&values);
            Some(((kernels().f32_inner_product)(&values, &self.centre), norms.sqrt()))
        } else {
            None
        };
        self.turn(&mut values, product.is_none());
        self.weigh(values, product)
    }

    /// Prepare a projected vector to be a query for its like, as if it were the vector that was projected.
    pub fn query_of(&self, projected: &[f32]) -> Query {
        if projected.len() != self.width || self.coding == Coding::None {
            return self.blind();
        }
        let mut values = projected.to_vec();
        let product = (self.metric == Metric::InnerProduct).then(|| {
            let mut centre = self.centre.clone();
            self.turn(&mut centre, false);
            values.iter_mut().zip(&centre).for_each(|(value, centre)| *value += centre);
            let norms = (kernels().f32_inner_product)(&centre, &centre) * norm_sq(&values);
            (values.iter().zip(&centre).map(|(value, centre)| value * centre).sum(), norms.sqrt())
        });
        self.weigh(values, product)
    }

    /// Make a query of a vector in the space of the codes; `product` is that of query and centre, and the greatest that it
    /// could be, where the metric is the inner product.
    fn weigh(&self, values: Vec<f32>, product: Option<(f32, f32)>) -> Query {
        let mut query = self.plain(values);
        if let Some((dot, magnitude)) = product {
            (query.base, query.magnitude) = (-dot, magnitude);
            (query.norm_weight, query.dot_weight) = (0.0, 1.0);
        } else if self.metric == Metric::Cosine {
            (query.base, query.magnitude) = (query.base / 2.0, query.magnitude / 2.0);
            (query.norm_weight, query.dot_weight) = (0.5, 1.0);
        }
        query.usable &= query.base.is_finite();
        if query.usable && matches!(self.coding, Coding::Bits(_)) {
            query.look_up();
        }
        query
    }

    /// Prepare a projected vector to be compared with centroids: scores are squared distances between projected vectors,
    /// whatever the metric. Blocks tell nothing to such a query.
    pub fn near(&self, projected: &[f32]) -> Query {
        let mut query = if projected.len() == self.width { self.plain(projected.to_vec()) } else { self.blind() };
        query.metric = Metric::L2;
        query
    }

    /// Make a query of squared distances without tables.
    fn plain(&self, vector: Vec<f32>) -> Query {
        let norm_sq = norm_sq(&vector);
        let usable = match self.coding {
            Coding::Raw => vector.iter().all(|value| value.is_finite()),
            _ if norm_sq == 0.0 => vector.iter().all(|value| *value == 0.0),
            _ => (MIN_NORM_SQ..=MAX_NORM_SQ).contains(&norm_sq),
        };
        Query {
            usable,
            sum: sum(&vector, |value| value),
            vector,
            norm_sq,
            base: norm_sq,
            magnitude: norm_sq,
            ..self.blind()
        }
    }

    /// Make a query that can tell nothing.
    fn blind(&self) -> Query {
        Query {
            epsilon: EPSILON,
            metric: self.metric,
            coding: self.coding,
            usable: false,
            vector: Vec::new(),
            sum: 0.0,
            norm_sq: 0.0,
            base: 0.0,
            magnitude: 0.0,
            norm_weight: 1.0,
            dot_weight: 2.0,
            tables: Vec::new(),
            step: 0.0,
            magnitudes: 0.0,
        }
    }
}

impl Codec {
    /// Give the `epsilon` with which bounds hold for certain, not only nearly always: what a code misses of a vector is
    /// taken to lie in the query's direction. Twice that, since what rows miss is known on average only.
    pub fn certain(&self) -> f32 {
        2.0 * (self.width as f32).sqrt()
    }
}

fn norm_sq(values: &[f32]) -> f32 {
    (kernels().f32_inner_product)(values, values)
}

/// The inner product with a row, the row's norm, and the greatest that the product can be.
struct Product {
    head: Head,
    norm: f32,
    limit: f32,
    product: f32,
}

impl Query {
    /// The norm of v, for bounds over more than one member.
    pub fn norm(&self) -> f32 {
        self.norm_sq.sqrt()
    }

    /// Turn a score into a length: what a list or a member is away from the query. Inner products have no distance; theirs is
    /// that of directions and grows with what lacks to the greatest score of members whose norms are `reach` at most.
    pub fn length(&self, score: f32, reach: f32) -> f32 {
        let least = if self.metric == Metric::InnerProduct { self.base - self.norm() * reach } else { 0.0 };
        (score - least).max(0.0).sqrt()
    }

    /// Write the lower bounds of the scores of a block's members. What is known of none is negative infinity.
    pub fn block(&self, block: &[u8], lower: &mut [f32; LANES]) {
        let known = self.usable && !self.tables.is_empty();
        let (true, Some((norms, rest))) = (known, block.split_first_chunk::<{ block::HEAD / 2 }>()) else {
            return lower.fill(f32::NEG_INFINITY);
        };
        let parts = (norms.as_chunks::<4>().0.try_into(), rest.split_first_chunk::<{ block::HEAD / 2 }>());
        let (Ok(norms), Some((factors, planes))) = parts else { return lower.fill(f32::NEG_INFINITY) };
        let (Ok(factors), true) = (factors.as_chunks::<4>().0.try_into(), planes.len() == self.tables.len()) else {
            return lower.fill(f32::NEG_INFINITY);
        };
        let sums = (codes().scan)(&self.tables, planes);
        (codes().bounds)(&self.bounds(), &sums, norms, factors, lower);
    }

    /// Give the score of a row and how much less the true score may be, both with an error of rounding.
    pub fn row(&self, row: &[u8]) -> (f32, f32) {
        match self.coding {
            Coding::None => ANYWHERE,
            Coding::Raw => self.raw_row(row),
            Coding::Bits(bits) => self.bits_row(row, bits),
        }
    }

    /// Score a row of codes of so many bits.
    pub(super) fn bits_row(&self, row: &[u8], bits: u8) -> (f32, f32) {
        let Product { head, norm, limit, product } = match self.product(row, bits) {
            Ok(product) => product,
            Err(known) => return known,
        };
        let inverse = if norm > 0.0 { 1.0 / norm } else { 0.0 };
        let bounds = self.bounds();
        let miss = match bits {
            1 => bounds.dimensions * (head.f1 * inverse) * (head.f1 * inverse) - 1.0,
            _ => missed(bits),
        };
        let error = (norm * bounds.deviation_sq(miss, product * inverse).sqrt()).min(limit - product);
        let score = self.score(&head, product);
        let slack = self.dot_weight * error + bounds.rounding_error(norm, head.norm_sq);
        if (score - slack).is_finite() { (score, slack) } else { ANYWHERE }
    }

    /// Score a row of codes of so many bits, without the slack.
    pub(super) fn bits_score(&self, row: &[u8], bits: u8) -> f32 {
        match self.product(row, bits).map(|Product { head, product, .. }| self.score(&head, product)) {
            Err((known, _)) => known,
            Ok(score) if score.is_finite() => score,
            Ok(_) => ANYWHERE.0,
        }
    }

    /// The score that an inner product with a row of this head makes.
    fn score(&self, head: &Head, product: f32) -> f32 {
        self.base + self.norm_weight * head.norm_sq - self.dot_weight * product
    }

    /// Estimate the inner product with a row of codes; or give the score and the slack of a row that has none.
    #[inline(always)]
    fn product(&self, row: &[u8], bits: u8) -> Result<Product, (f32, f32)> {
        let (true, Some((head, code)), Some(dot)) = (self.usable, Head::read(row), codes().dot(bits)) else {
            return Err(ANYWHERE);
        };
        if code.len() * 8 != self.vector.len() * usize::from(bits) || head.norm_sq.is_nan() {
            return Err(ANYWHERE);
        }
        if head.norm_sq == f32::INFINITY {
            return Err(LAST);
        }
        let centre = f32::from(u8::MAX >> (8 - bits)) / 2.0;
        let estimate = head.f2 * (dot(code, &self.vector) - centre * self.sum);
        let norm = head.norm_sq.sqrt();
        // No inner product is above the product of the norms.
        let limit = norm * self.norm();
        Ok(Product { head, norm, limit, product: estimate.min(limit) })
    }

    /// Score a row of floats.
    pub(super) fn raw_row(&self, row: &[u8]) -> (f32, f32) {
        if !self.usable || row.len() != 4 * self.vector.len() {
            return ANYWHERE;
        }
        let (mut dot, mut distance, mut row_sq) = (0.0, 0.0, 0.0);
        for (bytes, query) in row.chunks(4 * LANES).zip(self.vector.chunks(LANES)) {
            let floats = floats(bytes);
            let floats = floats.split_at(query.len()).0;
            distance += (kernels().f32_l2_squared)(floats, query);
            let (product, squares, _) = (kernels().f32_cosine)(floats, query);
            (dot, row_sq) = (dot + product, row_sq + squares);
        }
        let (score, scale) = match self.metric {
            Metric::L2 => (distance, distance),
            // Squares of tiny numbers vanish before the numbers do.
            Metric::InnerProduct => {
                (-dot, self.norm_sq.max(f32::MIN_POSITIVE).sqrt() * row_sq.max(f32::MIN_POSITIVE).sqrt())
            }
            // The rows are normalised, or zero, or infinite: those come last.
            Metric::Cosine if row_sq == f32::INFINITY => return LAST,
            Metric::Cosine => (distance / 2.0, 1.0),
        };
        let slack = ROUNDING * scale + f32::MIN_POSITIVE;
        if (score - slack).is_finite() { (score, slack) } else { ANYWHERE }
    }

    /// What this query brings to every block, and to rows.
    fn bounds(&self) -> Bounds {
        let dimensions = self.vector.len() as f32;
        let tables = (self.tables.len() / 16) as f32;
        // An entry is off by at most half a step and evenly so: by a twelfth of a squared step in the mean square. The
        // product with the signs is twice the sum.
        let table_error = 4.0 * self.step * self.step * tables / 12.0;
        Bounds {
            base: self.base,
            norm_weight: self.norm_weight,
            dot_weight: self.dot_weight,
            scale: 2.0 * self.step,
            offset: -self.magnitudes,
            norm_sq: self.norm_sq,
            spread: self.epsilon * self.epsilon / (dimensions - 1.0).max(1.0),
            dimensions,
            table_error: self.epsilon * self.epsilon * table_error,
            rounding: ROUNDING,
            magnitude: self.magnitude,
        }
    }

    /// Make the tables.
    fn look_up(&mut self) {
        let fours = self.vector.as_chunks::<4>().0;
        let widest = fours.iter().map(|four| four.iter().map(|value| value.abs()).sum()).fold(0.0, f32::max);
        self.step = widest / MAX_ENTRY;
        self.magnitudes = sum(&self.vector, f32::abs);
        self.tables.resize(16 * fours.len(), 0);
        let scale = if self.step > 0.0 { MAX_ENTRY / widest } else { 0.0 };
        (codes().tables)(&self.vector, scale, &mut self.tables);
    }
}

/// Sum what `term` makes of values, in partial sums.
fn sum(values: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = values.as_chunks::<16>();
    let mut partial = [0.0; 16];
    for chunk in chunks {
        partial.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += term(*value));
    }
    partial.iter().sum::<f32>() + rest.iter().map(|value| term(*value)).sum::<f32>()
}

/// Read up to 32 floats; zeros behind them.
fn floats(bytes: &[u8]) -> [f32; LANES] {
    let mut floats = [0.0; LANES];
    let read = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
    floats.iter_mut().zip(read).for_each(|(to, from)| *to = from);
    floats
}

/// What codes of so many bits miss: `1 / o^2 - 1`, with o the cosine between vector and code.
///
/// That is measured, and a little above the mean: after the rotation all vectors are alike in this, so that it need not
/// be kept for each.
fn missed(bits: u8) -> f32 {
    match bits {
        2 => 0.145,
        4 => 0.0125,
        _ => 0.000_08,
    }
}

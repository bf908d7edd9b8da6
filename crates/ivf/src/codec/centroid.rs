//! Centroids as codes, several on a page: vectors of the projected space, coded finely enough to route by.

use super::project::Codec;
use super::query::{ANYWHERE, Query};
use super::row::{decode_bits, decode_raw, encode_bits, encode_raw};
use super::space::Coding;

/// The bytes of a page that centroids may take, and how many of them should fit there at 8 bits.
const PAGE_BYTES: usize = 8_000;
const FINE: usize = 15;

/// The codec of an index's centroids. They are rows, of 8 bits where 15 of those fit a page, else of 4; where rows are
/// raw, so are centroids, and where there are no codes, there are none.
#[derive(Clone, Debug)]
pub struct CentroidCodec {
    coding: Coding,
    width: usize,
}

impl CentroidCodec {
    /// Make the codec of the centroids of an index.
    pub fn new(codec: &Codec) -> Self {
        let width = codec.width;
        let coding = match codec.coding {
            Coding::Bits(_) if FINE * Coding::Bits(8).row_bytes(width) <= PAGE_BYTES => Coding::Bits(8),
            Coding::Bits(_) => Coding::Bits(4),
            other => other,
        };
        Self { coding, width }
    }

    /// The bytes of every centroid.
    pub fn bytes(&self) -> usize {
        self.coding.row_bytes(self.width)
    }

    /// Append a centroid, given in the projected space.
    pub fn encode(&self, centroid: &[f32], out: &mut Vec<u8>) {
        match self.coding {
            Coding::None => {}
            Coding::Raw => encode_raw(centroid, self.width, out),
            Coding::Bits(bits) => encode_bits(centroid, self.width, bits, out),
        }
    }

    /// Read a centroid to `out`, in place of what was there; false for bytes that are none.
    pub fn decode(&self, bytes: &[u8], out: &mut Vec<f32>) -> bool {
        out.clear();
        if bytes.len() != self.bytes() {
            return false;
        }
        let decoded = match self.coding {
            Coding::None => false,
            Coding::Raw => decode_raw(bytes, out),
            Coding::Bits(bits) => decode_bits(bytes, bits, out),
        };
        if !decoded {
            out.clear();
        }
        decoded
    }

    /// Give the score of a centroid, as of a member at its place, and how much less it may be.
    ///
    /// For L2 that is |c - v|^2, for cosine half of it, and for inner products -<q, m> - <c, v>. With a query from
    /// [`Codec::near`] it is always |c - r|^2.
    pub fn score(&self, query: &Query, bytes: &[u8]) -> (f32, f32) {
        match self.coding {
            Coding::None => ANYWHERE,
            Coding::Raw => query.raw_row(bytes),
            Coding::Bits(bits) => query.bits_row(bytes, bits),
        }
    }

    /// Give the score alone.
    pub fn estimate(&self, query: &Query, bytes: &[u8]) -> f32 {
        match self.coding {
            Coding::Bits(bits) => query.bits_score(bytes, bits),
            _ => self.score(query, bytes).0,
        }
    }
}

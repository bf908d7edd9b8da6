//! Guards the loops over codes: a level that differs from its definition or reads past an end, and a checksum that is
//! no longer the one on disk or misses a change.

use super::{ACROSS, Across, Bounds, Codes, DEEP, LANES, Rounding, checksum, codes, levels};
use crate::testing::Random;

fn bytes(random: &mut Random, count: usize) -> Vec<u8> {
    (0..count).map(|_| random.bits() as u8).collect()
}

#[test]
fn the_best_level_is_the_last() {
    assert_eq!(levels()[0].name, "scalar");
    assert!(std::ptr::eq(codes(), *levels().last().expect("there is always one level")));
}

/// The sum of each member by the definition.
fn scanned(tables: &[u8], planes: &[u8]) -> [u32; LANES] {
    let groups = tables.len().min(planes.len()) / 16;
    std::array::from_fn(|member| {
        let entry = |group: usize| {
            let byte = planes[16 * group + member % 16];
            let nibble = if member < 16 { byte & 15 } else { byte >> 4 };
            u32::from(tables[16 * group + usize::from(nibble)])
        };
        (0..groups).map(entry).sum()
    })
}

#[test]
fn scans_agree_with_their_definition() {
    let mut random = Random::new(1);
    for groups in (0..=70).chain([96, 255, 256, 257, 511, 512, 513, 1_023, 1_024, 1_025, 4_096, 4_097]) {
        let more = random.below(16);
        let planes = bytes(&mut random, 16 * groups + more);
        // The greatest entries: lanes of 16 bits must not overflow.
        for tables in [bytes(&mut random, 16 * groups + 8), vec![255; 16 * groups]] {
            for level in levels() {
                assert_eq!((level.scan)(&tables, &planes), scanned(&tables, &planes), "{} {groups}", level.name);
                assert_eq!((level.scan)(&planes, &tables), scanned(&planes, &tables), "{} {groups}", level.name);
            }
        }
    }
}

#[test]
fn dots_agree_with_their_definition() {
    let mut random = Random::new(2);
    for length in (0..=200).chain([384, 1_023, 1_536, 16_000]) {
        for bits in [1u8, 2, 4, 8] {
            let code = bytes(&mut random, (length * usize::from(bits)).div_ceil(8) + 3);
            let floats = random.floats(length + 5);
            let floats = &floats[5..];
            let number = |at: usize| {
                let bit = at * usize::from(bits);
                f64::from((code[bit / 8] >> (bit % 8)) & (u8::MAX >> (8 - bits)))
            };
            let terms = floats.iter().enumerate().map(|(at, float)| number(at) * f64::from(*float));
            let (sum, scale) = terms.fold((0.0, 0.0), |(sum, scale), term| (sum + term, scale + term.abs()));
            for level in levels() {
                let got = f64::from(level.dot(bits).expect("such codes exist")(&code, floats));
                assert!((got - sum).abs() <= scale * 1e-5, "{} {bits} bits {length}: {got}, not {sum}", level.name);
            }
        }
    }
    assert!(codes().dot(3).is_none());
}

#[test]
fn dots_read_the_shorter() {
    let (code, floats) = (vec![0xff; 64], vec![1.0; 64]);
    for level in levels() {
        for (bits, greatest) in [(1, 1.0), (2, 3.0), (4, 15.0), (8, 255.0)] {
            let dot = level.dot(bits).expect("such codes exist");
            for length in 0..64 {
                let few = length * 8 / usize::from(bits);
                assert_eq!(dot(&code, &floats[..length]), greatest * length as f32, "{} {bits}", level.name);
                assert_eq!(dot(&code[..length], &floats), greatest * few.min(64) as f32, "{} {bits}", level.name);
            }
        }
    }
}

#[test]
fn fours_agree_with_their_definition() {
    let mut random = Random::new(8);
    for bytes_there in (0..=40_usize).chain([96, 192, 2_048]) {
        for room in [0, 2 * bytes_there, 2 * bytes_there + 3, (2 * bytes_there).saturating_sub(5), bytes_there] {
            let code = bytes(&mut random, bytes_there + 1);
            let code = &code[1..];
            let scale = random.floats(1)[0];
            let mut expected = vec![f32::MAX; room];
            for (at, to) in expected.iter_mut().enumerate().take(2 * bytes_there) {
                *to = (f32::from((code[at / 2] >> (4 * (at % 2))) & 15) - 7.5) * scale;
            }
            for level in levels() {
                let mut found = vec![f32::MAX; room];
                (level.fours)(code, scale, &mut found);
                assert_eq!(found, expected, "{} {bytes_there} {room}", level.name);
            }
        }
    }
}

#[test]
fn products_agree_with_their_definition() {
    let mut random = Random::new(11);
    for (width, rows) in [(0, 0), (1, 9), (7, 4), (8, 5), (15, 6), (16, 7), (17, 8), (64, 0), (100, 1), (384, 21)] {
        let (vector, matrix) = (random.floats(width), random.floats(width * rows + width / 2));
        for room in [0, 1, 3, 4, rows, rows + 5] {
            for level in levels() {
                let mut got = vec![7.0; room];
                (level.products)(&vector, &matrix, &mut got);
                for (at, got) in got.iter().enumerate() {
                    let row = matrix.get(at * width..(at + 1) * width).filter(|_| at < rows);
                    let exact = row.map(|row| row.iter().zip(&vector).map(|(l, r)| f64::from(l * r)).sum::<f64>());
                    let expected = exact.unwrap_or(7.0);
                    assert!((f64::from(*got) - expected).abs() < 1e-4, "{} {width} x {rows}: {at}", level.name);
                }
            }
        }
    }
}

/// The code of a value by the definition.
fn rounded(value: f32, scale: f32, steps: u8) -> (u8, f64) {
    let cut = f64::from((f64::from(value.abs()) * f64::from(scale)).floor().min(f64::from(steps) - 1.0) as f32);
    let code = if value >= 0.0 { f64::from(steps) + cut } else { f64::from(steps) - 1.0 - cut };
    (code as u8, cut + 0.5)
}

#[test]
fn rounding_agrees_with_its_definition() {
    let mut random = Random::new(3);
    for length in [0, 1, 7, 8, 31, 32, 33, 64, 100, 384, 1_536] {
        let values = random.floats(length);
        for (scale, steps) in [(0.0, 1), (1.7, 2), (9.3, 8), (150.0, 128), (0.1, 128)] {
            let expected: Vec<_> = values.iter().map(|value| rounded(*value, scale, steps)).collect();
            let product: f64 = values.iter().zip(&expected).map(|(v, (_, level))| f64::from(v.abs()) * level).sum();
            let square: f64 = expected.iter().map(|(_, level)| level * level).sum();
            let plain = (levels()[0].measure)(&values, Rounding { scale, steps });
            assert!((f64::from(plain.0) - product).abs() <= product * 1e-5, "{length}: {plain:?}, not {product}");
            assert!((f64::from(plain.1) - square).abs() <= square * 1e-5, "{length}: {plain:?}, not {square}");
            for level in levels() {
                assert_eq!((level.measure)(&values, Rounding { scale, steps }), plain, "{} {length}", level.name);
                let mut codes = vec![7; length + 1];
                (level.round)(&values, Rounding { scale, steps }, &mut codes);
                assert!(codes.iter().zip(&expected).all(|(got, (code, _))| got == code), "{} {length}", level.name);
                assert_eq!(codes.last(), Some(&7), "{} wrote beyond the values", level.name);
            }
        }
    }
}

#[test]
fn tables_agree_with_their_definition() {
    let mut random = Random::new(4);
    for length in [0, 3, 4, 64, 65, 384] {
        let values = random.floats(length);
        for level in levels() {
            let mut tables = vec![7; 16 * (length / 4) + 3];
            (level.tables)(&values, 60.0, &mut tables);
            for (four, table) in values.as_chunks::<4>().0.iter().zip(tables.as_chunks::<16>().0) {
                let least: f32 = four.iter().map(|value| value.min(0.0)).sum();
                for (set, entry) in table.iter().enumerate() {
                    let chosen = four.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1);
                    let exact = ((chosen.map(|(_, value)| value).sum::<f32>() - least) * 60.0).min(255.0);
                    assert!((f32::from(*entry) - exact).abs() < 0.501, "{}: {entry}, not {exact}", level.name);
                }
            }
        }
    }
}

#[test]
fn hadamard_agrees_with_its_definition() {
    let mut random = Random::new(5);
    for length in (0..=11).map(|power| 1 << power) {
        let values = random.floats(length);
        let sign = |row: usize, column: usize| if (row & column).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 };
        let exact = |row| values.iter().enumerate().map(|(at, value)| sign(row, at) * f64::from(*value)).sum::<f64>();
        for level in levels() {
            let mut got = values.clone();
            (level.hadamard)(&mut got);
            for (row, got) in got.iter().enumerate() {
                assert!(
                    (f64::from(*got) - exact(row)).abs() < 1e-4 * (length as f64).sqrt(),
                    "{} {length}",
                    level.name
                );
            }
        }
    }
    for length in [0, 3, 12, 384] {
        let values = random.floats(length);
        let mut same = values.clone();
        (codes().hadamard)(&mut same);
        assert_eq!(same, values, "{length} is no power of two");
    }
}

/// The bounds of members of these norms and factors.
fn bounded(
    level: &Codes,
    query: &Bounds,
    sums: &[u32; LANES],
    (norms, factors): (&[f32; LANES], &[f32; LANES]),
) -> [f32; LANES] {
    let mut lower = [0.0; LANES];
    let stored = |floats: &[f32; LANES]| floats.map(f32::to_le_bytes);
    (level.bounds)(query, sums, &stored(norms), &stored(factors), &mut lower);
    lower
}

#[test]
fn bounds_are_numbers_whatever_comes() {
    let mut random = Random::new(6);
    let odd = [0.0, -1.0, 1e-30, 1e30, f32::MAX, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    for _ in 0..2_000 {
        let mut any = || random.any_floats(LANES).try_into().expect("as many as asked for");
        let (mut norms, factors): ([f32; LANES], [f32; LANES]) = (any(), any());
        norms.iter_mut().zip(odd).for_each(|(norm, odd)| *norm = odd);
        let sums = std::array::from_fn(|_| random.bits() as u32 >> 8);
        let [base, scale, offset] = random.any_floats(3).try_into().expect("as many as asked for");
        let query =
            Bounds { base, norm_weight: 1.0, dot_weight: 2.0, scale, offset, norm_sq: 4.0, ..Bounds::default() };
        for level in levels() {
            let lower = bounded(level, &query, &sums, (&norms, &factors));
            assert!(lower.iter().all(|lower| !lower.is_nan()), "{}: {lower:?}", level.name);
            assert_eq!(lower[5], f32::NEG_INFINITY, "{}: may be anywhere", level.name);
            assert_eq!(lower[6], f32::INFINITY, "{}: comes last", level.name);
        }
    }
}

#[test]
fn bounds_are_alike_at_every_level() {
    let mut random = Random::new(7);
    let query = Bounds {
        base: 1.0,
        norm_weight: 1.0,
        dot_weight: 2.0,
        scale: 1e-4,
        offset: -0.6,
        norm_sq: 1.0,
        spread: 3.6 / 383.0,
        dimensions: 384.0,
        table_error: 1e-6,
        rounding: 1e-6,
        magnitude: 1.0,
    };
    for _ in 0..100 {
        let sums = std::array::from_fn(|_| random.below(12_000) as u32);
        let norms: [f32; LANES] = std::array::from_fn(|_| random.below(1_000) as f32 / 500.0);
        let factors = norms.map(|norm_sq| norm_sq.sqrt() / 384f32.sqrt() * 1.25);
        let plain = bounded(levels()[0], &query, &sums, (&norms, &factors));
        for level in levels() {
            let got = bounded(level, &query, &sums, (&norms, &factors));
            let alike = got.iter().zip(&plain).all(|(got, plain)| (got - plain).abs() < 1e-5);
            assert!(alike, "{}: {got:?}, not {plain:?}", level.name);
        }
    }
}

#[test]
fn checksums_are_those_on_disk() {
    let counting: Vec<u8> = (0..8_152u32).map(|at| ((at * at) >> 3) as u8).collect();
    // From another implementation of the definition, in Python.
    let pinned = [
        (0, 0, 0x5840_ec57),
        (1, 0, 0xf7ef_4ec1),
        (7, 1, 0xbf85_0513),
        (7, 127, 0x74a2_4216),
        (7, 128, 0x9d7d_9380),
        (7, 129, 0x03f9_f8f9),
        (u64::MAX, 8_152, 0x8182_88cb),
    ];
    for (seed, length, expected) in pinned {
        for level in levels() {
            let got = (level.checksum)(seed, &counting[..length]);
            assert_eq!(got, expected, "{}: seed {seed}, {length} bytes: {got:#010x}", level.name);
        }
    }
}

#[test]
fn checksums_agree_at_every_length() {
    let mut random = Random::new(8);
    for length in (0..=400).chain([4_095, 8_152, 8_192]) {
        let bytes = bytes(&mut random, length + 3);
        for (offset, level) in levels().iter().enumerate() {
            let moved = [vec![0; offset], bytes.clone()].concat();
            assert_eq!((level.checksum)(9, &moved[offset..]), (levels()[0].checksum)(9, &bytes), "{}", level.name);
        }
    }
}

#[test]
fn checksums_find_every_changed_byte() {
    let mut random = Random::new(9);
    let page = bytes(&mut random, 8_152);
    let sum = checksum(5, &page);
    for at in 0..page.len() {
        let mut changed = page.clone();
        changed[at] ^= 1 << random.below(8);
        assert_ne!(checksum(5, &changed), sum, "a bit of byte {at}");
        changed[at] = page[at].wrapping_add(1 + random.below(255) as u8);
        assert_ne!(checksum(5, &changed), sum, "byte {at}");
    }
}

#[test]
fn checksums_find_what_goes_wrong_on_disks() {
    let mut random = Random::new(10);
    let mut seen = std::collections::HashSet::new();
    let page = vec![0; 8_192];
    // Zeros of other lengths and seeds, and pages in which two top bits are set, or two stretches are exchanged.
    (0..2_000).for_each(|length| assert!(seen.insert(checksum(0, &page[..length])), "{length} zeros"));
    (1..2_000).for_each(|seed| assert!(seen.insert(checksum(seed << 20, &page)), "seed {seed}"));
    for first in 0..64 {
        for second in first + 1..64 {
            let mut changed = page.clone();
            (changed[4 * first + 3], changed[128 * second + 3]) = (0x80, 0x80);
            assert!(seen.insert(checksum(0, &changed)), "top bits of {first} and {second}");
        }
    }
    let page = bytes(&mut random, 8_192);
    assert!(seen.insert(checksum(0, &page)));
    for first in 0..64 {
        for second in first + 1..64 {
            let mut changed = page.clone();
            let (left, right) = changed.split_at_mut(128 * second);
            left[128 * first..128 * first + 128].swap_with_slice(&mut right[..128]);
            assert!(seen.insert(checksum(0, &changed)), "stretches {first} and {second}");
        }
    }
}

#[test]
fn panels_agree_with_their_definition() {
    let mut random = Random::new(12);
    for (width, deep) in [(0, 0), (1, 1), (3, 5), (4, 4), (5, 3), (7, 16), (64, 64), (128, 130), (129, 128)] {
        let panel: Vec<Across> = (0..width).map(|_| std::array::from_fn(|_| random.floats(1)[0])).collect();
        let vectors: Vec<[f32; DEEP]> = (0..deep).map(|_| std::array::from_fn(|_| random.floats(1)[0])).collect();
        for level in levels() {
            let (mut got, mut one) = ([[7.0; ACROSS]; DEEP], [7.0; ACROSS]);
            (level.eight)(&vectors, &panel, &mut got);
            for (at, got) in got.iter().enumerate() {
                let vector: Vec<f32> = vectors.iter().map(|numbers| numbers[at]).collect();
                (level.one)(&vector, &panel, &mut one);
                for (lane, (got, one)) in got.iter().zip(&one).enumerate() {
                    let terms = vector.iter().zip(&panel).map(|(number, across)| f64::from(number * across[lane]));
                    let exact = terms.sum::<f64>();
                    assert!((f64::from(*got) - exact).abs() < 1e-4, "{} {width} {deep}: {got}", level.name);
                    assert!((f64::from(*one) - exact).abs() < 1e-4, "{} {width} {deep}: {one}", level.name);
                }
            }
        }
    }
}

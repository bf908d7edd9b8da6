//! Inner products of vectors with the 32 vectors of a panel, which lie side by side: a sum needs no adding up of lanes.
//! Plain Rust, in a form that the compiler keeps in the registers of a level.

/// The vectors of a panel.
pub const ACROSS: usize = 32;

/// A dimension of a panel: a number of each of its vectors.
pub type Across = [f32; ACROSS];

/// The vectors that are multiplied with a panel at once.
pub const DEEP: usize = 8;

/// The inner products of eight vectors with those of a panel, so many of them at once. The eight lie side by side too.
#[inline(always)]
pub(super) fn eight<const AT_ONCE: usize, const FUSED: bool>(
    vectors: &[[f32; DEEP]],
    panel: &[Across],
    to: &mut [Across; DEEP],
) {
    for part in 0..ACROSS / AT_ONCE {
        let mut sums = [[0.0; AT_ONCE]; DEEP];
        for (numbers, across) in vectors.iter().zip(panel) {
            let Some(across) = across.as_chunks::<AT_ONCE>().0.get(part) else { continue };
            for (sums, number) in sums.iter_mut().zip(numbers) {
                for (sum, other) in sums.iter_mut().zip(across) {
                    *sum = add::<FUSED>(*number, *other, *sum);
                }
            }
        }
        for (to, sums) in to.iter_mut().zip(&sums) {
            to.as_chunks_mut::<AT_ONCE>().0.iter_mut().skip(part).take(1).for_each(|to| *to = *sums);
        }
    }
}

/// The inner products of one vector with those of a panel.
#[inline(always)]
pub(super) fn one<const FUSED: bool>(vector: &[f32], panel: &[Across], to: &mut Across) {
    // Each sum in four parts, so that additions need not wait for each other.
    let mut parts = [[0.0; ACROSS]; 4];
    let length = vector.len().min(panel.len());
    let (fours, rest) = vector.get(..length).unwrap_or_default().as_chunks::<4>();
    let (panel_fours, panel_rest) = panel.get(..length).unwrap_or_default().as_chunks::<4>();
    for (four, across) in fours.iter().zip(panel_fours) {
        for ((part, number), across) in parts.iter_mut().zip(four).zip(across) {
            for (sum, other) in part.iter_mut().zip(across) {
                *sum = add::<FUSED>(*number, *other, *sum);
            }
        }
    }
    let panel_rest =
        if fours.len() < panel_fours.len() { panel.get(4 * fours.len()..).unwrap_or_default() } else { panel_rest };
    let [mut first, second, third, fourth] = parts;
    for (number, across) in rest.iter().zip(panel_rest) {
        for (sum, other) in first.iter_mut().zip(across) {
            *sum = add::<FUSED>(*number, *other, *sum);
        }
    }
    for ((((to, first), second), third), fourth) in to.iter_mut().zip(first).zip(second).zip(third).zip(fourth) {
        *to = (first + second) + (third + fourth);
    }
}

/// Add a product, in one step where the CPU has an instruction for that.
#[inline(always)]
fn add<const FUSED: bool>(left: f32, right: f32, sum: f32) -> f32 {
    if FUSED { left.mul_add(right, sum) } else { left * right + sum }
}

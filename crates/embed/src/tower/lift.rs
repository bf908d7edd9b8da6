//! From the vector that a graph gives to the pack's space: unit length, minus the mean, through the map, and into its
//! place among those of the other towers.

use crate::Failure;
use crate::pack::Lift;

/// Scale to length one.
pub fn unit(vector: &mut [f32]) -> Result<(), Failure> {
    let norm = vector.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>().sqrt();
    if !norm.is_finite() || norm == 0.0 {
        return Err(Failure::internal(format!("the model gave a vector of length {norm}")));
    }
    vector.iter_mut().for_each(|value| *value = (f64::from(*value) / norm) as f32);
    Ok(())
}

/// Add what a tower gave to `space`, which has all of the space's dimensions; the components that no tower fills stay
/// zero, which changes no cosine.
pub fn add(mut vector: Vec<f32>, lift: &Lift<'_>, space: &mut [f32]) -> Result<(), Failure> {
    unit(&mut vector)?;
    let width = vector.len();
    if let Some(mean) = lift.mean {
        if mean.len() != width {
            return Err(Failure::pack(format!(
                "the mean has {} components, and the tower's vector {width}",
                mean.len()
            )));
        }
        vector.iter_mut().zip(mean).for_each(|(value, mean)| *value -= mean);
        unit(&mut vector)?;
    }
    if let Some(map) = lift.map {
        if width == 0 || map.len() % width != 0 {
            return Err(Failure::pack(format!("the map's rows are not as long as the tower's vector, {width}")));
        }
        vector = map.chunks_exact(width).map(|row| dot(row, &vector)).collect();
        unit(&mut vector)?;
    }
    let end = lift.at.checked_add(vector.len());
    let place = end.and_then(|end| space.get_mut(lift.at..end)).ok_or_else(|| {
        let message = format!("the tower gives {} dimensions; the pack has {}", vector.len(), lift.dimensions);
        Failure::pack(message).hint("Correct dimensions or at in vw-pack.json.")
    })?;
    place.iter_mut().zip(&vector).for_each(|(place, value)| *place += lift.weight * value);
    Ok(())
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Lift<'static> = Lift { mean: None, map: None, weight: 1.0, at: 0, dimensions: 4 };

    fn lifted(vector: &[f32], lift: &Lift<'_>) -> Result<Vec<f32>, Failure> {
        let mut space = vec![0.0; lift.dimensions];
        add(vector.to_vec(), lift, &mut space).map(|()| space)
    }

    #[test]
    fn vectors_are_lifted_to_unit_length_and_nonsense_is_refused() {
        assert_eq!(lifted(&[3.0, 4.0], &PLAIN).expect("it has a length"), [0.6, 0.8, 0.0, 0.0]);
        for bad in [&[0.0, 0.0][..], &[f32::NAN, 1.0], &[f32::INFINITY, 1.0], &[1.0; 5], &[]] {
            assert!(lifted(bad, &PLAIN).is_err());
        }
    }

    #[test]
    fn mean_map_weight_and_place_are_applied_in_this_order() {
        let mean = [0.6, 0.0];
        let (map, weight) = ([1.0, 0.0, 0.0, 1.0, 0.0, 1.0], 2.0);
        let lift = Lift { mean: Some(&mean), map: Some(&map), weight, at: 1, dimensions: 4 };
        let found = lifted(&[3.0, 4.0], &lift).expect("it has a length");
        let half = std::f32::consts::SQRT_2;
        assert!(found.iter().zip([0.0, 0.0, half, half]).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
        assert!(lifted(&[3.0, 4.0, 0.0], &lift).is_err(), "another width");
        assert!(lifted(&[0.6, 0.0], &Lift { mean: Some(&[1.0, 0.0]), ..PLAIN }).is_err(), "nothing is left");
    }
}

//! Many channels to one. Which way a model was trained on is the preprocessor's to know.

use serde::Deserialize;

/// What becomes of a sound's channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mix {
    /// The mean of all channels, as transformers' `load_audio` and librosa have it.
    Mean,
    /// The first channel, as ImageBind and LanguageBind have it (torchaudio's Kaldi features read channel 0).
    First,
}

impl Mix {
    /// Append the mix of one packet's `planes`, which are equally long; float32 sums in the order of the channels.
    pub fn append(self, planes: &[Vec<f32>], take: usize, mixed: &mut Vec<f32>) {
        let Some((first, rest)) = planes.split_first() else { return };
        let start = mixed.len();
        mixed.extend(first.iter().take(take));
        if self == Mix::First || rest.is_empty() {
            return;
        }
        let channels = planes.len() as f32;
        let tail = mixed.get_mut(start..).unwrap_or_default();
        for plane in rest {
            for (sum, sample) in tail.iter_mut().zip(plane) {
                *sum += sample;
            }
        }
        for sum in tail {
            *sum /= channels;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_of_all_channels_and_the_first_is_one_of_them() {
        let planes = [vec![1.0, 2.0], vec![3.0, -2.0], vec![5.0, 3.0]];
        let mut mixed = vec![9.0];
        Mix::Mean.append(&planes, 2, &mut mixed);
        Mix::First.append(&planes, 1, &mut mixed);
        assert_eq!(mixed, [9.0, 3.0, 1.0, 1.0]);
    }
}

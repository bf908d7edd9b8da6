"""Pictures and sounds as files, made on the spot from fixed seeds, and their features as the references make them."""

import numpy
import soundfile
import torch
from PIL import Image
from torchaudio.compliance import kaldi

SIZES = [(32, 32), (97, 41), (40, 130), (320, 200), (33, 500)]


def pictures(folder):
    """Write pictures of several shapes; give their names."""
    source = numpy.random.default_rng(11)
    names = []
    for at, (width, height) in enumerate(SIZES):
        y, x = numpy.mgrid[0:height, 0:width]
        waves = [numpy.sin(x / (3 + at + k) + k) * numpy.cos(y / (5 + k)) for k in range(3)]
        values = numpy.stack(waves, axis=-1) * 90 + 128 + source.normal(0, 12, (height, width, 3))
        Image.fromarray(values.clip(0, 255).astype("u1")).save(folder / f"picture{at}.png")
        names.append(f"picture{at}.png")
    return names


def sounds(folder, rate, seconds):
    """Write sounds of these lengths; give their names."""
    names = []
    for at, length in enumerate(seconds):
        source = numpy.random.default_rng(100 + at)
        time = numpy.arange(int(length * rate)) / rate
        values = 0.4 * numpy.sin(2 * numpy.pi * (200 + 90 * at + 60 * time) * time) + source.normal(0, 0.03, len(time))
        name = f"sound{at}_{rate}.wav"
        soundfile.write(folder / name, values.clip(-1, 1).astype("f4"), rate, subtype="PCM_16")
        names.append(name)
    return names


def samples(path):
    values, _ = soundfile.read(path, dtype="float32")
    return values


def picture_features(processor, paths):
    """One array for each picture, by the Pillow class of the processor."""
    return [processor(Image.open(path).convert("RGB"), return_tensors="np")["pixel_values"] for path in paths]


def imagebind_clips(path):
    """imagebind/data.py: three clips of two seconds, `[3, 1, 128, 204]`."""
    sound = samples(path)
    latest, clips = max(len(sound) / 16_000 - 2, 0), []
    for k in range(3):
        start = latest * k / 3
        clip = sound[int(start * 16_000):int((start + 2) * 16_000)]
        wave = torch.from_numpy(clip - clip.mean()).double().unsqueeze(0)
        energies = kaldi.fbank(wave, htk_compat=True, sample_frequency=16_000, use_energy=False, window_type="hanning",
                               num_mel_bins=128, dither=0.0, frame_length=25, frame_shift=10).T[:, :204]
        energies = torch.nn.functional.pad(energies, (0, 204 - energies.shape[1])).float()
        clips.append((energies + 4.268) / 9.138)
    return torch.stack(clips).unsqueeze(1).numpy()

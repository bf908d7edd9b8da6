"""Make sounds, and decode, resample and featurise them with the reference implementations.

usage: audio_reference.py OUT_DIR

Writes OUT_DIR/cases.json, the sounds as files, and every expected array as raw little-endian float32. The test
crates/embed/tests/audio_reference.rs holds the engine to them. The references are soundfile (libsndfile, mpg123) for
decoding, torchaudio.functional.resample and soxr for resampling, and for features transformers' extractors on their
numpy paths, torchaudio.compliance.kaldi, and ImageBind's and LanguageBind's published steps, which are short enough to
be repeated here. Where a reference draws at random, it is made to draw what the engine's policy says.

M4A is covered where an `ffmpeg` is on the path, which makes and decodes the files. Everything else needs the Python
packages torch, torchaudio, transformers, soundfile, soxr and numpy.
"""

import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
from fractions import Fraction
from unittest import mock

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Threads cost more than they bring on arrays of this size.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy
import soundfile
import soxr
import torch
import torchaudio
from torchaudio.compliance import kaldi
from transformers import ASTFeatureExtractor, ClapFeatureExtractor, WhisperFeatureExtractor
from transformers.audio_utils import load_audio

torch.set_num_threads(1)


class Output:
    """The folder, and the cases written so far."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.cases = {"decode": [], "refuse": [], "resample": [], "features": [], "files": []}
        self.arrays = 0

    def array(self, values):
        """Store an array, and return what finds it again."""
        self.arrays += 1
        name = f"{self.arrays:03}.f32"
        (self.folder / name).write_bytes(numpy.ascontiguousarray(values, dtype="<f4").tobytes())
        return name

    def tower(self, keys):
        """Store a feature extractor's file in a folder of its own."""
        name = f"tower{len(list(self.folder.glob('tower*'))):02}"
        (self.folder / name).mkdir()
        (self.folder / name / "preprocessor_config.json").write_text(json.dumps(keys))
        return name

    def finish(self):
        (self.folder / "cases.json").write_text(json.dumps(self.cases, indent=1))


def chirp(seconds, rate, low=50.0, high=None):
    """A sine whose frequency rises in a line to 0.4 of the rate."""
    time = numpy.arange(int(seconds * rate)) / rate
    high = high or 0.4 * rate
    return 0.6 * numpy.sin(2 * numpy.pi * (low * time + (high - low) / (2 * seconds) * time**2))


def sounds(rate, seconds):
    """Named sounds of one channel, float64, within [-1, 1]."""
    random = numpy.random.default_rng(7)
    count = int(seconds * rate)
    time = numpy.arange(count) / rate
    clicks = numpy.zeros(count)
    clicks[:: max(1, rate // 7)] = 0.9
    yield "tone", 0.5 * numpy.sin(2 * numpy.pi * 440 * time)
    yield "chirp", chirp(seconds, rate)
    yield "noise", 0.2 * random.standard_normal(count).clip(-4, 4)
    yield "clicks", clicks
    yield "silence", numpy.zeros(count)
    # Vowel-like: a pulse train through two resonances, with pauses.
    voice = sum(numpy.sin(2 * numpy.pi * 120 * k * time) / (1 + abs(120 * k - 700) / 200) for k in range(1, 30))
    yield "voice", 0.1 * voice * (numpy.sin(2 * numpy.pi * 1.5 * time) > -0.3) + 0.001 * random.standard_normal(count)


def decoding(out):
    """Files of every kind, and what soundfile reads from them."""
    random = numpy.random.default_rng(11)

    def add(name, data, rate, kind, **options):
        path = out.folder / name
        soundfile.write(path, data, rate, **options)
        record(name, kind)

    def record(name, kind):
        data, rate = soundfile.read(out.folder / name, dtype="float32", always_2d=True)
        out.cases["decode"].append({
            "file": name, "kind": kind, "rate": rate, "channels": data.shape[1], "frames": data.shape[0],
            "mean": out.array(data.T.mean(axis=0) if data.shape[1] > 1 else data[:, 0]), "first": out.array(data[:, 0]),
        })

    def music(rate, channels, seconds):
        parts = [chirp(seconds, rate, high=0.2 * rate) * (0.9 - 0.1 * k) for k in range(channels)]
        return numpy.stack(parts, axis=1) + 0.02 * random.standard_normal((int(seconds * rate), channels))

    for subtype in ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"]:
        add(f"{subtype.lower()}.wav", music(22_050, 2, 0.31), 22_050, "exact", subtype=subtype)
    for channels in range(1, 9):
        add(f"{channels}_channels.wav", music(16_000, channels, 0.2), 16_000, "exact", subtype="PCM_16")
    for rate in [8_000, 11_025, 44_100, 96_000, 192_000]:
        add(f"{rate}.wav", music(rate, 1, 0.2), rate, "exact", subtype="PCM_16")
    for count in [1, 2, 1151, 1153]:
        add(f"{count}_samples.wav", 0.5 * random.standard_normal(count).clip(-2, 2), 16_000, "exact", subtype="PCM_16")
    for subtype in ["PCM_S8", "PCM_16", "PCM_24"]:
        add(f"{subtype.lower()}.flac", music(44_100, 2, 0.4), 44_100, "exact", subtype=subtype)
        add(f"{subtype.lower()}.aiff", music(44_100, 2, 0.1), 44_100, "exact", subtype=subtype)
    add("8_channels.flac", music(48_000, 8, 0.2), 48_000, "exact", subtype="PCM_16")
    add("1_sample.flac", numpy.array([0.25]), 48_000, "exact", subtype="PCM_16")
    add("silence.flac", numpy.zeros(100_000), 8_000, "exact", subtype="PCM_16")
    for rate, channels in [(44_100, 2), (48_000, 1), (16_000, 1), (22_050, 6)]:
        add(f"{rate}_{channels}.ogg", music(rate, channels, 1.37), rate, "vorbis", format="OGG", subtype="VORBIS")
    for rate, channels in [(44_100, 2), (48_000, 1), (16_000, 1), (32_000, 2), (8_000, 1)]:
        data = music(rate, channels, 1.37)
        add(f"{rate}_{channels}.mp3", data, rate, "mp3", format="MP3", subtype="MPEG_LAYER_III")
    add("1_sample.mp3", numpy.array([0.25]), 44_100, "mp3", format="MP3", subtype="MPEG_LAYER_III")
    soundfile.write(out.folder / "opus.ogg", music(48_000, 1, 0.3), 48_000, format="OGG", subtype="OPUS")
    out.cases["refuse"].append({"file": "opus.ogg", "naming": "Opus"})
    soundfile.write(out.folder / "sound.caf", music(48_000, 1, 0.1), 48_000, format="CAF", subtype="PCM_16")
    out.cases["refuse"].append({"file": "sound.caf", "naming": "Core Audio Format"})
    if shutil.which("ffmpeg"):
        m4a(out, music(44_100, 2, 1.37))


def m4a(out, data):
    """AAC and ALAC in MP4, and AAC in ADTS, made and read by ffmpeg."""
    soundfile.write(out.folder / "m4a_source.wav", data, 44_100, subtype="PCM_16")
    for name, codec in [("aac.m4a", "aac"), ("alac.m4a", "alac"), ("adts.aac", "aac")]:
        quiet = ["ffmpeg", "-v", "error", "-y"]
        subprocess.run([*quiet, "-i", out.folder / "m4a_source.wav", "-c:a", codec, out.folder / name], check=True)
        decode = [*quiet, "-i", out.folder / name, "-c:a", "pcm_f32le", "-f", "f32le", "-"]
        raw = subprocess.run(decode, check=True, stdout=subprocess.PIPE).stdout
        samples = numpy.frombuffer(raw, dtype="<f4").reshape(-1, 2)
        if name.endswith(".m4a"):
            # Before version 6, ffmpeg gives the padding of the last packet as well.
            samples = samples[:edited(out.folder / name, 44_100)]
        out.cases["decode"].append({
            "file": name, "kind": "exact" if codec == "alac" else "aac", "rate": 44_100, "channels": 2,
            "frames": samples.shape[0], "mean": out.array(samples.T.mean(axis=0)), "first": out.array(samples[:, 0]),
        })


def edited(path, rate):
    """The samples that an MP4 has by its edit list (ISO/IEC 14496-12, 8.6.6), of one edit and with 32-bit fields.

    Ticks that are longer than a sample were rounded down to, so that the one behind the last may be sound.
    """
    data = path.read_bytes()

    def number(name, offset):
        return int.from_bytes(data[data.index(name) + offset:][:4], "big")

    scale = number(b"mvhd", 16)
    return (number(b"elst", 12) + (scale != rate)) * rate // scale


def resampling(out):
    """Both resamplers, on rates with and without common factors, and on sounds that show edges and aliases."""
    rates = [(44_100, 16_000), (48_000, 16_000), (8_000, 48_000), (44_100, 48_000), (22_050, 16_000), (96_000, 48_000),
             (192_000, 16_000), (11_025, 48_000), (44_101, 16_000), (1_601, 1_600), (32_000, 32_000)]
    for old, new in rates:
        for name, sound in sounds(old, 0.5):
            add_resampled(out, f"{name} {old} to {new}", sound.astype(numpy.float32), old, new)
        # What lies in the pass band of both: the chirp ends at 0.4 of the lower rate.
        low = chirp(0.5, old, high=0.4 * min(old, new)).astype(numpy.float32)
        add_resampled(out, f"band {old} to {new}", low, old, new)
    for count in [1, 2, 7, 160, 441]:
        sound = numpy.random.default_rng(count).standard_normal(count).astype(numpy.float32) * 0.3
        add_resampled(out, f"{count} samples", sound, 44_100, 16_000)


def add_resampled(out, name, sound, old, new):
    length = -(-len(sound) * new // old)
    smooth = soxr.resample(sound, old, new, quality="soxr_hq") if old != new else sound
    smooth = numpy.pad(smooth, (0, max(0, length - len(smooth))))[:length]
    # torchaudio's kernel has old times new weights without their common factor: gigabytes at 44,101 to 16,000.
    small = old // math.gcd(old, new) < 5_000
    exact = torchaudio.functional.resample(torch.from_numpy(sound), old, new).numpy() if small else None
    out.cases["resample"].append({
        "name": name, "old": old, "new": new, "input": out.array(sound),
        "torchaudio": out.array(exact) if small else None, "soxr": out.array(smooth),
    })


def add_features(out, name, keys, rate, sound, values, clips=1, truncated=False, longer=False):
    values = numpy.asarray(values)
    shape = list(values.shape[1:] if clips > 1 or values.ndim > 3 else values.shape)
    out.cases["features"].append({
        "name": name, "tower": out.tower(keys), "rate": rate, "input": out.array(sound), "expected": out.array(values),
        "shape": shape, "clips": clips, "truncated": truncated, "longer": longer,
    })


def lengths(rate, window):
    """Sounds of every length that matters to a window of so many seconds."""
    for name, sound in sounds(rate, 0.7 * window):
        yield name, sound
    random = numpy.random.default_rng(3)
    for count in [1, 2, 399, 401, 12_347, window * rate - 1, window * rate]:
        yield f"{count} samples", 0.1 * random.standard_normal(count)


def clap(out):
    with_seed = numpy.random.default_rng(5)
    for truncation in ["rand_trunc", "fusion"]:
        for padding in ["repeatpad", "repeat", "pad"]:
            keys = {"feature_size": 64, "sampling_rate": 48_000, "truncation": truncation, "padding": padding}
            if truncation == "rand_trunc":
                keys["frequency_min"] = 50
            extractor = ClapFeatureExtractor(**keys)
            keys["feature_extractor_type"] = "ClapFeatureExtractor"
            wanted = lengths(48_000, 10) if padding == "repeatpad" else [("tone", list(sounds(48_000, 3))[0][1])]
            for name, sound in wanted:
                sound = sound.astype(numpy.float32)
                mel, longer = extractor._get_input_mel(sound, 480_000, truncation, padding)
                assert not longer
                add_features(out, f"clap {truncation} {padding} {name}", keys, 48_000, sound, mel)
    long = (0.1 * with_seed.standard_normal(48_000 * 23 + 77)).astype(numpy.float32)
    for policy, start in [("first", 0), ("centre", (len(long) - 480_000) // 2)]:
        keys = {"feature_extractor_type": "ClapFeatureExtractor", "truncation": "rand_trunc", "clip_policy": policy}
        with mock.patch("numpy.random.randint", return_value=start):
            mel, _ = ClapFeatureExtractor(truncation="rand_trunc")._get_input_mel(long, 480_000, "rand_trunc", "repeatpad")
        add_features(out, f"clap long {policy}", keys, 48_000, long, mel, truncated=True, longer=True)
    # Windows are extracted one by one; the engine stacks them.
    keys = {"feature_extractor_type": "ClapFeatureExtractor", "truncation": "rand_trunc", "clip_policy": "windows_mean"}
    starts = [(len(long) - 480_000) * k // 2 for k in range(3)]
    extractor = ClapFeatureExtractor(truncation="rand_trunc")
    mels = [extractor._get_input_mel(long[s : s + 480_000], 480_000, "rand_trunc", "repeatpad")[0] for s in starts]
    add_features(out, "clap long windows_mean", keys, 48_000, long, numpy.stack(mels), clips=3, longer=True)
    keys = {"feature_extractor_type": "ClapFeatureExtractor", "truncation": "fusion"}
    for count in [480_001, 480_479, 480_480, 480_960, len(long)]:
        with mock.patch("numpy.random.choice", side_effect=lambda part: part[0]):
            mel, longer = ClapFeatureExtractor()._get_input_mel(long[:count], 480_000, "fusion", "repeatpad")
        # Of sounds barely longer, the reference keeps every frame; its shape is the window's.
        add_features(out, f"clap fusion {count}", keys, 48_000, long[:count], mel, longer=bool(longer))


def whisper(out):
    settings = [{}, {"feature_size": 128}, {"chunk_length": 3, "feature_size": 64},
                {"chunk_length": 5, "feature_size": 64, "sampling_rate": 32_000, "n_fft": 1024, "hop_length": 320}]
    for keys in settings:
        extractor = WhisperFeatureExtractor(**keys)
        rate, window = extractor.sampling_rate, extractor.n_samples
        keys = {**keys, "feature_extractor_type": "WhisperFeatureExtractor"}
        for name, sound in lengths(rate, extractor.chunk_length):
            if extractor.chunk_length == 30 and name not in ("voice", "silence", "1 samples", "12347 samples"):
                continue
            sound = sound.astype(numpy.float32)
            padded = numpy.pad(sound, (0, window - len(sound)))
            add_features(out, f"whisper {keys} {name}", keys, rate, sound, extractor._np_extract_fbank_features([padded], "cpu")[0])
        long = (0.1 * numpy.random.default_rng(9).standard_normal(window + 4_001)).astype(numpy.float32)
        values = extractor._np_extract_fbank_features([long[:window]], "cpu")[0]
        add_features(out, f"whisper {keys} long", keys, rate, long, values, truncated=True, longer=True)


def mel_scale(hertz):
    """kaldi.mel_scale with its logarithm correctly rounded. torch's differs in its last bit, and from machine to machine,
    which moves weights of the bank by 1e-5: that shows where a pure tone meets the foot of a filter."""
    return 1127.0 * (1.0 + hertz / 700.0).double().log().float()


def fbank(sound, rate, bins):
    """Kaldi's energies in float64, `[frames, bins]`. In float32 the reference's own rounding shows in weak bins."""
    wave = torch.from_numpy(sound.astype(numpy.float64)).unsqueeze(0)
    with mock.patch.object(kaldi, "mel_scale", mel_scale):
        return kaldi.fbank(wave, htk_compat=True, sample_frequency=rate, use_energy=False, window_type="hanning",
                           num_mel_bins=bins, dither=0.0, frame_length=25, frame_shift=10)


def ast(out):
    extractor = ASTFeatureExtractor()
    for name, sound in lengths(16_000, 11):
        if len(sound) < 400:
            continue
        sound = sound.astype(numpy.float32)
        energies = fbank(sound, 16_000, 128)[:1024]
        energies = torch.nn.functional.pad(energies, (0, 0, 0, 1024 - len(energies))).float().numpy()
        long = len(sound) > 1023 * 160 + 400
        keys = {"feature_extractor_type": "ASTFeatureExtractor"}
        add_features(out, f"ast {name}", keys, 16_000, sound, extractor.normalize(energies), truncated=long, longer=long)
        # The extractor as it is, in float32: it must be near, or the steps above are not its own.
        whole = extractor(sound, sampling_rate=16_000, return_tensors="np")["input_values"][0]
        assert name != "voice" or numpy.abs(whole - extractor.normalize(energies)).max() < 1e-2


def imagebind(out):
    """imagebind/data.py: clips of 2 s at thirds of what is left, 204 frames, normalised after the padding."""
    for name, sound in [*lengths(16_000, 5), *lengths(16_000, 12)]:
        if len(sound) < 400:
            continue
        sound = sound.astype(numpy.float32)
        latest = Fraction(max(len(sound) / 16_000 - 2, 0))
        clips = []
        for k in range(3):
            start = latest / 3 * k
            clip = sound[int(start * 16_000) : int((start + 2) * 16_000)].astype(numpy.float64)
            energies = fbank(clip - clip.mean(), 16_000, 128).T[:, :204]
            energies = torch.nn.functional.pad(energies, (0, 204 - energies.shape[1])).float().unsqueeze(0)
            clips.append(((energies - (-4.268)) / 9.138).numpy())
        keys = {"feature_extractor_type": "ImageBindFeatureExtractor"}
        truncated = len(sound) > 96_000
        add_features(out, f"imagebind {name}", keys, 16_000, sound, numpy.stack(clips), clips=3, truncated=truncated)


def languagebind(out):
    """languagebind/audio/processing_audio.py, with the first start of each third."""
    for name, sound in lengths(16_000, 12):
        if len(sound) < 400:
            continue
        sound = sound.astype(numpy.float32)
        energies = fbank(sound - sound.astype(numpy.float64).mean(), 16_000, 112).float()
        total, chunk = len(energies), 1036
        if total > chunk:
            parts = [p if len(p) else [0] for p in numpy.array_split(list(range(total - chunk + 1)), 3)]
            stack = torch.stack([energies[p[0] : p[0] + chunk] for p in parts])
        else:
            stack = torch.stack([energies.repeat(chunk // total + 1, 1)[:chunk]] * 3)
        values = ((stack.transpose(1, 2) - (-4.2677393)) / 4.5689974).numpy()
        keys = {"feature_extractor_type": "LanguageBindAudioProcessor"}
        add_features(out, f"languagebind {name}", keys, 16_000, sound, values, longer=total > chunk)


def files(out):
    """From a file's bytes to features: transformers' load_audio, then its extractor."""
    stereo = numpy.stack([chirp(4, 44_100, high=9_000), list(sounds(44_100, 4))[5][1]], axis=1)
    for name, options in [("whole.wav", {"subtype": "PCM_16"}), ("whole.flac", {"subtype": "PCM_24"}),
                          ("whole.ogg", {"format": "OGG", "subtype": "VORBIS"}), ("whole.mp3", {"format": "MP3"})]:
        soundfile.write(out.folder / name, stereo, 44_100, **options)
        whisper_keys = {"feature_extractor_type": "WhisperFeatureExtractor", "chunk_length": 3}
        extractor = WhisperFeatureExtractor(chunk_length=3)
        sound = load_audio(str(out.folder / name), 16_000, backend="soundfile")[: extractor.n_samples]
        out.cases["files"].append({
            "file": name, "tower": out.tower(whisper_keys),
            "expected": out.array(extractor._np_extract_fbank_features([sound], "cpu")[0]),
        })


def main(folder):
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    out = Output(folder)
    for part in [decoding, resampling, clap, whisper, ast, imagebind, languagebind, files]:
        part(out)
    out.finish()


if __name__ == "__main__":
    main(sys.argv[1])

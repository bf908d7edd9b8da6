"""Sounds as the audio tower hears them: transformers' WhisperFeatureExtractor with 9 seconds, 64 bins and a hop of 240 samples.

The engine computes the same from `preprocessor_config.json`. A sound's frames are all that is kept while training; what
the window has beyond them is the floor, 2 below the greatest value.
"""

import numpy
import soxr

RATE, SECONDS, BINS, HOP, FFT = 16_000, 9, 64, 240, 400
FRAMES = SECONDS * RATE // HOP
RANGE = 2.0  # between the greatest value and the floor


def mel(hertz):
    """Slaney's scale: linear to 1 kHz, then logarithmic."""
    hertz = numpy.asarray(hertz, dtype=float)
    return numpy.where(hertz < 1000, hertz * 3 / 200, 15 + numpy.log(numpy.maximum(hertz, 1e-9) / 1000) * 27 / numpy.log(6.4))


def hertz(mels):
    """`mel` the other way."""
    return numpy.where(mels < 15, mels * 200 / 3, 1000 * numpy.exp((mels - 15) * numpy.log(6.4) / 27))


EDGES = hertz(numpy.linspace(mel(0.0), mel(8000.0), BINS + 2))


def bank():
    """Triangles between EDGES, [bins, fft / 2 + 1], each of area one."""
    edges = EDGES
    places = numpy.linspace(0, RATE / 2, FFT // 2 + 1)
    up = (places - edges[:-2, None]) / numpy.diff(edges)[:-1, None]
    down = (edges[2:, None] - places) / numpy.diff(edges)[1:, None]
    return numpy.maximum(0, numpy.minimum(up, down)) * (2 / (edges[2:] - edges[:-2]))[:, None]


BANK = bank()
WINDOW = 0.5 - 0.5 * numpy.cos(2 * numpy.pi * numpy.arange(FFT) / FFT)


def resampled(samples, rate):
    return samples if rate == RATE else soxr.resample(samples, rate, RATE)


def frames(samples):
    """[frames, bins] float32 of samples at RATE: those frames of the window in which the sound is."""
    samples = numpy.asarray(samples, dtype=numpy.float64)[:SECONDS * RATE]
    count = min(-(-len(samples) // HOP) + 1, FRAMES)
    padded = numpy.concatenate([samples[1:FFT // 2 + 1][::-1], samples, numpy.zeros(FFT + count * HOP)])
    if len(padded) < count * HOP + FFT or len(samples) <= FFT // 2:
        padded = numpy.concatenate([numpy.zeros(FFT // 2), samples, numpy.zeros(FFT + count * HOP)])
    cut = numpy.lib.stride_tricks.sliding_window_view(padded, FFT)[:count * HOP:HOP]
    power = numpy.abs(numpy.fft.rfft(cut * WINDOW, axis=1)) ** 2
    values = numpy.log10(numpy.maximum(power @ BANK.T, 1e-10))
    return ((numpy.maximum(values, values.max() - 8) + 4) / 4).astype(numpy.float32)


def window(own):
    """[bins, FRAMES] of one sound's frames, as the extractor gives it."""
    whole = numpy.full((FRAMES, BINS), max(own.max() - RANGE, -1.5), dtype=numpy.float32)
    whole[:len(own)] = own[:FRAMES]
    return whole.T

"""What happens to a voice between mouth and file: another size of head, rooms, noise, telephones, quantising."""

import numpy
import soxr
from scipy import signal

from hearing import RATE


def coloured(chance, length, slope):
    """Noise whose power falls with frequency to the slope: 0 white, 1 pink, 2 brown."""
    spectrum = numpy.fft.rfft(chance.standard_normal(length))
    spectrum /= numpy.maximum(numpy.arange(len(spectrum)), 1) ** (slope / 2)
    made = numpy.fft.irfft(spectrum, length)
    return made / (made.std() + 1e-9)


def room(chance, samples):
    """A direct sound, and a tail that dies away within 0.05 to 0.5 seconds."""
    length = int(RATE * chance.uniform(0.05, 0.5))
    tail = chance.standard_normal(length) * numpy.exp(-6.9 * numpy.arange(length) / length) * chance.uniform(0.02, 0.15)
    tail[0] = 1.0
    return signal.oaconvolve(samples, tail)[:len(samples) + length // 3]


def tilted(chance, samples):
    """A slope over the whole band and a smooth curve, as of a cheap microphone."""
    spectrum = numpy.fft.rfft(samples)
    knots = numpy.cumsum(chance.normal(0, 3.0, 8)) + numpy.linspace(0, chance.normal(0, 8.0), 8)
    curve = numpy.interp(numpy.linspace(0, 7, len(spectrum)), numpy.arange(8), knots - knots.mean())
    return numpy.fft.irfft(spectrum * 10 ** (curve / 20), len(samples))


def narrowed(chance, samples):
    """A telephone's band, or an old recording's."""
    low, high = chance.uniform(50, 350), chance.uniform(3300, 7500)
    return signal.sosfilt(signal.butter(2, [low, high], "bandpass", fs=RATE, output="sos"), samples)


def quantised(chance, samples):
    """Mu-law with few steps."""
    peak, steps = numpy.abs(samples).max() + 1e-9, chance.integers(40, 128)
    folded = numpy.sign(samples) * numpy.log1p(255 * numpy.abs(samples) / peak) / numpy.log(256)
    folded = numpy.round(folded * steps) / steps
    return numpy.sign(folded) * (256 ** numpy.abs(folded) - 1) / 255 * peak


def spoiled(chance, samples, rate, stretch=0.07):
    """A sound at its rate to a sound at RATE, changed at random; `stretch` is how much its pitch and pace may change."""
    ratio = float(numpy.clip(chance.normal(1.0, stretch), 1 - 2.3 * stretch, 1 + 2.5 * stretch))
    samples = soxr.resample(samples, rate * ratio, RATE).astype(numpy.float64)
    steps = chance.random(6)
    if steps[0] < 0.25:
        samples = room(chance, samples)
    if steps[1] < 0.5:
        samples = tilted(chance, samples)
    if steps[2] < 0.2:
        samples = narrowed(chance, samples)
    before, after = (chance.exponential(0.12, 2) * RATE).astype(int)
    samples = numpy.concatenate([numpy.zeros(before), samples, numpy.zeros(after)])
    if steps[3] < 0.65:
        level = samples.std() * 10 ** (-chance.uniform(5, 45) / 20)
        samples = samples + level * coloured(chance, len(samples), chance.choice([0.0, 1.0, 2.0]))
    if steps[4] < 0.1:
        samples = quantised(chance, samples)
    if steps[5] < 0.1:
        limit = numpy.abs(samples).max() * chance.uniform(0.3, 0.9)
        samples = numpy.clip(samples, -limit, limit)
    return samples * (10 ** (chance.uniform(-30, -1) / 20) / (numpy.abs(samples).max() + 1e-9))

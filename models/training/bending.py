"""Sounds as other speakers, rooms and microphones would have them: changes of log-mel frames, a batch at a time, on any device.

What `distort.py` does to samples costs more and is done once; this is drawn anew whenever a sound is heard.
"""

import numpy
import torch

from hearing import BINS, EDGES, RANGE, mel

CENTRES = EDGES[1:-1]
UNBENT = 0.15  # share of sounds that keep their speaker and pace
ROOMS, NOISES, TELEPHONES, MASKS = 0.3, 0.5, 0.15, 0.6  # shares of sounds


def uniform(low, high, *shape, device):
    return torch.rand(*shape, device=device) * (high - low) + low


def some(share, size, device):
    """[size, 1, 1] of which that share is true."""
    return torch.rand(size, 1, 1, device=device) < share


def gathered(frames, starts, lengths, pace, longest):
    """([batch, longest, BINS] float32 read at that pace, [batch, longest, 1] where it is inside)."""
    place = torch.arange(longest, device=frames.device)[None] * pace[:, None]
    last = (lengths - 1)[:, None]
    low = place.long().minimum(last)
    between = (place - low).clamp(0, 1)[:, :, None]
    early, late = frames[starts[:, None] + low].float(), frames[starts[:, None] + (low + 1).minimum(last)].float()
    return early + (late - early) * between, (place < lengths[:, None])[:, :, None]


def floored(values, inside):
    """What is outside, or RANGE below the greatest value inside, is there."""
    floor = values.masked_fill(~inside, -9.0).amax((1, 2), keepdim=True) - RANGE
    return torch.where(inside, values.maximum(floor), floor)


def plain(frames, starts, lengths, counts):
    """([batch, BINS, frames], how many frames of each count): with 16 frames of floor behind."""
    longest = int(counts.max()) + 16
    values, inside = gathered(frames, starts, lengths, torch.ones(len(starts), device=frames.device), longest)
    return floored(values, inside).transpose(1, 2), torch.as_tensor(counts + 16)


def stretched(values):
    """Another size of head: frequencies times something (Jaitly and Hinton, 2013)."""
    size, device = len(values), values.device
    factor = numpy.where(numpy.random.rand(size, 1) < UNBENT, 1.0, numpy.exp(numpy.random.uniform(numpy.log(0.8), numpy.log(1.25), (size, 1))))
    places = torch.tensor((mel(CENTRES * factor) / mel(8000.0) * (BINS + 1) - 1).clip(0, BINS - 1.001), dtype=torch.float32, device=device)
    low = places.long()[:, None].expand(-1, values.shape[1], -1)
    between = (places - places.floor())[:, None]
    return values.gather(2, low) * (1 - between) + values.gather(2, low + 1) * between


def coloured(values):
    """A smooth curve over the band, and for some a telephone's band."""
    size, device = len(values), values.device
    knots = torch.randn(size, 6, device=device) * 0.09
    places = torch.linspace(0, 5, BINS, device=device)
    weights = (1 - (places[None] - torch.arange(6, device=device)[:, None]).abs()).clamp(min=0)
    octaves = torch.tensor(numpy.log2(CENTRES), dtype=torch.float32, device=device)
    low, high = uniform(6.0, 8.5, size, 1, device=device), uniform(11.7, 12.9, size, 1, device=device)
    shut = ((low - octaves).clamp(min=0) + (octaves - high).clamp(min=0)) * 0.3  # 12 decibels an octave
    return values + (knots @ weights)[:, None] - shut[:, None] * some(TELEPHONES, size, device)


def in_rooms(power):
    """A tail that dies away: 60 decibels in 0.15 to 0.6 seconds."""
    size, device = len(power), power.device
    seconds = uniform(0.15, 0.6, size, 1, 1, device=device)
    share = 10 ** -(6 * 0.015 / seconds)
    tail = power
    for doubling in range(6):
        by = 2 ** doubling
        tail = tail + share ** by * torch.nn.functional.pad(tail, (0, 0, by, 0))[:, :power.shape[1]]
    loud = 10 ** -uniform(0.2, 1.6, size, 1, 1, device=device) * (1 - share)
    return power + (tail - power) * loud * some(ROOMS, size, device)


def noisy(power, inside):
    """Noise that falls with frequency, or does not, 0 to 40 decibels below the sound; for half of them it swells and fades."""
    size, device = len(power), power.device
    level = (power * inside).sum((1, 2), keepdim=True) / (inside.sum((1, 2), keepdim=True) * BINS)
    slope = torch.randint(0, 3, (size, 1, 1), device=device) * 0.75
    shape = torch.tensor(CENTRES / 1000, dtype=torch.float32, device=device) ** -slope
    grains = -(torch.rand_like(power) * torch.rand_like(power)).clamp(min=1e-9).log() / 2
    slow = torch.randn(size, 8, device=device)[:, None]
    swell = torch.nn.functional.interpolate(slow, size=power.shape[1], mode="linear")[:, 0, :, None] * some(0.5, size, device)
    loud = 10 ** -(uniform(0.0, 4.0, size, 1, 1, device=device) - swell * 0.4)
    return power + level * shape / shape.mean(2, keepdim=True) * grains * loud


def masked(values, inside):
    """Some frames and some bins hold the sound's mean (SpecAugment, Park et al., 2019)."""
    size, device = len(values), values.device
    count = inside.sum((1, 2), keepdim=True)
    mean = (values * inside).sum((1, 2), keepdim=True) / (count * BINS)
    frames, bins = torch.arange(values.shape[1], device=device)[None, :, None], torch.arange(BINS, device=device)[None, None]
    for _ in range(2):
        for line, length, most in ((frames, count, 9), (bins, BINS, 10)):
            width = uniform(0, most, size, 1, 1, device=device)
            start = torch.rand(size, 1, 1, device=device) * (length - width).clamp(min=0) if line is frames \
                else torch.rand(size, 1, 1, device=device) * (length - width)
            hidden = (line >= start) & (line < start + width) & inside & some(MASKS, size, device)
            if line is frames:
                hidden &= count > 40
            values = torch.where(hidden, mean, values)
    return values


def bent(frames, starts, lengths, counts):
    """`plain` of other speakers in other rooms."""
    pace = numpy.where(numpy.random.rand(len(counts)) < UNBENT, 1.0, numpy.random.uniform(0.8, 1.25, len(counts)))
    counts = numpy.maximum((counts / pace).astype(int), 1)
    more = numpy.random.randint(2, 24, len(counts))
    longest = int((counts + more).max())
    values, inside = gathered(frames, starts, lengths, torch.tensor(pace, dtype=torch.float32, device=frames.device), longest)
    values = coloured(stretched(values))
    values = floored(values, inside)
    there = inside.float()
    power = in_rooms(10 ** (4 * (values - values.amax((1, 2), keepdim=True))) * there)
    power = torch.where(some(NOISES, len(power), power.device), noisy(power, there), power)
    values = (power.clamp(min=1e-10).log10() + 4) / 4
    everywhere = torch.ones_like(inside)
    return masked(floored(values, everywhere), inside).transpose(1, 2), torch.as_tensor(counts + more)

"""Spoken phrases in the memory of the device that trains, in batches of like lengths; what changes them is in `bending.py`.

On a GPU everything lies there at once, 2 GB for 100,000 sounds.
"""

import numpy
import torch

from bending import bent, plain
from hearing import BINS


def device():
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Sounds:
    """Sounds one after another: `frames` [all frames, BINS] float16, and where each begins and how long it is."""

    def __init__(self, frames, lengths, place=None):
        self.place = place or device()
        self.frames = torch.as_tensor(frames, device=self.place)
        self.set_lengths(lengths)

    def set_lengths(self, lengths):
        self.lengths = numpy.asarray(lengths)
        self.starts = torch.as_tensor(numpy.cumsum(self.lengths) - self.lengths, device=self.place)

    def __len__(self):
        return len(self.lengths)

    def batch(self, rows, change=True, most=None):
        """([batch, BINS, frames] float32, the frames of each [batch] on the CPU); of longer sounds `most` frames from somewhere."""
        lengths, starts = self.lengths[rows], self.starts[torch.as_tensor(rows, device=self.place)]
        if most:
            starts = starts + torch.tensor([numpy.random.randint(0, max(length - most, 0) + 1) for length in lengths], device=self.place)
            lengths = numpy.minimum(lengths, most)
        make = bent if change else plain
        return make(self.frames, starts, torch.as_tensor(lengths, device=self.place), lengths)

    def groups(self, chance, budget, most=512):
        """Rows in batches of about `budget` frames, like lengths together, in random order; each row once."""
        order = numpy.argsort(self.lengths * chance.uniform(0.85, 1.15, len(self)))
        lengths, made, start = self.lengths[order], [], 0
        while start < len(order):
            size = int(min(most, max(8, budget // lengths[min(start + most, len(order)) - 1])))
            made.append(order[start:start + size])
            start += size
        for at in chance.permutation(len(made)):
            yield made[at]


class Spoken(Sounds):
    """The sounds of one part with their phones, as they are there: `look` reads those that came since."""

    def __init__(self, work, part, most=None):
        self.work, self.part, self.most, self.read = work, part, most, set()
        self.voices, self.phrase, self.phones = [], numpy.zeros(0, dtype=int), []
        super().__init__(numpy.zeros((0, BINS), dtype=numpy.float16), numpy.zeros(0, dtype=int))
        self.look()

    def look(self):
        paths = [path for path in sorted(self.work.glob(f"spoken-{self.part}-[0-9]*.npz")) if path.name not in self.read and "part" not in path.name]
        if self.most and len(self) >= self.most:
            return self
        frames, lengths, phrases = [self.frames], [self.lengths], [self.phrase]
        for path in paths:
            data = numpy.load(path)
            self.read.add(path.name)
            frames.append(torch.as_tensor(data["frames"], device=self.place))
            lengths.append(numpy.diff(data["ends"], prepend=0))
            phrases.append(data["phrase"])
            self.voices += data["voice"].tolist()
            self.phones += numpy.split(data["phones"].astype(numpy.int64), data["phone_ends"][:-1])
            if self.most and sum(len(own) for own in lengths) >= self.most:
                break
        if len(frames) > 1:
            self.frames, self.phrase = torch.cat(frames), numpy.concatenate(phrases)
            self.set_lengths(numpy.concatenate(lengths))
        return self

"""Speak the phrases: what the voices say, spoiled, as frames.

usage: record.py WORK PART [--pieces N] [--seconds N] [--processes N]

PART is a part of phrases.json. Writes WORK/spoken-PART-NUMBER.npz for every 250 sounds: `frames` (float16, one sound after another,
[frames, bins]), `ends` (where each ends), `phrase` (its number), `voice`, `phones` and `phone_ends`. A piece of `train` has 100 names and
keywords of CLDR, and 150 phrases of all kinds; names come again in later pieces, by other voices. No piece is begun after the seconds are over.
"""

import argparse
import functools
import json
import multiprocessing
import pathlib
import time

import numpy

import recorded_voices
import voices
from distort import spoiled
from hearing import frames, resampled

PIECE, NAMES = 250, 100
SEED = 22
LONGEST = 8.5  # seconds
ESPEAK, FLITE, RHVOICE = 0.3, 0.28, 0.24  # shares; the rest is Pico's
SPOILED = 0.4  # of the sounds of `train`; `bending.py` spoils all, whenever they are heard


class Speakers:
    """Every engine, made when it is first needed."""

    def __init__(self):
        self.espeak, self.made = voices.Espeak(), {}

    def engine(self, kind, *given):
        if (kind, given) not in self.made:
            self.made[kind, given] = kind(*given)
        return self.made[kind, given]

    def choose(self, chance, part):
        """A voice, as (engine, voice)."""
        if part != "train":
            return tuple(voices.HELD_OUT[chance.integers(len(voices.HELD_OUT))].split(":"))
        draw = chance.random()
        if draw < ESPEAK:
            while True:
                accent, variant = chance.choice(voices.ACCENTS), chance.choice(voices.VARIANTS)
                voice = f"{accent}+{variant}" if variant else accent
                if f"espeak:{voice}" not in voices.HELD_OUT:
                    return "espeak", voice
        if draw < ESPEAK + FLITE:
            return "flite", chance.choice(voices.FLITE, p=[0.3, 0.4, 0.3])
        if draw < ESPEAK + FLITE + RHVOICE:
            return "rhvoice", chance.choice(recorded_voices.RHVOICE)
        return "pico", chance.choice(list(recorded_voices.PICO))

    def say(self, chance, engine, voice, text):
        """(samples, rate) at a pace and a pitch of that engine's."""
        if engine == "espeak":
            return self.espeak.speak(voice, text, int(chance.integers(130, 215)), int(chance.integers(20, 85)))
        if engine == "rhvoice":
            return self.engine(recorded_voices.RHVoice).speak(voice, text, float(chance.uniform(-0.5, 0.35)), float(chance.uniform(-0.6, 0.6)))
        if engine == "pico":
            return self.engine(recorded_voices.Pico, voice).speak(text, int(chance.integers(75, 130)), int(chance.integers(65, 145)))
        pitch = float(numpy.exp(chance.uniform(numpy.log(75), numpy.log(260)))) if voice != "rms" and chance.random() < 0.6 else None
        return self.engine(voices.Flite).speak(voice, text, float(chance.uniform(0.8, 1.3)), pitch)

    def say_all(self, chance, part, texts):
        """[(engine:voice, samples, rate)]; festival speaks many at once."""
        wanted = [self.choose(chance, part) for _ in texts]
        made = [self.say(chance, engine, voice, text) if engine != "festival" else None for (engine, voice), text in zip(wanted, texts)]
        for own in {voice for engine, voice in wanted if engine == "festival"}:
            by = [at for at, (engine, voice) in enumerate(wanted) if (engine, voice) == ("festival", own)]
            for at, sound in zip(by, voices.festival(own, [texts[at] for at in by])):
                made[at] = sound
        return [(f"{engine}:{voice}", *sound) for (engine, voice), sound in zip(wanted, made)]


@functools.cache
def speakers():
    return Speakers()


def piece(work, part, number, rows, texts):
    target = work / f"spoken-{part}-{number:04}.npz"
    chance = numpy.random.default_rng([SEED, number, len(part)])
    kept, by, sounds, phones = [], [], [], []
    for at, (voice, samples, rate) in enumerate(speakers().say_all(chance, part, texts)):
        if not 0.15 < len(samples) / rate < LONGEST:
            continue
        clean = at % 2 == 0 if part != "train" else chance.random() >= SPOILED
        heard = resampled(samples, rate) if clean else spoiled(chance, samples, rate, stretch=0.1 * (part == "train"))
        kept.append(at)
        by.append(voice)
        sounds.append(frames(heard).astype(numpy.float16))
        phones.append(speakers().espeak.phones(texts[at]))
    numpy.savez(target.with_suffix(".part.npz"), frames=numpy.concatenate(sounds), ends=numpy.cumsum([len(own) for own in sounds]),
                phrase=numpy.array(rows)[kept], voice=numpy.array(by),
                phones=numpy.concatenate(phones).astype(numpy.uint8), phone_ends=numpy.cumsum([len(own) for own in phones]))
    target.with_suffix(".part.npz").rename(target)


def begin(given, until):
    """One piece, unless it is there or the time is over."""
    work, part, number, rows, texts = given
    if (work / f"spoken-{part}-{number:04}.npz").exists():
        return number
    if until and time.time() > until:
        return None
    piece(work, part, number, rows, texts)
    return number


def pieces(phrases, part, count):
    """The phrases of each piece, as places in the part."""
    if part != "train":
        rows = numpy.arange(len(phrases[part]))
        return [rows[start:start + PIECE].tolist() for start in range(0, len(rows), PIECE)]
    names = numpy.array(phrases["names"])
    others = numpy.setdiff1d(numpy.arange(len(phrases[part])), names)
    chance = numpy.random.default_rng(SEED)
    again = numpy.concatenate([chance.permutation(names) for _ in range(-(-count * NAMES // len(names)))])
    others = numpy.resize(chance.permutation(others), count * (PIECE - NAMES))
    return [[*again[at * NAMES:(at + 1) * NAMES].tolist(), *others[at * (PIECE - NAMES):(at + 1) * (PIECE - NAMES)].tolist()] for at in range(count)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("part", choices=("train", "validation"))
    parser.add_argument("--pieces", type=int, default=400)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    phrases, until = json.loads((given.work / "phrases.json").read_text()), time.time() + given.seconds if given.seconds else None
    jobs = [(given.work, given.part, number, rows, [phrases[given.part][row] for row in rows])
            for number, rows in enumerate(pieces(phrases, given.part, given.pieces))]
    with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
        done = [number for number in pool.imap_unordered(functools.partial(begin, until=until), jobs) if number is not None]
    print(given.part, len(done), "pieces", flush=True)


if __name__ == "__main__":
    main()

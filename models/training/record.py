"""Speak the phrases: what the voices say, spoiled, as frames.

usage: record.py WORK PART COUNT

PART is a part of phrases.json. Writes WORK/spoken-PART-NUMBER.npz for every 1,000 sounds: `frames` (float16, one sound
after another, [frames, bins]), `ends` (where each ends), `phrase` (its number), `voice`, `phones` and `phone_ends`.
The first 1,000 phrases of `train` are in the first file, and so on; from file 900 on are CLDR's names and keywords once more.
"""

import json
import pathlib
import sys

import numpy

import concepts
import voices
from distort import spoiled
from hearing import frames, resampled

PIECE = 1000
SEED = 22
LONGEST = 8.5  # seconds
NAMES = 900  # the first piece of names and keywords
RECORDED = 24  # from this piece on mostly voices that were made out of a speaker's recordings, at other pitches, other sizes of head


def choose(chance, part, recorded):
    """A voice, as (engine, voice)."""
    if part != "train":
        return tuple(voices.HELD_OUT[chance.integers(len(voices.HELD_OUT))].split(":"))
    draw = chance.random() * (0.62 if recorded else 1) + (0.4 if recorded else 0)
    if draw < 0.52:
        while True:
            accent, variant = chance.choice(voices.ACCENTS), chance.choice(voices.VARIANTS)
            voice = f"{accent}+{variant}" if variant else accent
            if f"espeak:{voice}" not in voices.HELD_OUT:
                return "espeak", voice
    if draw < 0.93:
        return "flite", chance.choice(voices.FLITE, p=[0.3, 0.35, 0.35])
    return "festival", chance.choice(voices.FESTIVAL)


def spoken(chance, espeak, flite, engine, voice, text, recorded):
    if engine == "espeak":
        return espeak.speak(voice, text, int(chance.integers(130, 215)), int(chance.integers(20, 85)))
    pitch = float(numpy.exp(chance.uniform(numpy.log(75), numpy.log(260)))) if recorded and voice != "rms" else None
    return flite.speak(voice, text, float(chance.uniform(0.85, 1.3)), pitch)


def piece(work, part, number, rows, texts, espeak, flite):
    chance = numpy.random.default_rng([SEED, number, len(part)])
    recorded = part == "train" and RECORDED <= number < NAMES
    wanted = [choose(chance, part, recorded) for _ in texts]
    made = [spoken(chance, espeak, flite, engine, voice, text, recorded) if engine != "festival" else None
            for (engine, voice), text in zip(wanted, texts)]
    for own in {voice for engine, voice in wanted if engine == "festival"}:
        by = [at for at, (_, voice) in enumerate(wanted) if voice == own]
        for at, sound in zip(by, voices.festival(own, [texts[at] for at in by])):
            made[at] = sound
    kept, sounds, phones = [], [], []
    for at, (samples, rate) in enumerate(made):
        if not 0.15 < len(samples) / rate < LONGEST:
            continue
        clean = part != "train" and at % 2 == 0
        heard = resampled(samples, rate) if clean else spoiled(chance, samples, rate, stretch=(0.12 if recorded else 0.07) * (part == "train"))
        kept.append(at)
        sounds.append(frames(heard).astype(numpy.float16))
        phones.append(espeak.phones(texts[at]))
    target = work / f"spoken-{part}-{number:03}.npz"
    numpy.savez(target.with_suffix(".part.npz"), frames=numpy.concatenate(sounds), ends=numpy.cumsum([len(own) for own in sounds]),
                phrase=numpy.array(rows)[kept], voice=numpy.array([":".join(wanted[at]) for at in kept]),
                phones=numpy.concatenate(phones).astype(numpy.uint8), phone_ends=numpy.cumsum([len(own) for own in phones]))
    target.with_suffix(".part.npz").rename(target)


def main(work, part, count):
    work, count = pathlib.Path(work), int(count)
    texts = json.loads((work / "phrases.json").read_text())[part]
    pieces = {start // PIECE: list(range(start, min(start + PIECE, count, len(texts)))) for start in range(0, min(count, len(texts)), PIECE)}
    if part == "train":
        known = concepts.read(work)
        wanted = {concept.name for concept in known} | {word for concept in known for word in concept.keywords}
        again = [at for at, text in enumerate(texts) if text in wanted]
        pieces |= {NAMES + start // PIECE: again[start:start + PIECE] for start in range(0, len(again), PIECE)}
    espeak, flite = voices.Espeak(), voices.Flite()
    for number, rows in pieces.items():
        if not (work / f"spoken-{part}-{number:03}.npz").exists():
            piece(work, part, number, rows, [texts[at] for at in rows], espeak, flite)
            print(part, number, flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])

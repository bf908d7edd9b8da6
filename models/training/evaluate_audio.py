"""Measure the audio tower of the default pack and print the tables of its model card.

usage: evaluate_audio.py WORK TEXT_TOWER TOWERS_DIR

Voices and phrases (held_out.json) were never trained on. Speech is made on the spot with espeak-ng, flite and festival; where these are
not installed, it says so and ends. WORK is where the drawings are that spoken names are to find.
"""

import ctypes.util
import json
import pathlib
import shutil
import sys
import time

import numpy

import concepts
import evaluation_set
import sources
from distort import spoiled
from evaluate import row, table
from hearing import RATE, resampled
from image_tower import ImageTower
from measures import cosines, ranks, recall
from texts import Tower

SEED = 28
NEEDED = "apt-get install espeak-ng flite festival festvox-kdlpc16k"
EACH = 8  # sounds of each name


def missing():
    libraries = [name for name in ("espeak-ng", "flite", "flite_cmu_us_awb") if ctypes.util.find_library(name) is None]
    return libraries + ([] if shutil.which("festival") else ["festival"])


class Speakers:
    """The held-out voices, each text by the next of them."""

    def __init__(self):
        import voices
        self.names, self.festival = voices.HELD_OUT, voices.festival
        self.engines = {"espeak": voices.Espeak(), "flite": voices.Flite()}

    def say(self, texts, only=None):
        """([samples at RATE], [voice])."""
        names = [only or self.names[at % len(self.names)] for at in range(len(texts))]
        made = [None] * len(texts)
        for engine, voice in [name.split(":") for name in dict.fromkeys(names)]:
            rows = [at for at, name in enumerate(names) if name == f"{engine}:{voice}"]
            if engine == "festival":
                spoken = self.festival(voice, [texts[at] for at in rows])
            else:
                spoken = [self.engines[engine].speak(voice, texts[at]) for at in rows]
            for at, (samples, rate) in zip(rows, spoken):
                made[at] = resampled(samples, rate)
        return made, names


def spoil(sounds):
    return [spoiled(numpy.random.default_rng([SEED, at]), samples, RATE, stretch=0.0) for at, samples in enumerate(sounds)]


def phrases(audio, tower, speakers, texts):
    table("Spoken phrase finds its text among 1,000 (voice and phrase never heard)", "phrases", "@1", "@10", "text to sound @1", "@10")
    wanted = tower.embed(texts)
    sounds, names = speakers.say(texts)
    names = numpy.array(names)

    def line(label, vectors, own):
        scores = cosines(vectors, wanted)
        there = ranks(scores, numpy.arange(len(texts)))[own]
        back = ranks(scores.T, numpy.arange(len(texts)))[own]
        row(label, f"{own.sum()}", recall(there, 1), recall(there, 10), recall(back, 1), recall(back, 10))

    made = audio.embed(sounds)
    line("all", made, numpy.ones(len(texts), dtype=bool))
    for name in dict.fromkeys(names):
        line(name, made, names == name)
    short = numpy.array([len(text.split()) for text in texts])
    for low, high in ((3, 4), (5, 6), (7, 10)):
        line(f"{low} to {high} words", made, (short >= low) & (short <= high))
    bad = audio.embed(spoil(sounds))
    line("spoiled: rooms, noise, telephones", bad, numpy.ones(len(texts), dtype=bool))
    return wanted, made, sounds


def names_to_pictures(audio, tower, speakers, image, known, work, held):
    """Names of emoji, spoken, find OpenMoji's drawing of them."""
    table("Spoken name finds its picture (OpenMoji)", "names", "@1", "@10", "the same, typed @1", "@10")
    style = next(style for style in sources.STYLES if style.role == "test")
    found = evaluation_set.style(work, known, style.name, style.role)
    pictures = image.embed([evaluation_set.on_white(cutout) for cutout in found.images])
    own = numpy.array([not known[at].held_out for at in found.concepts])
    shown, pictures = found.concepts[own], pictures[own]
    names = [known[at].name for at in shown]
    spoken, _ = speakers.say([name.replace(":", " ") for name in names])
    there = ranks(cosines(audio.embed(spoken), pictures), numpy.arange(len(shown)))
    typed = ranks(cosines(tower.embed(names), pictures), numpy.arange(len(shown)))
    groups = {"all": numpy.ones(len(shown), dtype=bool), "phrase never heard": numpy.array([name in held for name in names]),
              "one word": numpy.array([len(name.split()) == 1 for name in names]),
              "no flags": numpy.array([known[at].group != "flags" for at in shown])}
    for label, own in groups.items():
        row(label, f"{own.sum()}", recall(there[own], 1), recall(there[own], 10), recall(typed[own], 1), recall(typed[own], 10))


def named_sounds(audio, tower, texts):
    from sounds import SOUNDS
    table("Named sound finds its name among 43 names and 1,000 phrases", "sounds", "@1", "@10", "its name finds it @1")
    makers = [maker for _, maker in SOUNDS.values()]
    names = [phrases[0] for phrases, _ in SOUNDS.values()]
    all_texts, least = numpy.concatenate([tower.embed(names), texts]), []
    for label, change in (("clean", lambda sounds: sounds), ("spoiled", spoil)):
        sounds = [makers[at % len(makers)](numpy.random.default_rng([SEED, at])) for at in range(EACH * len(makers))]
        vectors = audio.embed(change(sounds))
        right = numpy.arange(len(vectors)) % len(makers)
        there = ranks(cosines(vectors, all_texts), right)
        best = cosines(vectors, all_texts[:len(names)]).argmax(0)
        row(label, f"{len(vectors)}", recall(there, 1), recall(there, 10), float((best % len(names) == numpy.arange(len(names))).mean()))
        worst = sorted((recall(there[right == at], 1), name) for at, name in enumerate(names))[:6]
        least.append(f"{label}: {', '.join(f'{name} {share:.2f}' for share, name in worst)}")
    print(f"\nLeast often first, {'; '.join(least)}.")


def nothings(audio, texts, spoken):
    from sounds import nothing
    table("Sounds of nothing, against 1,000 phrases: the greatest cosine", "sounds", "middle", "largest", "share below 0.3")
    chance = numpy.random.default_rng(SEED)
    cases = {"silence, noise, hum, clicks": [nothing(numpy.random.default_rng([SEED, at])) for at in range(200)],
             "digital silence": [numpy.zeros(RATE * 2)],
             "white noise of all lengths": [chance.standard_normal(int(RATE * seconds)) * 0.1 for seconds in numpy.linspace(0.1, 20, 30)]}
    cases["phrases of held-out voices, backwards"] = [samples[::-1] for samples in spoken[:200]]
    for label, sounds in cases.items():
        greatest = cosines(audio.embed(sounds), texts).max(1)
        row(label, f"{len(greatest)}", float(numpy.median(greatest)), float(greatest.max()), float((greatest < 0.3).mean()))


def distribution(texts, made):
    table("Cosines", "5 %", "middle", "95 %")
    other = numpy.random.default_rng(SEED).permutation(len(texts))
    for label, values in (("spoken phrase and its text", (made[:, :384] * texts).sum(1)), ("spoken phrase and another text", (made[:, :384] * texts[other]).sum(1)),
                          ("phrase and another phrase", (texts * texts[other]).sum(1))):
        row(label, *[float(value) for value in numpy.percentile(values, [5, 50, 95])])


def pace(audio):
    samples = numpy.random.default_rng(SEED).standard_normal(3 * RATE) * 0.1
    audio.embed([samples])
    start = time.process_time()
    audio.embed([samples] * 50)
    table("Three seconds of sound, one thread, alone", "milliseconds of processor time")
    row("features and network", (time.process_time() - start) * 20)


def main(work, text_folder, towers):
    if missing():
        print(f"\nThe audio tower is not measured: {', '.join(missing())} not found. On Debian: {NEEDED}")
        return
    work, tower, towers = pathlib.Path(work), Tower(text_folder), pathlib.Path(towers)
    from audio_tower import AudioTower
    held = json.loads((pathlib.Path(__file__).parent / "held_out.json").read_text())
    audio, speakers = AudioTower(towers / "audio"), Speakers()
    texts, made, spoken = phrases(audio, tower, speakers, held["phrases"])
    named_sounds(audio, tower, texts)
    nothings(audio, texts, spoken)
    distribution(texts, made)
    pace(audio)
    sources.fetch(work)
    names_to_pictures(audio, tower, speakers, ImageTower(towers / "image"), concepts.read(work), work, set(held["names"]))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])

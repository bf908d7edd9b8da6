"""Make the sounds of the demo collection: named sounds, and phrases by voices that the audio tower never heard. Needs lame.

usage: demo_sounds.py FOLDER
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy
from scipy.io import wavfile

import voices
from hearing import RATE, resampled
from sounds import SOUNDS

SEED = 29
NAMED = ["bell", "siren", "rain", "engine", "knocking", "thunder", "bird song", "ticking clock", "guitar", "barking"]
SAID = {"flite:awb": ["a hunter of whales on a sailing ship"],
        "espeak:en-us+m5": ["a cup of hot tea in the morning", "new shoes for running", "fresh bread and cheese"],
        "espeak:en-us+Annie": ["a warm jacket for the winter", "music for the guitar", "a slice of pizza", "a tent for two people in the mountains"]}


def write(target, samples):
    samples = samples[:4 * RATE] * (0.8 / numpy.abs(samples).max())
    with tempfile.NamedTemporaryFile(suffix=".wav") as plain:
        wavfile.write(plain.name, RATE, (samples * 32767).astype(numpy.int16))
        subprocess.run(["lame", "--quiet", "-m", "m", "-b", "32", plain.name, str(target)], check=True)


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for at, name in enumerate(NAMED):
        write(folder / f"{name.replace(' ', '-')}.mp3", SOUNDS[name][1](numpy.random.default_rng([SEED, at])))
    speakers = {"flite": voices.Flite(), "espeak": voices.Espeak()}
    for voice, texts in SAID.items():
        engine, name = voice.split(":")
        for text in texts:
            write(folder / f"said-{text.replace(' ', '-')}.mp3", resampled(*speakers[engine].speak(name, text)))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])

"""Voices that speak: espeak-ng, flite and festival, all from Debian's main archive, called in process where they can be; more are in
`recorded_voices.py`.

A voice's name is ENGINE:VOICE. Whole voices are held out: nothing that they say is trained on. `phones` gives what every
voice is taken to have said: espeak-ng's phonemes of American English, without stress and length.
"""

import ctypes
import pathlib
import subprocess
import tempfile

import numpy
from scipy.io import wavfile

ACCENTS = ["en-us"] * 6 + ["en-us-nyc", "en", "en-gb-x-rp", "en-gb-scotland", "en-029", "en-gb-x-gbclan"]
VARIANTS = ["", "Alex", "Alicia", "Andrea", "Andy", "Denis", "Diogo", "Gene", "Gene2", "Henrique", "Hugo", "Jacky", "Lee", "Marco", "Mario",
            "Michael", "Mike", "Nguyen", "adam", "anika", "announcer", "aunty", "belinda", "benjamin", "boris", "caleb",
            "david", "ed", "edward", "f1", "f2", "f3", "f5", "grandma", "gustave", "iven", "iven2", "iven3", "john",
            "klatt", "klatt2", "klatt3", "linda", "m1", "m2", "m3", "m4", "m6", "m7", "marcelo", "max", "michel", "miguel", "norbert",
            "pablo", "paul", "pedro", "quincy", "rob", "robert", "sandro", "shelby", "steph", "travis", "victor", "zac"]
FLITE = ["kal16", "rms", "slt"]
HELD_OUT = ["flite:awb", "festival:ked_diphone", "espeak:en-us+Annie", "espeak:en-us+m5", "espeak:en-us+f4", "espeak:en+antonio",
            "espeak:en-us+klatt4", "espeak:en-us+steph2"]

CONSONANTS = "p b t d k ɡ f v θ ð s z ʃ ʒ h m n ŋ l ɹ j w tʃ dʒ".split()
VOWELS = "i ɪ ɛ æ ɑ ɔ ʊ u ʌ ə ɚ eɪ aɪ ɔɪ aʊ oʊ".split()
PHONES = CONSONANTS + VOWELS  # number 0 is CTC's blank, so a phone's number is its place here and one
LONGEST = 160  # phones that are read of one sound
NUMBER = {phone: at + 1 for at, phone in enumerate(PHONES)}
SAME = {"ɾ": ["t"], "ɐ": ["ə"], "ᵻ": ["ɪ"], "ɜ": ["ɚ"], "aɪɚ": ["aɪ", "ɚ"], "aɪə": ["aɪ", "ə"], "əl": ["ə", "l"], "n̩": ["ə", "n"], "ʔ": ["t"],
        "a": ["æ"], "e": ["ɛ"], "o": ["oʊ"], "iə": ["i", "ə"], "x": ["k"], "ɬ": ["l"], "ɒ": ["ɑ"], "r": ["ɹ"], "g": ["ɡ"],
        "ɑ̃": ["ɑ", "n"], "ɔ̃": ["ɔ", "n"], "ɛ̃": ["æ", "n"], "ç": ["h"], "ʍ": ["w"], "əʊ": ["oʊ"], "ɪə": ["ɪ", "ɹ"], "ʊɹ": ["ʊ", "ɹ"]}


class Espeak:
    """libespeak-ng, synchronous, into memory."""

    RETRIEVAL_SYNCHRONOUS, RATE, PITCH, UTF8 = 2, 1, 3, 1

    def __init__(self):
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        self.rate = self.library.espeak_Initialize(self.RETRIEVAL_SYNCHRONOUS, 0, None, 0)
        self.heard = []
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self.callback = kind(self.collect)
        self.library.espeak_SetSynthCallback(self.callback)
        self.library.espeak_TextToPhonemes.restype = ctypes.c_char_p

    def collect(self, samples, count, _events):
        if samples and count > 0:
            self.heard.append(numpy.ctypeslib.as_array(samples, (count,)).astype(numpy.float32) / 32768)
        return 0

    def speak(self, voice, text, speed=175, pitch=50):
        """(samples, rate); speed in words a minute, pitch from 0 to 99."""
        if self.library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice}")
        self.library.espeak_SetParameter(self.RATE, speed, 0)
        self.library.espeak_SetParameter(self.PITCH, pitch, 0)
        self.heard, data = [], text.encode()
        self.library.espeak_Synth(data, len(data) + 1, 0, 0, 0, self.UTF8, None, None)
        self.library.espeak_Synchronize()
        return numpy.concatenate(self.heard or [numpy.zeros(1, numpy.float32)]), self.rate

    def phones(self, text):
        """Numbers of PHONES."""
        self.library.espeak_SetVoiceByName(b"en-us")
        data, found = ctypes.create_string_buffer(text.encode()), []
        place = ctypes.c_void_p(ctypes.addressof(data))
        while place.value:
            clause = self.library.espeak_TextToPhonemes(ctypes.byref(place), self.UTF8, 0x02 | ord("_") << 8)
            for piece in clause.decode().replace(" ", "_").split("_"):
                plain = piece.translate({ord(mark): None for mark in "ˈˌːˑ-()"})
                for phone in [plain] if plain in NUMBER else SAME.get(plain) or list(plain):
                    if phone in NUMBER:
                        found.append(NUMBER[phone])
        return found


class Wave(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_char_p), ("rate", ctypes.c_int), ("count", ctypes.c_int), ("channels", ctypes.c_int),
                ("samples", ctypes.POINTER(ctypes.c_short))]


class Flite:
    """libflite and its voices."""

    def __init__(self):
        self.library = ctypes.CDLL("libflite.so.1", mode=ctypes.RTLD_GLOBAL)
        for needed in ("usenglish", "cmulex"):
            ctypes.CDLL(f"libflite_{needed}.so.1", mode=ctypes.RTLD_GLOBAL)
        self.library.flite_init()
        self.library.flite_text_to_wave.restype = ctypes.POINTER(Wave)
        self.library.flite_text_to_wave.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
        self.library.delete_wave.argtypes = [ctypes.POINTER(Wave)]
        self.library.flite_feat_set_float.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_float]
        self.voices = {}

    def voice(self, name):
        if name not in self.voices:
            library = ctypes.CDLL(f"libflite_cmu_us_{name}.so.1", mode=ctypes.RTLD_GLOBAL)
            register = getattr(library, f"register_cmu_us_{name}")
            register.restype = ctypes.c_void_p
            self.voices[name] = register(None)
        return self.voices[name]

    def speak(self, voice, text, stretch=1.0, pitch=None):
        """(samples, rate); a stretch above one is slower; pitch is the mean in hertz, the voice's own where it is None."""
        voice = self.voice(voice)
        features = ctypes.cast(voice, ctypes.POINTER(ctypes.c_void_p))[1]  # cst_voice is {name, features, ...}
        self.library.flite_feat_set_float(features, b"duration_stretch", stretch)
        if pitch is not None:
            self.library.flite_feat_set_float(features, b"int_f0_target_mean", pitch)
        wave = self.library.flite_text_to_wave(text.encode("ascii", "ignore"), voice)
        samples = numpy.ctypeslib.as_array(wave.contents.samples, (max(wave.contents.count, 1),)).astype(numpy.float32) / 32768
        rate = wave.contents.rate
        self.library.delete_wave(wave)
        return samples, rate


def festival(voice, texts):
    """[(samples, rate)] of many texts at once."""
    with tempfile.TemporaryDirectory() as folder:
        lines = [f"(voice_{voice})"]
        for at, text in enumerate(texts):
            plain = text.encode("ascii", "ignore").decode().replace('"', " ").replace("\\", " ")
            lines.append(f'(utt.save.wave (utt.synth (Utterance Text "{plain}")) "{folder}/{at}.wav" \'riff)')
        script = pathlib.Path(folder) / "say.scm"
        script.write_text("\n".join(lines))
        subprocess.run(["festival", "-b", str(script)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        made = []
        for at in range(len(texts)):
            rate, samples = wavfile.read(f"{folder}/{at}.wav")
            made.append((samples.astype(numpy.float32) / 32768, rate))
        return made

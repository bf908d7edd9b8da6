"""Voices that were made from speakers' recordings: RHVoice (statistical) and SVOX Pico, from Debian's non-free archive, called in process.

Both engines are free (LGPL-2.1+, Apache-2.0); Debian keeps them apart because the voices cannot be made again from what is published.
Of RHVoice's English voices, evgeniy-eng and lyubov may not be used commercially and are never used. alan is not either: it is the
speaker of the held-out voice awb, nor slt, whom flite has. More in `voices.py`.
"""

import ctypes
import pathlib
import tempfile

import numpy

RHVOICE = ["bdl", "clb"]
PICO = {"en-US": "lh0", "en-GB": "kh0"}


class Callbacks(ctypes.Structure):
    RATE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
    SPEECH = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_uint, ctypes.c_void_p)
    _fields_ = [("rate", RATE), ("speech", SPEECH), ("unused", ctypes.c_void_p * 7)]


class Beginning(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("configuration", ctypes.c_char_p), ("resources", ctypes.c_void_p),
                ("callbacks", Callbacks), ("options", ctypes.c_uint)]


class Manner(ctypes.Structure):
    _fields_ = [("profile", ctypes.c_char_p)] + [(name, ctypes.c_double) for name in
                ("rate", "pitch", "volume", "relative_rate", "relative_pitch", "relative_volume")] \
        + [("punctuation", ctypes.c_int), ("marks", ctypes.c_char_p), ("capitals", ctypes.c_int), ("flags", ctypes.c_int)]


class RHVoice:
    """libRHVoice, at 16 kHz."""

    def __init__(self, data=b"/usr/share/RHVoice"):
        self.configuration = tempfile.TemporaryDirectory()
        (pathlib.Path(self.configuration.name) / "RHVoice.conf").write_text("quality=min\n")
        self.library = ctypes.CDLL("libRHVoice.so.5")
        self.library.RHVoice_new_tts_engine.restype = ctypes.c_void_p
        self.library.RHVoice_new_message.restype = ctypes.c_void_p
        self.library.RHVoice_new_message.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint, ctypes.c_int,
                                                     ctypes.POINTER(Manner), ctypes.c_void_p]
        self.library.RHVoice_speak.argtypes = self.library.RHVoice_delete_message.argtypes = [ctypes.c_void_p]
        self.rate, self.heard = 16_000, []
        self.callbacks = Callbacks(Callbacks.RATE(self.hear_rate), Callbacks.SPEECH(self.collect))
        self.engine = self.library.RHVoice_new_tts_engine(ctypes.byref(Beginning(data, self.configuration.name.encode(), None, self.callbacks, 0)))
        if not self.engine:
            raise ValueError(f"RHVoice finds no voices in {data.decode()}")

    def hear_rate(self, rate, _data):
        self.rate = rate
        return 1

    def collect(self, samples, count, _data):
        self.heard.append(numpy.ctypeslib.as_array(samples, (count,)).astype(numpy.float32) / 32768)
        return 1

    def speak(self, voice, text, rate=0.0, pitch=0.0):
        """(samples, rate); rate and pitch from -1 to 1, 0 is the voice's own."""
        data, self.heard = text.encode(), []
        manner = Manner(voice.encode(), rate, pitch, 0.0, 1.0, 1.0, 1.0, 0, None, 0, 0)
        message = self.library.RHVoice_new_message(self.engine, data, len(data), 0, ctypes.byref(manner), None)
        if message:
            self.library.RHVoice_speak(message)
            self.library.RHVoice_delete_message(message)
        return numpy.concatenate(self.heard or [numpy.zeros(1, numpy.float32)]), self.rate


class Pico:
    """One voice of libttspico, at 16 kHz."""

    RATE, BUSY, MEMORY = 16_000, 201, 3_000_000

    def __init__(self, voice, data="/usr/share/pico/lang"):
        self.library, name = ctypes.CDLL("libttspico.so.0"), voice.encode()
        self.memory, self.system, self.engine = ctypes.create_string_buffer(self.MEMORY), ctypes.c_void_p(), ctypes.c_void_p()
        self.call("initialize", self.memory, ctypes.c_uint32(self.MEMORY), ctypes.byref(self.system))
        self.call("createVoiceDefinition", self.system, name)
        for part in ("ta", f"{PICO[voice]}_sg"):
            resource, own = ctypes.c_void_p(), ctypes.create_string_buffer(200)
            self.call("loadResource", self.system, f"{data}/{voice}_{part}.bin".encode(), ctypes.byref(resource))
            self.call("getResourceName", self.system, resource, own)
            self.call("addResourceToVoiceDefinition", self.system, name, own)
        self.call("newEngine", self.system, name, ctypes.byref(self.engine))

    def call(self, name, *given):
        status = getattr(self.library, f"pico_{name}")(*given)
        if status != 0:
            raise ValueError(f"SVOX Pico answers {status} to {name}")

    def speak(self, text, speed=100, pitch=100):
        """(samples, rate); speed and pitch in hundredths of the voice's own: 20 to 500, 50 to 200."""
        data, heard, put = f'<speed level="{speed}"><pitch level="{pitch}">{text}</pitch></speed>'.encode() + b"\0", [], 0
        room, count, kind = ctypes.create_string_buffer(4096), ctypes.c_int16(), ctypes.c_int16()
        while put < len(data):
            piece = data[put:]
            self.call("putTextUtf8", self.engine, piece, ctypes.c_int16(len(piece)), ctypes.byref(count))
            put, status = put + count.value, self.BUSY
            while status == self.BUSY:
                status = self.library.pico_getData(self.engine, room, ctypes.c_int16(len(room)), ctypes.byref(count), ctypes.byref(kind))
                if count.value > 0:
                    heard.append(numpy.frombuffer(room.raw[:count.value], dtype=numpy.int16).astype(numpy.float32) / 32768)
        return numpy.concatenate(heard or [numpy.zeros(1, numpy.float32)]), self.RATE

"""The audio tower as the engine runs it: features of at most eight windows, ONNX Runtime, and the mean of the windows."""

import pathlib

import numpy
import onnxruntime

from hearing import RATE, SECONDS, frames, window
from texts import unit

WINDOWS = 8


def windows(samples):
    """Where the windows of a sound begin: as few as cover it, evenly from its beginning to its end."""
    size = SECONDS * RATE
    rest = len(samples) - size
    if rest <= 0:
        return [samples]
    count = min(max(-(-len(samples) // size), 2), WINDOWS)
    return [samples[rest * at // (count - 1):][:size] for at in range(count)]


class AudioTower:
    """One tower's folder: onnx/model.onnx. Sounds come as samples at RATE."""

    def __init__(self, folder, threads=1):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(pathlib.Path(folder) / "onnx/model.onnx"), options)

    def embed_frames(self, own):
        return self.session.run(["audio_embeds"], {"input_features": window(own)[None]})[0][0]

    def embed(self, sounds):
        """[sounds, dimensions] float32, each of length one."""
        made = [unit(numpy.stack([self.embed_frames(frames(part)) for part in windows(samples)])).mean(0) for samples in sounds]
        return unit(numpy.stack(made))

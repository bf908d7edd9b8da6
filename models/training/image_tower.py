"""The image tower as the engine runs it: Pillow's resize, centre crop, normalisation, ONNX Runtime."""

import json
import pathlib

import numpy
import onnxruntime
from PIL import Image

from texts import unit


class ImageTower:
    """One tower's folder: preprocessor_config.json and onnx/model.onnx."""

    def __init__(self, folder, threads=1):
        folder = pathlib.Path(folder)
        self.config = json.loads((folder / "preprocessor_config.json").read_text())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(folder / "onnx/model.onnx"), options)

    def prepare(self, image):
        """[3, height, width] float32, in the order of steps of CLIPImageProcessor."""
        image = image.convert("RGB")
        shortest, crop = self.config["size"]["shortest_edge"], self.config["crop_size"]
        scale = shortest / min(image.size)
        size = tuple(shortest if side == min(image.size) else int(side * scale) for side in image.size)
        image = image.resize(size, Image.Resampling(self.config["resample"]))
        left, top = (image.width - crop["width"]) // 2, (image.height - crop["height"]) // 2
        image = image.crop((left, top, left + crop["width"], top + crop["height"]))
        values = numpy.asarray(image, dtype=numpy.float32) * numpy.float32(self.config["rescale_factor"])
        values = (values - numpy.float32(self.config["image_mean"])) / numpy.float32(self.config["image_std"])
        return values.transpose(2, 0, 1)

    def embed(self, images, batch=32):
        """[images, dimensions] float32, each of length one."""
        made = []
        for start in range(0, len(images), batch):
            pixels = numpy.stack([self.prepare(image) for image in images[start:start + batch]])
            made.append(self.session.run(["image_embeds"], {"pixel_values": pixels})[0])
        return unit(numpy.concatenate(made))

"""Make photograph-like JPEG files of 12 megapixels, or embed such files with Pillow and ONNX Runtime.

usage: picture.py make FOLDER COUNT full|halved
       picture.py embed FOLDER TOWER

`embed` prints pictures per second, loading left out. TOWER is a pack's folder of one image tower whose
preprocessor_config.json is a CLIPImageProcessor's; the steps are those of transformers' Pillow backend.
"""

import json
import pathlib
import sys
import time

import numpy
import onnxruntime
from PIL import Image

WIDTH, HEIGHT = 4000, 3000


def make(folder, count, chroma):
    """Write pictures of soft shapes with fine grain, as cameras do: quality 85, chroma at full size or halved both ways."""
    for at in range(count):
        source = numpy.random.default_rng(at)
        coarse = source.integers(0, 256, (12, 16, 3), dtype=numpy.uint8)
        soft = numpy.asarray(Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), dtype=numpy.int16)
        grain = source.normal(0, 6, (HEIGHT, WIDTH, 1)).astype(numpy.int16)
        picture = Image.fromarray(numpy.clip(soft + grain, 0, 255).astype(numpy.uint8))
        picture.save(folder / f"{at}.jpg", quality=85, subsampling={"full": 0, "halved": 2}[chroma])


def pixels(path, config):
    """Decode and preprocess one file: float32 [1, 3, height, width]."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    short = config["size"]["shortest_edge"]
    scale = short / min(picture.size)
    size = tuple(short if side == min(picture.size) else int(side * scale) for side in picture.size)
    picture = picture.resize(size, config["resample"])
    height, width = config["crop_size"]["height"], config["crop_size"]["width"]
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    values = numpy.asarray(picture.crop((left, top, left + width, top + height)), dtype=numpy.float32)
    values = values * numpy.float32(config["rescale_factor"])
    values = (values - numpy.float32(config["image_mean"])) / numpy.float32(config["image_std"])
    return numpy.ascontiguousarray(values.transpose(2, 0, 1))[None]


def embed(folder, tower):
    """Print how many files of a folder are embedded in a second."""
    config = json.loads((tower / "preprocessor_config.json").read_text())
    session = onnxruntime.InferenceSession(str(tower / "onnx/model.onnx"), providers=["CPUExecutionProvider"])
    files = sorted(folder.glob("*.jpg"))
    session.run(None, {"pixel_values": pixels(files[0], config)})
    begun = time.perf_counter()
    for path in files:
        vector = session.run(None, {"pixel_values": pixels(path, config)})[0]
        vector / numpy.linalg.norm(vector)
    print(len(files) / (time.perf_counter() - begun))


def main(mode, folder, *rest):
    if mode == "make":
        make(pathlib.Path(folder), int(rest[0]), rest[1])
    else:
        embed(pathlib.Path(folder), pathlib.Path(rest[0]))


if len(sys.argv) != {"make": 5, "embed": 4}.get(sys.argv[1] if len(sys.argv) > 1 else ""):
    sys.exit(__doc__)
main(*sys.argv[1:])

"""Decode, resize and preprocess pictures with Pillow, `transformers` and torchvision: what crates/embed is held to.

usage: image_reference.py OUTPUT

Writes to the folder OUTPUT: a file for each picture of pictures.py, a folder with a preprocessor_config.json for each
processor, values.bin with all expected bytes and little-endian float32 numbers, and cases.json, which says what lies where.
Runs in a virtual environment with the packages of requirements.txt; nothing is downloaded. Takes about ten seconds.

The reference classes are the Pillow variants of `transformers` (they differ from the ones for tensors by up to one tone),
and for jina-clip and ImageBind the torchvision steps that their own code composes.
"""

import io
import json
import os
import pathlib
import sys
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
warnings.filterwarnings("ignore")

import numpy
from PIL import Image, ImageOps
from torchvision import transforms
from torchvision.transforms import functional
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

import pictures

CLIP = {"mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]}
NORMALISED = {"image_mean": CLIP["mean"], "image_std": CLIP["std"]}
HALVES = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}

# Folder, class of `transformers` or None, and the file's keys.
PROCESSORS = [
    ("clip", CLIPImageProcessorPil, {"image_processor_type": "CLIPImageProcessor"}),
    ("clip_old", CLIPImageProcessorPil, {
        "feature_extractor_type": "CLIPFeatureExtractor", "size": 40, "crop_size": 40, "do_center_crop": True,
        "do_normalize": True, "do_resize": True, "resample": 3, **NORMALISED}),
    ("clip_odd", CLIPImageProcessorPil, {
        "image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 31}, "resample": 1,
        "crop_size": {"height": 40, "width": 27}, "rescale_factor": 0.00392156862745098, **NORMALISED}),
    ("clip_plain", CLIPImageProcessorPil, {
        "image_processor_type": "CLIPImageProcessorFast", "do_resize": False, "do_rescale": False,
        "do_normalize": False, "crop_size": 33}),
    ("siglip", SiglipImageProcessorPil, {
        "image_processor_type": "SiglipImageProcessor", "size": {"height": 48, "width": 32}, "resample": 3,
        "rescale_factor": 0.00392156862745098, "do_convert_rgb": True, **HALVES}),
    ("siglip2", SiglipImageProcessorPil, {
        "image_processor_type": "SiglipImageProcessor", "size": {"height": 48, "width": 48}, "resample": 2, **HALVES}),
    ("vit", ViTImageProcessorPil, {"image_processor_type": "ViTImageProcessor", "size": 40}),
    ("bit", BitImageProcessorPil, {"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 44},
                                   "crop_size": {"height": 36, "width": 36}}),
    ("convnext", ConvNextImageProcessorPil, {
        "image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 42}, "crop_pct": 0.875}),
    ("jina", None, {"image_processor_type": "JinaCLIPImageProcessor", "size": 48, "interpolation": "bicubic", **CLIP}),
    ("jina_longest", None, {
        "image_processor_type": "JinaCLIPImageProcessor", "size": 48, "resize_mode": "longest",
        "interpolation": "bilinear", "fill_color": 127, **CLIP}),
    ("jina_squash", None, {
        "image_processor_type": "JinaCLIPImageProcessor", "size": 48, "resize_mode": "squash",
        "interpolation": "bicubic", **CLIP}),
    ("imagebind", None, {"image_processor_type": "ImageBindImageProcessor"}),
    ("imagebind_small", None, {"image_processor_type": "ImageBindImageProcessor", "size": 45}),
]
# Processors whose results are large see every twentieth picture.
LARGE = {"clip", "imagebind"}
INTERPOLATION = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


class Values:
    """Numbers one behind the other in one file."""

    def __init__(self, path):
        self.file = open(path, "wb")

    def put(self, array):
        """Append and give the place: first byte and number of bytes."""
        data = numpy.ascontiguousarray(array).tobytes()
        self.file.write(data)
        return [self.file.tell() - len(data), len(data)]


def has_alpha(image):
    """Whether transparency is to be kept, as convert_to_rgb of `transformers` asks."""
    return "A" in image.getbands() or image.info.get("transparency") is not None


def upright(file):
    """The image in a file, turned as its metadata says."""
    image = Image.open(io.BytesIO(file))
    image.load()
    if image.mode in ("I;16", "I;16B"):
        # Converting clips at 255 in Pillow; the high byte is what its 16-bit colour keeps, and what we keep.
        image = Image.fromarray((numpy.array(image).astype(numpy.uint16) >> 8).astype(numpy.uint8))
    return ImageOps.exif_transpose(image)


def decoded(file):
    """The samples that decoding must give: height, width, and 3 or 4 channels."""
    image = upright(file)
    return numpy.array(image.convert("RGBA" if has_alpha(image) else "RGB"))


def keep_ratio(image, side, interpolation):
    """Resize so that the longer side fits: open_clip's ResizeKeepRatio with longest=1."""
    ratio = max(image.height / side, image.width / side)
    size = [max(1, round(length / ratio)) for length in (image.height, image.width)]
    return functional.resize(image, size, interpolation)


def centre(image, side, fill):
    """open_clip's CenterCropOrPad, for images that are not larger."""
    spare = [side - image.width, side - image.height]
    return functional.pad(image, [spare[0] // 2, spare[1] // 2, (spare[0] + 1) // 2, (spare[1] + 1) // 2], fill=fill)


def torchvision_values(image, config):
    """The steps of jina-clip's and ImageBind's own code."""
    image = image.convert("RGB")
    side = config.get("size", 224)
    interpolation = INTERPOLATION[config.get("interpolation", "bicubic")]
    mode = config.get("resize_mode", "shortest")
    if mode == "shortest":
        short, long = sorted(image.size)
        if int(side * long / short) > 20_000:
            return None
        image = transforms.CenterCrop(side)(transforms.Resize(side, interpolation=interpolation)(image))
    elif mode == "squash":
        image = functional.resize(image, [side, side], interpolation)
    else:
        image = centre(keep_ratio(image, side, interpolation), side, config["fill_color"])
    tensor = transforms.functional.to_tensor(image)
    return transforms.functional.normalize(tensor, CLIP["mean"], CLIP["std"]).numpy()


def processed(files, folder, values):
    """Preprocess pictures with every processor."""
    cases = []
    for name, reference, config in PROCESSORS:
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "preprocessor_config.json").write_text(json.dumps(config))
        processor = reference(**config) if reference else None
        for at, (picture, file) in enumerate(files):
            if at % (20 if name in LARGE else 5) != 0:
                continue
            image = upright(file)
            if processor:
                if not processor.do_convert_rgb:
                    # Other modes fail there or lose their palette; ours makes them RGB all the same.
                    image = Image.fromarray(numpy.array(CLIPImageProcessorPil().convert_to_rgb(image)))
                if reference is not SiglipImageProcessorPil and max(image.size) / min(image.size) > 80:
                    continue
                result = processor(image, return_tensors="np")["pixel_values"][0].astype("<f4")
            else:
                result = torchvision_values(image, config)
            if result is not None:
                place = values.put(result.astype("<f4"))
                cases.append({"processor": name, "file": picture, "shape": result.shape, "values": place})
    return cases


def resized(values):
    """Resize pictures with every filter to sizes near and far."""
    cases = []
    sources = [pictures.noise(1, 1), pictures.noise(31, 17), pictures.render(64, 48), pictures.text(90, 40),
               pictures.gradient(3, 120), pictures.noise(257, 5)]
    sizes = [(1, 1), (2, 3), (16, 16), (31, 17), (33, 47), (64, 5), (7, 90), (128, 96), (224, 3)]
    for source in sources:
        height, width = source.shape[:2]
        place = values.put(source)
        for size in sizes:
            for number in range(6):
                result = numpy.array(Image.fromarray(source).resize(size, Image.Resampling(number)))
                cases.append({"source": place, "from": [width, height], "to": size, "filter": number,
                              "samples": values.put(result)})
    return cases


def main(output):
    folder = pathlib.Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    values = Values(folder / "values.bin")
    files = list(pictures.files())
    cases = {"decode": [], "resize": resized(values), "process": processed(files, folder, values)}
    for name, file in files:
        (folder / name).write_bytes(file)
        samples = decoded(file)
        height, width, channels = samples.shape
        cases["decode"].append({"file": name, "width": width, "height": height, "channels": channels,
                                "samples": values.put(samples)})
    values.file.close()
    (folder / "cases.json").write_text(json.dumps(cases))
    print(", ".join(f"{len(list_)} {name}" for name, list_ in cases.items()), "cases written to", folder)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])

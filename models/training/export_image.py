"""Write the trained image tower as an ONNX file with its configuration, ready for the pack.

usage: export_image.py WORK CHECKPOINT TEXT_TOWER TOWER_DIR

Weights are kept as eight-bit integers with a scale for each output, and made float32 when the graph is loaded; all arithmetic is
float32.
"""

import json
import pathlib
import sys

import numpy
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

import concepts
from materials import ATTRIBUTES
from network import LOOKS, MEAN, SIDE, SPACE, STD, Attributes, Tower, Trunk
from places import places
from texts import Tower as Texts
from texts import unit
from train_image import classes

SHARE = 0.97
WAY = 0.3  # how far a colour or a material moves a picture, beside the one of its concept
DOUBT = 3.0  # added to nothing's logit, so that pictures of nothing stay below a cosine of 0.3
SMALL = 4096  # tensors of fewer values stay float32


def narrowed(model):
    """Store every large float32 weight as int8 times a float32 for each row, behind a Cast and a Mul that the runtime folds."""
    nodes = []
    for weight in list(model.graph.initializer):
        if weight.data_type != TensorProto.FLOAT or numpy.prod(weight.dims) < SMALL or len(weight.dims) < 2:
            continue
        name, values = weight.name, numpy_helper.to_array(weight)
        scale = numpy.abs(values).max(tuple(range(1, values.ndim)), keepdims=True).clip(1e-12) / 127
        weight.CopyFrom(numpy_helper.from_array(numpy.rint(values / scale).astype(numpy.int8), f"{name}.int8"))
        model.graph.initializer.append(numpy_helper.from_array(scale.astype(numpy.float32), f"{name}.scale"))
        nodes.append(helper.make_node("Cast", [f"{name}.int8"], [f"{name}.wide"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [f"{name}.wide", f"{name}.scale"], [name]))
    nodes += list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


def configuration(folder):
    """config.json and preprocessor_config.json in the words of the transformers library."""
    config = {"model_type": "vw_image", "image_size": SIDE, "patch_size": 32, "projection_dim": SPACE + LOOKS}
    processor = {"image_processor_type": "CLIPImageProcessor", "do_convert_rgb": True, "do_resize": True,
                 "size": {"shortest_edge": SIDE}, "resample": 3, "do_center_crop": True,
                 "crop_size": {"height": SIDE, "width": SIDE}, "do_rescale": True, "rescale_factor": 1 / 255,
                 "do_normalize": True, "image_mean": list(MEAN), "image_std": list(STD)}
    for name, content in (("config.json", config), ("preprocessor_config.json", processor)):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")


def ways(names, text_tower):
    """How a word for a colour or a material moves a text in the mean, [attributes, SPACE], of length WAY; what all of them do is left out."""
    texts = Texts(text_tower)
    chosen = names[::7]
    moved = numpy.stack([(texts.embed([f"{word} {name}" for name in chosen]) - texts.embed(chosen)).mean(0) for word in ATTRIBUTES])
    moved = WAY * unit(moved - moved.mean(0))
    return torch.from_numpy(numpy.pad(moved, ((0, 0), (0, 1)))).float()


def tower(work, checkpoint, text_tower):
    spots = torch.from_numpy(places(numpy.load(work / "texts.npz")))[[*classes(work), -1]]
    trunk, attributes = Trunk(len(spots)), Attributes(len(ATTRIBUTES) + 1)
    trunk.load_state_dict(torch.load(checkpoint, map_location="cpu")["average"])
    attributes.load_state_dict(torch.load(work / "attributes.pt", map_location="cpu"))
    with torch.no_grad():
        trunk.concepts.bias[-1] += DOUBT
    names = [concept.name for concept in concepts.read(work) if concept.tint is None and concept.group not in ("flags", "symbols")]
    return Tower(trunk, spots, SHARE, attributes, ways(names, text_tower)).eval()


def main(work, checkpoint, text_tower, folder):
    folder = pathlib.Path(folder)
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    target = folder / "onnx/model.onnx"
    example = torch.randn(2, 3, SIDE, SIDE)
    torch.onnx.export(tower(pathlib.Path(work), checkpoint, text_tower), (example,), str(target), dynamo=False, opset_version=17,
                      input_names=["pixel_values"], output_names=["image_embeds"],
                      dynamic_axes={"pixel_values": {0: "batch"}, "image_embeds": {0: "batch"}})
    onnx.save(narrowed(onnx.load(str(target))), str(target))
    configuration(folder)
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])

"""Write the trained audio tower as an ONNX file with its configuration, ready for the pack.

usage: export_audio.py WORK TEXT_TOWER TOWER_DIR

Large weights are kept as int8 with a scale for each row, the vectors of runs as four bits, and made float32 when the graph is loaded; all
arithmetic is float32.
"""

import json
import pathlib
import sys

import numpy
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from audio_network import FOLD, GAP, Tower, sounds_like
from hearing import BINS, FFT, FRAMES, HOP, RATE, SECONDS
from kind_network import Kind
from meaning_network import LEVELS, SPACE, coarse
from places import apart
from sounds import SOUNDS
from texts import Tower as Texts
from texts import unit
from train_hearing import restored as front_of
from train_meaning import restored

SMALL = 1024  # tensors of fewer values stay float32


def rounded(values):
    """(int8, scale of each row): a row is what one output is made of."""
    scale = numpy.maximum(numpy.abs(values.reshape(len(values), -1)).max(1), 1e-12) / 127
    scale = scale.astype(numpy.float32).reshape(-1, *[1] * (values.ndim - 1))
    return numpy.clip(numpy.round(values / scale), -127, 127).astype(numpy.int8), scale


def packed(values, name):
    """(initializers, nodes) of vectors of runs, of which two numbers share a byte: the left half of a row in the low bits."""
    whole, scale = coarse(torch.from_numpy(values))
    whole = (whole + LEVELS + 1).to(torch.uint8).numpy()
    half = whole.shape[1] // 2
    constants = {"bytes": whole[:, :half] + 16 * whole[:, half:], "scale": scale.numpy().astype(numpy.float32),
                 "sixteen": numpy.float32(16), "middle": numpy.float32(LEVELS + 1)}
    steps = [("Cast", ["bytes"], "float", {"to": TensorProto.FLOAT}), ("Div", ["float", "sixteen"], "parts", {}), ("Floor", ["parts"], "high", {}),
             ("Mul", ["high", "sixteen"], "upper", {}), ("Sub", ["float", "upper"], "low", {}), ("Concat", ["low", "high"], "both", {"axis": 1}),
             ("Sub", ["both", "middle"], "whole", {})]
    nodes = [helper.make_node(kind, [f"{name}.{own}" for own in given], [f"{name}.{made}"], **more) for kind, given, made, more in steps]
    nodes.append(helper.make_node("Mul", [f"{name}.whole", f"{name}.scale"], [name]))
    return [numpy_helper.from_array(numpy.asarray(own), f"{name}.{key}") for key, own in constants.items()], nodes


def shrunk(model, runs):
    """Store large float32 weights as int8 behind a Cast and a Mul, `runs` packed, whole numbers as the smallest type that holds them
    behind a Cast."""
    nodes, added, dropped = [], [], []
    for weight in model.graph.initializer:
        values, name = numpy_helper.to_array(weight), weight.name
        if values.size < SMALL:
            continue
        if values.shape == runs.shape:
            more, steps = packed(runs, name)
            added += more
            nodes += steps
            dropped.append(weight)
        elif values.dtype == numpy.float32:
            # MatMul has its outputs in the columns.
            columns = any(node.op_type == "MatMul" and node.input[1] == name for node in model.graph.node)
            whole, scale = rounded(values.T if columns else values)
            if columns:
                whole, scale = numpy.ascontiguousarray(whole.T), scale.T
            weight.CopyFrom(numpy_helper.from_array(whole, f"{name}.int8"))
            added.append(numpy_helper.from_array(numpy.ascontiguousarray(scale), f"{name}.scale"))
            nodes += [helper.make_node("Cast", [f"{name}.int8"], [f"{name}.whole"], to=TensorProto.FLOAT),
                      helper.make_node("Mul", [f"{name}.whole", f"{name}.scale"], [name])]
        elif values.dtype == numpy.int64:
            small = numpy.int16 if numpy.abs(values).max() < 32768 else numpy.int32
            weight.CopyFrom(numpy_helper.from_array(values.astype(small), f"{name}.small"))
            nodes.append(helper.make_node("Cast", [f"{name}.small"], [name], to=TensorProto.INT64))
    for weight in dropped:
        model.graph.initializer.remove(weight)
    model.graph.initializer.extend(added)
    nodes += list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


def configuration(folder):
    """config.json and preprocessor_config.json in the words of the transformers library."""
    config = {"model_type": "vw_audio", "max_source_positions": FRAMES // 2, "num_mel_bins": BINS, "projection_dim": SPACE + 1 + GAP + 2 * BINS + FOLD}
    processor = {"feature_extractor_type": "WhisperFeatureExtractor", "feature_size": BINS, "sampling_rate": RATE, "hop_length": HOP,
                 "chunk_length": SECONDS, "n_fft": FFT, "padding_value": 0.0, "clip_policy": "windows_mean"}
    for name, content in (("config.json", config), ("preprocessor_config.json", processor)):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")


def usual(work):
    """The mean timbre of speech, and of the named sounds, [2, 2 * BINS]."""
    made = []
    for name in ("spoken-train-0000.npz", "sounds-train.npz"):
        data = numpy.load(work / name)
        heard = [sounds_like(torch.from_numpy(own.astype(numpy.float32).T[None])) for own in numpy.split(data["frames"], data["ends"][:-1])]
        made.append(torch.cat(heard).mean(0))
    return torch.stack(made)


def spots(text_tower):
    """Where the named sounds lie, [sounds, SPACE]: at their texts, away from what these have in common, as concepts of pictures do."""
    texts = Texts(text_tower)
    means = unit(numpy.stack([texts.embed(phrases).mean(0) for phrases, _ in SOUNDS.values()]))
    return torch.from_numpy(unit(apart(means, means))).float()


def tower(work, text_tower):
    kind, front = Kind(len(SOUNDS)), front_of(work / "hearing.pt")
    kind.load_state_dict(torch.load(work / "kind.pt"))
    _, meaning = restored(work / "meaning-heard.pt")
    return Tower(kind, front, meaning, spots(text_tower), usual(work)).eval()


def main(work, text_tower, folder):
    folder, work = pathlib.Path(folder), pathlib.Path(work)
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    target, made = folder / "onnx/model.onnx", tower(work, text_tower)
    example = torch.rand(2, BINS, FRAMES) * 2 - 1
    with torch.no_grad():
        torch.onnx.export(made, (example,), str(target), dynamo=False, opset_version=17, input_names=["input_features"],
                          output_names=["audio_embeds"], dynamic_axes={"input_features": {0: "batch"}, "audio_embeds": {0: "batch"}})
        wanted = unit(made(example).numpy())
    onnx.save(shrunk(onnx.load(str(target)), made.meaning.runs.weight.detach().numpy()), str(target))
    configuration(folder)
    session = onnxruntime.InferenceSession(str(target))
    got = unit(numpy.concatenate([session.run(None, {"input_features": example.numpy()[at:at + 1]})[0] for at in range(len(example))]))
    print(f"{target}: {target.stat().st_size} bytes; noise has a cosine of {(wanted * got).sum(1).min():.4f} with what was trained")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])

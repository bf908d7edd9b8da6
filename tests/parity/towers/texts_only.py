"""The families of text encoders: BERT, RoBERTa, XLM-RoBERTa and MPNet, their poolings and prompts, and the forms that a
graph comes in: float16, int8, weights in a file of their own."""

import json
import shutil

import numpy
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import (BertConfig, BertModel, MPNetConfig, MPNetModel, PreTrainedTokenizerFast, RobertaConfig, RobertaModel,
                          XLMRobertaConfig, XLMRobertaModel)

from texts import texts

from . import tokenizing
from .packs import LONGEST, SEQUENCE, export, manifest, pooled, pooling, spread, text_examples

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
# Every third text, long ones too; the rest of a family's variants get the first few of them.
CORPUS = [text for text in texts() if len(text) < 50_000][::3]


def bert_config(**more):
    return BertConfig(vocab_size=4000, max_position_embeddings=64, attn_implementation="eager", **SMALL, **more)


def encoder(out, name, model, tokenizer, mode, inputs, *, prompts=("", ""), corpus=CORPUS):
    """Write the pack of an encoder whose states are pooled by the engine, and its cases."""
    pack = out.pack(name)
    wrapped = tokenizing.save(tokenizer, pack, 1e30)
    (pack / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": LONGEST, "do_lower_case": False}))
    model.config.save_pretrained(pack)
    if mode != "pooler":
        pooling(pack, mode)

    def run(*values):
        return model(**dict(zip(inputs, values, strict=True))).last_hidden_state

    dynamic = {name: SEQUENCE for name in [*inputs, "last_hidden_state"]}
    export(run, text_examples(*inputs), pack / "onnx/model.onnx", ["last_hidden_state"], dynamic)
    for prompt, bulk in zip(prompts, (False, True), strict=True):
        if bulk or prompts[0] != prompts[1]:
            ids, vectors = embed(model, wrapped, mode, [prompt + text for text in corpus])
            out.case(pack, "text", corpus, vectors, ids=ids, bulk=bulk)
    return pack


def embed(model, tokenizer, mode, corpus):
    """Tokens and vectors of texts, one by one."""
    ids = [tokenizer(text, truncation=True, max_length=LONGEST, padding=False)["input_ids"] for text in corpus]
    with torch.no_grad():
        states = [model(input_ids=torch.tensor([row])).last_hidden_state[0].float() for row in ids]
    return ids, [pooled(rows, mode) for rows in states]


def every(out):
    torch.manual_seed(3)
    three, two = ["input_ids", "attention_mask", "token_type_ids"], ["input_ids", "attention_mask"]
    bert = spread(BertModel(bert_config(), add_pooling_layer=False))
    plain = encoder(out, "bert-mean", bert, tokenizing.wordpiece(), "mean", three)
    encoder(out, "bert-cls", bert, tokenizing.wordpiece(), "cls", three, corpus=CORPUS[:40])
    encoder(out, "bert-max", bert, tokenizing.wordpiece(), "max", three, corpus=CORPUS[:40])
    common = {"vocab_size": 4000, "max_position_embeddings": LONGEST + 2, "attn_implementation": "eager", **SMALL}
    roberta = spread(RobertaModel(RobertaConfig(**common, pad_token_id=1), add_pooling_layer=False))
    pack = encoder(out, "roberta", roberta, tokenizing.roberta(), "mean", two)
    (pack / "sentence_bert_config.json").unlink()
    mpnet = spread(MPNetModel(MPNetConfig(**common, pad_token_id=1), add_pooling_layer=False))
    encoder(out, "mpnet", mpnet, tokenizing.roberta(), "mean", two, corpus=CORPUS[:40])
    e5 = spread(XLMRobertaModel(XLMRobertaConfig(**common, pad_token_id=1), add_pooling_layer=False))
    prompts = ("query: ", "passage: ")
    pack = encoder(out, "e5", e5, tokenizing.xlm_roberta(), "mean", two, prompts=prompts)
    manifest(pack, towers={"text": {"prompts": {"query": prompts[0], "document": prompts[1]}}})
    pack = encoder(out, "e5-file", e5, tokenizing.xlm_roberta(), "mean", two, prompts=prompts, corpus=CORPUS[:40])
    written = {"prompts": {"query": prompts[0], "passage": prompts[1]}, "default_prompt_name": None}
    (pack / "config_sentence_transformers.json").write_text(json.dumps(written))
    half(out, plain, bert, three)
    int8(out, plain)
    external(out, plain)


def copy(out, plain, name):
    """A pack like another, but for its graph."""
    pack = out.packs / name
    shutil.copytree(plain, pack, dirs_exist_ok=True)
    shutil.rmtree(pack / "onnx")
    (pack / "onnx").mkdir()
    return pack


def half(out, plain, model, inputs):
    """float16 weights and arithmetic; the reference rounds the weights only.

    Which kernels multiply depends on the processor and on the shape of a batch, and so does the order of their sums;
    float16 rounds each to 11 bits, so a batch may move a component by as much as one such rounding of a unit vector.
    """
    pack = copy(out, plain, "bert-fp16")
    model = model.half()

    def run(*values):
        return model(**dict(zip(inputs, values, strict=True))).last_hidden_state

    dynamic = {name: SEQUENCE for name in [*inputs, "last_hidden_state"]}
    export(run, text_examples(*inputs), pack / "onnx/model_fp16.onnx", ["last_hidden_state"], dynamic)
    ids, vectors = embed(model.float(), tokenizing_of(plain), "mean", CORPUS[:60])
    out.case(pack, "text", CORPUS[:60], vectors, ids=ids, cosine=0.9999, apart=5e-3, batched=2**-11)


def tokenizing_of(pack):
    return PreTrainedTokenizerFast.from_pretrained(pack)


def run_graph(path, ids):
    """Mean-pooled vectors by ONNX Runtime from Python, one by one."""
    session, vectors = onnxruntime.InferenceSession(str(path)), []
    for row in ids:
        row = numpy.array([row])
        feeds = {"input_ids": row, "attention_mask": numpy.ones_like(row), "token_type_ids": numpy.zeros_like(row)}
        vectors.append(session.run(["last_hidden_state"], feeds)[0][0].mean(axis=0))
    return vectors


def int8(out, plain):
    """Quantised by the range of each run: the reference is the same graph, one text at a time."""
    pack = copy(out, plain, "bert-int8")
    path = pack / "onnx/model_quantized.onnx"
    quantize_dynamic(str(plain / "onnx/model.onnx"), str(path), weight_type=QuantType.QInt8)
    tokenizer = tokenizing_of(plain)
    ids = [tokenizer(text, truncation=True, max_length=LONGEST, padding=False)["input_ids"] for text in CORPUS[:60]]
    out.case(pack, "text", CORPUS[:60], run_graph(path, ids), ids=ids)


def external(out, plain):
    """Weights in a file beside the graph."""
    pack = copy(out, plain, "bert-external")
    model = onnx.load(str(plain / "onnx/model.onnx"))
    onnx.save_model(model, str(pack / "onnx/model.onnx"), save_as_external_data=True, location="model.onnx_data",
                    size_threshold=0)
    tokenizer = tokenizing_of(plain)
    ids = [tokenizer(text, truncation=True, max_length=LONGEST, padding=False)["input_ids"] for text in CORPUS[:20]]
    out.case(pack, "text", CORPUS[:20], run_graph(plain / "onnx/model.onnx", ids), ids=ids)

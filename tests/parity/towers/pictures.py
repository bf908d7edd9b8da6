"""The families of texts and pictures: CLIP in two graphs and in one, SigLIP, SigLIP 2 and jina-clip-v2's single graph."""

import json
import shutil

import numpy
import torch
from PIL import Image
from torchvision import transforms
from transformers import (CLIPConfig, CLIPImageProcessorPil, CLIPModel, SiglipConfig, SiglipImageProcessorPil, SiglipModel)

from texts import texts

from . import tokenizing
from .media import picture_features, pictures
from .packs import SEQUENCE, export, manifest, spread, text_examples, unit

TEXTS = [text for text in texts() if len(text) < 3_000][::6]
SIDE = 32
PARTS = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
VISION = {**PARTS, "image_size": SIDE, "patch_size": 8}


def embed(run, rows):
    with torch.no_grad():
        return [run(row).float().numpy() for row in rows]


def pixels(processor, out, names):
    return [torch.from_numpy(one) for one in picture_features(processor, [out.inputs / name for name in names])]


def ids_of(tokenizer, **more):
    """Tokens of the texts, unpadded, and as the model reads them."""
    plain = [tokenizer(text, truncation=True, max_length=more["max_length"])["input_ids"] for text in TEXTS]
    padded = [torch.tensor([tokenizer(text, truncation=True, **more)["input_ids"]]) for text in TEXTS]
    return plain, padded


def clip(out, names):
    text = {**PARTS, "vocab_size": 4000, "max_position_embeddings": 77}
    config = CLIPConfig(text_config=text, vision_config=VISION, projection_dim=24, attn_implementation="eager")
    two, one = out.pack("clip"), out.pack("clip-monolith")
    processor = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    for pack in (two, one):
        wrapped = tokenizing.save(tokenizing.clip(), pack, 77)
        processor.save_pretrained(pack)
    config.text_config.eos_token_id = wrapped.eos_token_id
    config.text_config.bos_token_id = wrapped.bos_token_id
    config.text_config.pad_token_id = wrapped.pad_token_id
    model = spread(CLIPModel(config))
    for pack in (two, one):
        config.save_pretrained(pack)

    def text_run(ids):
        return model.text_projection(model.text_model(input_ids=ids).pooler_output)

    def vision_run(values):
        return model.visual_projection(model.vision_model(pixel_values=values).pooler_output)

    def whole(ids, values, mask):
        made = model(input_ids=ids, pixel_values=values, attention_mask=mask)
        return made.logits_per_image, made.logits_per_text, made.text_embeds, made.image_embeds

    examples, picture = text_examples("input_ids", "attention_mask"), {"pixel_values": torch.rand(2, 3, SIDE, SIDE)}
    only = {"input_ids": examples["input_ids"]}
    export(text_run, only, two / "onnx/text_model.onnx", ["text_embeds"], {"input_ids": SEQUENCE})
    export(vision_run, picture, two / "onnx/vision_model.onnx", ["image_embeds"], {})
    both = {**only, **picture, "attention_mask": examples["attention_mask"]}
    outputs = ["logits_per_image", "logits_per_text", "text_embeds", "image_embeds"]
    export(whole, both, one / "onnx/model.onnx", outputs, {"input_ids": SEQUENCE, "attention_mask": SEQUENCE})
    plain, rows = ids_of(wrapped, max_length=77)
    vectors, seen = embed(text_run, rows), embed(vision_run, pixels(processor, out, names))
    for pack in (two, one):
        out.case(pack, "text", TEXTS, vectors, ids=plain)
        out.case(pack, "image", names, seen)
    return two


def siglip(out, names):
    for name, filter_, folder_tokenizer in [("siglip", 3, None), ("siglip2", 2, tokenizing.siglip2)]:
        pack = out.pack(name)
        if folder_tokenizer:
            tokenizer = folder_tokenizer(pack)
        else:
            tokenizer = tokenizing.save(tokenizing.siglip(), pack, 64)
        text = {**PARTS, "vocab_size": 4000, "max_position_embeddings": 64}
        config = SiglipConfig(text_config=text, vision_config=VISION, attn_implementation="eager")
        model = spread(SiglipModel(config))
        config.save_pretrained(pack)
        processor = SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE}, resample=filter_)
        processor.save_pretrained(pack)

        def text_run(ids):
            made = model.text_model(input_ids=ids)
            return made.last_hidden_state, made.pooler_output

        def vision_run(values):
            made = model.vision_model(pixel_values=values)
            return made.last_hidden_state, made.pooler_output

        outputs = ["last_hidden_state", "pooler_output"]
        examples = text_examples("input_ids", length=64)
        export(text_run, examples, pack / "onnx/text_model.onnx", outputs, {"input_ids": SEQUENCE, "last_hidden_state": SEQUENCE})
        export(vision_run, {"pixel_values": torch.rand(2, 3, SIDE, SIDE)}, pack / "onnx/vision_model.onnx", outputs, {})
        plain, rows = ids_of(tokenizer, max_length=64, padding="max_length")
        out.case(pack, "text", TEXTS, embed(lambda ids: text_run(ids)[1], rows), ids=plain)
        out.case(pack, "image", names, embed(lambda values: vision_run(values)[1], pixels(processor, out, names)))


class JinaLike(torch.nn.Module):
    """jina-clip-v2's inputs and outputs: one graph, whose text and pictures have batches of their own."""

    def __init__(self):
        super().__init__()
        self.embeddings = torch.nn.Embedding(4000, 32)
        self.text = torch.nn.Linear(32, 24)
        self.patches = torch.nn.Conv2d(3, 32, 8, 8)
        self.image = torch.nn.Linear(32, 24)

    def forward(self, input_ids, pixel_values):
        mask = (input_ids != 1).unsqueeze(-1).float()
        text = self.text(torch.tanh((self.embeddings(input_ids) * mask).sum(1) / mask.sum(1)))
        image = self.image(torch.tanh(self.patches(pixel_values)).mean((2, 3)))
        scaled = [torch.nn.functional.normalize(one, dim=-1) for one in (text, image)]
        return text, image, *scaled


def jina(out, names):
    pack = out.pack("jina-clip")
    tokenizer = tokenizing.save(tokenizing.xlm_roberta(), pack, 100)
    model = spread(JinaLike())
    (pack / "config.json").write_text(json.dumps({"model_type": "jina_clip", "projection_dim": 24, "vision_config": {"image_size": SIDE, "patch_size": 8}}))
    mean, std = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
    written = {"image_processor_type": "JinaCLIPImageProcessor", "size": SIDE, "resize_mode": "shortest",
               "interpolation": "bicubic", "fill_color": 0, "mean": mean, "std": std}
    (pack / "preprocessor_config.json").write_text(json.dumps(written))
    examples = {"input_ids": text_examples("input_ids")["input_ids"], "pixel_values": torch.rand(3, 3, SIDE, SIDE)}
    outputs = ["text_embeddings", "image_embeddings", "l2norm_text_embeddings", "l2norm_image_embeddings"]
    export(lambda ids, values: model(ids, values), examples, pack / "onnx/model.onnx", outputs, {"input_ids": SEQUENCE})
    plain, rows = ids_of(tokenizer, max_length=100)
    nothing, ones = torch.zeros(0, 3, SIDE, SIDE), torch.ones(1, 1, dtype=torch.long)
    out.case(pack, "text", TEXTS, embed(lambda ids: model(ids, nothing)[2], rows), ids=plain)
    # Its own processor composes these steps, whose crop is a pixel beside that of CLIP's class where sides are odd.
    steps = transforms.Compose([transforms.Resize(SIDE, transforms.InterpolationMode.BICUBIC), transforms.CenterCrop(SIDE),
                                transforms.ToTensor(), transforms.Normalize(mean, std)])
    values = [steps(Image.open(out.inputs / name).convert("RGB")).unsqueeze(0) for name in names]
    out.case(pack, "image", names, embed(lambda one: model(ones, one)[3], values))


def composite(out, two, names):
    """Two towers side by side, one of them through a mean and a map: what the manifest says, in float64."""
    width = 24
    source = numpy.random.default_rng(4)
    mean, table = source.normal(0, 0.1, width).astype("<f4"), source.normal(0, 1, (10, width)).astype("<f4")
    pack = out.pack("composite")
    (pack / "mean.f32").write_bytes(mean.tobytes())
    (pack / "map.f32").write_bytes(table.tobytes())
    for name in ("clip", "bert-mean"):
        shutil.copytree(out.packs / name, pack / name, dirs_exist_ok=True)
    mapped = {"folder": "clip", "weight": 0.5, "mean": {"file": "mean.f32", "shape": [width]},
              "map": {"file": "map.f32", "shape": [10, width]}}
    towers = {"text": [mapped, {"folder": "bert-mean", "at": 10}], "image": mapped}
    manifest(pack, id="composite", dimensions=48, metric="COSINE", towers=towers)

    def read(name, modality):
        path = out.folder / f"{name}_{modality}_document.f32"
        case = next(case for case in out.cases if case["expected"] == path.name)
        return numpy.fromfile(path, "<f4").reshape(-1, case["dimensions"]), case["inputs"]

    def mapped_of(rows):
        return [0.5 * unit(table.astype("f8") @ unit(unit(row) - mean)) for row in rows]

    pictures_, inputs = read("clip", "image")
    out.case(pack, "image", inputs, [numpy.concatenate([row, numpy.zeros(38)]) for row in mapped_of(pictures_)])
    first, texts_ = read("clip", "text")
    second, others = read("bert-mean", "text")
    shared = [text for text in texts_ if text in others]
    rows = [numpy.concatenate([mapped_of([first[texts_.index(text)]])[0], second[others.index(text)], numpy.zeros(6)])
            for text in shared]
    out.case(pack, "text", shared, rows)


def every(out):
    names = pictures(out.inputs)
    two = clip(out, names)
    siglip(out, names)
    jina(out, names)
    composite(out, two, names)

"""The families of sounds: CLAP with and without fusion, Whisper's encoder, AST, and three graphs in the manner of
ImageBind."""

import json
from unittest import mock

import torch
from transformers import (ASTConfig, ASTFeatureExtractor, ASTModel, CLIPImageProcessorPil, ClapConfig, ClapFeatureExtractor,
                          ClapModel, WhisperConfig, WhisperFeatureExtractor, WhisperModel)

from . import tokenizing
from .media import imagebind_clips, picture_features, samples, sounds
from .packs import SEQUENCE, export, manifest, spread, text_examples
from .pictures import TEXTS, embed, ids_of

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}


def clap(out, fused):
    pack = out.pack("clap-fused" if fused else "clap")
    tokenizer = tokenizing.save(tokenizing.roberta(), pack, 64)
    text = {**SMALL, "vocab_size": 4000, "max_position_embeddings": 66, "projection_dim": 24}
    audio = {"patch_embeds_hidden_size": 8, "hidden_size": 64, "depths": [1, 1, 1, 1], "num_attention_heads": [1, 2, 4, 8],
             "projection_dim": 24, "enable_fusion": fused,
             "spec_size": 256, "num_mel_bins": 64}
    model = spread(ClapModel(ClapConfig(text_config=text, audio_config=audio, projection_dim=24, attn_implementation="eager")))
    model.config.save_pretrained(pack)
    truncation = "fusion" if fused else "rand_trunc"
    extractor = ClapFeatureExtractor(truncation=truncation)
    extractor.save_pretrained(pack)

    def text_run(ids, mask):
        return model.text_projection(model.text_model(input_ids=ids, attention_mask=mask).pooler_output)

    def audio_run(features, longer=None):
        return model.audio_projection(model.audio_model(input_features=features, is_longer=longer).pooler_output)

    inputs = ["input_ids", "attention_mask"]
    export(text_run, text_examples(*inputs), pack / "onnx/text_model.onnx", ["text_embeds"], {name: SEQUENCE for name in inputs})
    examples = {"input_features": torch.randn(2, 4 if fused else 1, 1001, 64)}
    if fused:
        examples["is_longer"] = torch.tensor([[True], [False]])
    export(audio_run, examples, pack / "onnx/audio_model.onnx", ["audio_embeds"], {})
    plain, rows = ids_of(tokenizer, max_length=64)
    out.case(pack, "text", TEXTS, embed(lambda ids: text_run(ids, torch.ones_like(ids)), rows), ids=plain)
    names, vectors = sounds(out.inputs, 48_000, [1.3, 10, 4, 13.7] if fused else [1.3, 10, 4]), []
    for name in names:
        # Of a long sound, the reference takes windows at random; the engine takes the first of each third. A sound that
        # comes alone always counts as a long one.
        with mock.patch("numpy.random.choice", side_effect=lambda part: part[0]):
            mel, _ = extractor._get_input_mel(samples(out.inputs / name), 480_000, truncation, "repeatpad")
        features = torch.from_numpy(mel).float().reshape(1, -1, 1001, 64)
        vectors += embed(lambda one: audio_run(one, torch.tensor([[True]]) if fused else None), [features])
    out.case(pack, "audio", names, vectors)


def whisper(out):
    pack = out.pack("whisper")
    config = WhisperConfig(d_model=32, encoder_layers=1, encoder_attention_heads=2, encoder_ffn_dim=64, decoder_layers=1,
                           decoder_attention_heads=2, decoder_ffn_dim=64, vocab_size=100, pad_token_id=1, bos_token_id=1,
                           eos_token_id=1, decoder_start_token_id=1, attn_implementation="eager")
    model = spread(WhisperModel(config)).encoder
    config.save_pretrained(pack)
    extractor = WhisperFeatureExtractor()
    extractor.save_pretrained(pack)
    manifest(pack, towers={"audio": {"pooling": "mean"}})

    def run(features):
        return model(input_features=features).last_hidden_state

    export(run, {"input_features": torch.randn(2, 80, 3000)}, pack / "onnx/encoder_model.onnx", ["last_hidden_state"], {})
    names = sounds(out.inputs, 16_000, [2, 5.5, 31])
    features = []
    for name in names:
        sound = samples(out.inputs / name)[:480_000]
        padded = torch.nn.functional.pad(torch.from_numpy(sound), (0, 480_000 - len(sound))).numpy()
        features.append(torch.from_numpy(extractor._np_extract_fbank_features([padded], "cpu")[0]).float().unsqueeze(0))
    out.case(pack, "audio", names, [rows[0].mean(0) for rows in embed(run, features)])


def ast(out):
    pack = out.pack("ast")
    model = spread(ASTModel(ASTConfig(**SMALL, attn_implementation="eager")))
    model.config.save_pretrained(pack)
    extractor = ASTFeatureExtractor()
    extractor.save_pretrained(pack)

    def run(features):
        made = model(input_values=features)
        return made.last_hidden_state, made.pooler_output

    export(run, {"input_values": torch.randn(2, 1024, 128)}, pack / "onnx/model.onnx", ["last_hidden_state", "pooler_output"], {})
    names = sounds(out.inputs, 16_000, [2, 5.5, 31])
    features = [extractor(samples(out.inputs / name), sampling_rate=16_000, return_tensors="pt")["input_values"] for name in names]
    out.case(pack, "audio", names, embed(lambda one: run(one)[1], features))


class Text(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings, self.head = torch.nn.Embedding(4000, 32), torch.nn.Linear(32, 16)

    def forward(self, text):
        end = text.argmax(1)
        steps = torch.cumsum(torch.tanh(self.embeddings(text)), 1) / 8
        last = torch.gather(steps, 1, end.view(-1, 1, 1).expand(-1, 1, 32)).squeeze(1)
        return 14.3 * torch.nn.functional.normalize(self.head(last), dim=-1)


class Planes(torch.nn.Module):
    """Patches of a picture or of a clip's energies; `scale` times a unit vector."""

    def __init__(self, channels, scale):
        super().__init__()
        self.patches, self.head, self.scale = torch.nn.Conv2d(channels, 32, 8, 8), torch.nn.Linear(32, 16), scale

    def forward(self, planes):
        made = self.head(torch.tanh(self.patches(planes)).flatten(2).amax(2))
        return self.scale * torch.nn.functional.normalize(made, dim=-1)


def imagebind(out):
    """Three graphs with names of their own for inputs and outputs, one folder each; int32 tokens of one length."""
    pack, side = out.pack("imagebind"), 32
    folders = {name: pack / name for name in ("text", "image", "audio")}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
    tokenizer = tokenizing.save(tokenizing.clip(), folders["text"], 77)
    processor = CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size={"height": side, "width": side})
    processor.save_pretrained(folders["image"])
    (folders["audio"] / "preprocessor_config.json").write_text(json.dumps({"feature_extractor_type": "ImageBindFeatureExtractor"}))
    manifest(pack, name="Three graphs", dimensions=16, towers={name: name for name in folders})
    text, image, audio = spread(Text()), spread(Planes(3, 1.0)), spread(Planes(1, 20.0))
    ids = torch.randint(5, 200, (2, 77), dtype=torch.int32)
    export(lambda ids: text(ids), {"text": ids}, folders["text"] / "text_model.onnx", ["embeddings"], {})
    export(lambda planes: image(planes), {"vision": torch.rand(2, 3, side, side)}, folders["image"] / "vision_model.onnx", ["embeddings"], {})
    export(lambda planes: audio(planes), {"audio": torch.randn(3, 1, 128, 204)}, folders["audio"] / "audio_model.onnx", ["embeddings"], {})
    plain, rows = ids_of(tokenizer, max_length=77, padding="max_length")
    out.case(pack, "text", TEXTS, embed(text, rows), ids=plain)
    pictures = sorted(path.name for path in out.inputs.glob("picture*.png"))
    planes = picture_features(processor, [out.inputs / name for name in pictures])
    out.case(pack, "image", pictures, embed(image, [torch.from_numpy(one) for one in planes]))
    names = sounds(out.inputs, 16_000, [2, 5.5, 31])
    clips = [torch.from_numpy(imagebind_clips(out.inputs / name)) for name in names]
    out.case(pack, "audio", names, [rows.mean(0) for rows in embed(audio, clips)])


def every(out):
    clap(out, False)
    clap(out, True)
    whisper(out)
    ast(out)
    imagebind(out)

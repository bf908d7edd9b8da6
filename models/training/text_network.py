"""MiniLM on the device that trains, for many texts: BERT (Devlin et al., 2019) with the weights of the pack's ONNX file.

`texts.py` runs the file itself; the two differ by rounding.
"""

import pathlib

import onnx
import tokenizers
import torch
from torch.nn import functional

HEADS, LAYERS, LONGEST = 12, 6, 64


class Network:
    """The text tower's folder, on that device."""

    def __init__(self, folder, place):
        folder, self.place = pathlib.Path(folder), place
        self.weights = {weight.name: torch.tensor(onnx.numpy_helper.to_array(weight)).to(place)
                        for weight in onnx.load(str(folder / "onnx/model.onnx")).graph.initializer if weight.data_type == onnx.TensorProto.FLOAT}
        self.tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(LONGEST)
        self.tokenizer.enable_padding()

    def linear(self, state, name):
        return state @ self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def norm(self, state, name):
        return functional.layer_norm(state, state.shape[-1:], self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], 1e-12)

    def states(self, ids, mask):
        batch, length = ids.shape
        state = self.norm(self.weights["words"][ids] + self.weights["positions"][:length] + self.weights["types"][0], "embeddings.LayerNorm")
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}"
            parts = [self.linear(state, f"{name}.attention.self.{part}").reshape(batch, length, HEADS, -1).transpose(1, 2)
                     for part in ("query", "key", "value")]
            seen = functional.scaled_dot_product_attention(*parts, attn_mask=mask[:, None, None].bool()).transpose(1, 2).flatten(2)
            state = self.norm(state + self.linear(seen, f"{name}.attention.output.dense"), f"{name}.attention.output.LayerNorm")
            wide = functional.gelu(self.linear(state, f"{name}.intermediate.dense"))
            state = self.norm(state + self.linear(wide, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        return state

    def embed(self, texts, batch=512):
        """[texts, 384] float32 on the CPU, each of length one."""
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        made = torch.empty(len(texts), self.weights["words"].shape[1])
        with torch.no_grad():
            for start in range(0, len(order), batch):
                rows = order[start:start + batch]
                coded = self.tokenizer.encode_batch([texts[row] for row in rows])
                ids = torch.tensor([code.ids for code in coded], device=self.place)
                mask = torch.tensor([code.attention_mask for code in coded], device=self.place)
                states = self.states(ids, mask).float() * mask[:, :, None]
                made[rows] = functional.normalize(states.sum(1)).cpu()
        return made.numpy()

"""A pack under construction: its folder, the export of its graphs, and the cases that the engine is held to."""

import json
import pathlib
import warnings

import numpy
import torch

LONGEST = 48


class Output:
    """The folder of all packs, and the cases written so far."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.inputs = self.folder / "inputs"
        self.packs = self.folder / "packs"
        for path in (self.inputs, self.packs):
            path.mkdir(parents=True, exist_ok=True)
        self.cases = []

    def pack(self, name):
        folder = self.packs / name
        folder.mkdir(exist_ok=True)
        return folder

    def case(self, pack, modality, inputs, vectors, *, ids=None, bulk=True, cosine=0.99999, apart=1e-4, batched=1e-6):
        """Add a case: what the engine must make of `inputs`, texts or names of files.

        Held are the least `cosine` to the reference and the greatest difference of a component: `apart` from the
        reference, `batched` between an input that travels alone and the same one in a batch.
        """
        vectors = numpy.stack([unit(vector) for vector in vectors]).astype("<f4")
        name = f"{pack.name}_{modality}_{'document' if bulk else 'query'}.f32"
        (self.folder / name).write_bytes(vectors.tobytes())
        self.cases.append({"pack": pack.name, "modality": modality, "bulk": bulk, "inputs": inputs, "ids": ids,
                           "expected": name, "dimensions": vectors.shape[1], "cosine": cosine, "apart": apart,
                           "batched": batched})

    def finish(self):
        (self.folder / "cases.json").write_text(json.dumps(self.cases), encoding="utf-8")


def unit(vector):
    vector = numpy.asarray(vector, dtype="f8").reshape(-1)
    return vector / numpy.linalg.norm(vector)


def spread(model):
    """Give a fresh model weights that make its inputs differ: those of an untrained one hardly do."""
    source = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, values in model.named_parameters():
            if values.dim() > 1:
                fan = values[0].numel()
                values.copy_(torch.randn(values.shape, generator=source) * (1.4 / fan**0.5 if "embed" not in name else 0.6))
            elif name.endswith("bias"):
                values.copy_(torch.randn(values.shape, generator=source) * 0.1)
    return model.eval()


class Wrapped(torch.nn.Module):
    """A model with inputs by position and outputs as a tuple, as the exporter wants it."""

    def __init__(self, run):
        super().__init__()
        self.run = run
        for at, owner in enumerate(run.__closure__ or ()):
            if isinstance(owner.cell_contents, torch.nn.Module):
                self.add_module(f"owner{at}", owner.cell_contents)

    def forward(self, *inputs):
        return self.run(*inputs)


def export(run, examples, path, outputs, dynamic):
    """Export `run`, a function of the examples' values. `dynamic` names the axes that vary, beside the batch."""
    path.parent.mkdir(exist_ok=True)
    axes = {name: {0: "batch", **dynamic.get(name, {})} for name in [*examples, *outputs]}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        # In evaluation mode, or the exporter would put the model back into training mode afterwards.
        torch.onnx.export(Wrapped(run).eval(), tuple(examples.values()), str(path), input_names=list(examples),
                          output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False)


SEQUENCE = {1: "sequence"}


def text_examples(*names, length=8):
    ids = torch.randint(5, 200, (2, length), generator=torch.Generator().manual_seed(1))
    values = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "token_type_ids": torch.zeros_like(ids)}
    return {name: values[name] for name in names}


def manifest(pack, **fields):
    (pack / "vw-pack.json").write_text(json.dumps(fields))


def pooling(pack, mode):
    (pack / "1_Pooling").mkdir(exist_ok=True)
    names = {"mean": "mean_tokens", "cls": "cls_token", "max": "max_tokens"}
    flags = {f"pooling_mode_{flag}": name == mode for name, flag in names.items()}
    (pack / "1_Pooling/config.json").write_text(json.dumps({"word_embedding_dimension": 32, **flags}))


def pooled(states, mode):
    """Pool the states of one text, `[sequence, width]`."""
    return {"mean": states.mean(0), "cls": states[0], "max": states.max(0).values}[mode].numpy()

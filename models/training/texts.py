"""Texts in the space: the text tower of the default pack, run as the engine runs it (masked mean, length one).

usage: texts.py WORK TEXT_TOWER

Writes WORK/texts.npz: for every concept, emoji first and then the things that no emoji shows, the embeddings of its name, of
phrases with it, of its keywords, and the number of its group, which is -1 for what no emoji shows; and the groups' embeddings.
"""

import json
import pathlib
import sys

import numpy
import onnxruntime
import tokenizers

import concepts

PHRASES = ["a drawing of {}", "an icon of {}", "a picture of {}"]
LONGEST = 64


class Tower:
    """all-MiniLM-L6-v2 as it lies in the pack."""

    def __init__(self, folder, threads=1):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        folder = pathlib.Path(folder)
        self.session = onnxruntime.InferenceSession(str(folder / "onnx/model.onnx"), options)
        self.tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(LONGEST)
        self.tokenizer.enable_padding()

    def embed(self, texts, batch=64):
        """[texts, 384] float32, each of length one."""
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        made = numpy.empty((len(texts), 384), dtype=numpy.float32)
        for start in range(0, len(order), batch):
            rows = order[start:start + batch]
            coded = self.tokenizer.encode_batch([texts[row] for row in rows])
            ids = numpy.array([code.ids for code in coded], dtype=numpy.int64)
            mask = numpy.array([code.attention_mask for code in coded], dtype=numpy.int64)
            inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}
            states = self.session.run(None, inputs)[0]
            weights = mask[:, :, None].astype(numpy.float32)
            made[rows] = unit((states * weights).sum(1) / weights.sum(1))
        return made


def unit(vectors):
    """Each row over its length."""
    return vectors / numpy.maximum(numpy.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def main(work, folder):
    work, tower = pathlib.Path(work), Tower(folder)
    known = concepts.read(work)
    called = [concept.name for concept in known] + json.loads((work / "pictures.json").read_text())["words"]
    names = tower.embed(called)
    phrases = [tower.embed([phrase.format(name) for name in called]) for phrase in PHRASES]
    words = sorted({word for concept in known for word in concept.keywords})
    place = {word: at for at, word in enumerate(words)}
    vectors = tower.embed(words)
    keywords = names.copy()
    for at, concept in enumerate(known):
        if concept.keywords:
            keywords[at] = vectors[[place[word] for word in concept.keywords]].mean(0)
    groups = tower.embed(list(concepts.GROUPS.values()))
    number = {name: at for at, name in enumerate(concepts.GROUPS)}
    own = numpy.full(len(called), -1)
    own[:len(known)] = [number[concept.group] for concept in known]
    numpy.savez(work / "texts.npz", names=names, phrases=numpy.stack(phrases, 1), keywords=keywords, groups=groups, group=own)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])

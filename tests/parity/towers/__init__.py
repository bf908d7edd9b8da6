"""Tiny models of every family that the engine runs, as packs, with what `transformers` makes of some inputs."""

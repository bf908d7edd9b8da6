# The front door: test, install, fmt, lint. The work is in xtask.
PG_CONFIG ?= pg_config

.PHONY: test install fmt lint

test:
	cargo xtask test

install:
	cargo xtask install --pg-config "$(PG_CONFIG)"

fmt:
	cargo fmt --all

lint:
	cargo fmt --all --check
	cargo xtask tidy

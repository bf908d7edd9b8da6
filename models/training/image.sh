#!/bin/sh
# Make the image tower of the default pack from nothing.
#
# usage: image.sh WORK TEXT_TOWER TOWER_DIR
#
# WORK is a folder for everything between (5 GB); TEXT_TOWER is the pack's text/ folder, as `make run` makes it below
# VW_HOME/cache; the tower is written to TOWER_DIR. Each step is skipped where its result is there, so a run that was
# stopped goes on. PYTHON is a Python with requirements.txt; STEPS, DECAY, BATCH and RATE
# say how it is trained; the defaults are for a machine with a GPU, and what 2 cores can do is in README.md.
set -eu
work=$1 text=$2 tower=$3
here=$(dirname "$0")
python=${PYTHON:-python3}
mkdir -p "$work"
[ -f "$work/pictures.json" ] || "$python" "$here/render.py" "$work"
[ -f "$work/texts.npz" ] || "$python" "$here/texts.py" "$work" "$text"
"$python" "$here/train_image.py" "$work" --steps "${STEPS:-8000}" --decay "${DECAY:-3000}" --batch "${BATCH:-1024}" --rate "${RATE:-0.003}"
[ -f "$work/attributes.pt" ] || "$python" "$here/train_attributes.py" "$work" "$work/image.pt"
"$python" "$here/export_image.py" "$work" "$work/image.pt" "$text" "$tower"

#!/bin/sh
# Make the image tower of the default pack from nothing.
#
# usage: image.sh WORK TEXT_TOWER TOWER_DIR
#
# WORK is a folder for everything between (2 GB); TEXT_TOWER is the pack's text/ folder, as `make run` makes it below
# VW_HOME/cache; the tower is written to TOWER_DIR. Each step is skipped where its result is there, so a run that was
# stopped goes on. PYTHON is a Python with requirements.txt; STEPS and DECAY are the length of the training.
set -eu
work=$1 text=$2 tower=$3
here=$(dirname "$0")
python=${PYTHON:-python3}
mkdir -p "$work"
[ -f "$work/pictures.json" ] || "$python" "$here/render.py" "$work"
[ -f "$work/texts.npz" ] || "$python" "$here/texts.py" "$work" "$text"
"$python" "$here/train_image.py" "$work" --steps "${STEPS:-6300}" --decay "${DECAY:-2300}"
"$python" "$here/export_image.py" "$work" "$work/image.pt" "$tower"

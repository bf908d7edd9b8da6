#!/bin/sh
# Make the audio tower of the default pack from nothing.
#
# usage: audio.sh WORK TEXT_TOWER TOWER_DIR
#
# WORK is a folder for everything between (4 GB); TEXT_TOWER is the pack's text/ folder, as `make run` makes it below
# VW_HOME/cache; the tower is written to TOWER_DIR. Each step is skipped where its result is there, so a run that was
# stopped goes on. PYTHON is a Python with requirements.txt; training uses a GPU where torch finds one. Debian's packages
# espeak-ng, flite, festival, festvox-kdlpc16k, wordnet-base and fortunes must be installed, and from its non-free archive
# rhvoice-english, librhvoice5 and libttspico0. SUMMARIES is a file of one-line descriptions of Debian packages, JSON strings,
# made here with apt-cache where it is not given.
set -eu
work=$1 text=$2 tower=$3
here=$(dirname "$0")
python=${PYTHON:-python3}
processes=${PROCESSES:-$(nproc)}
export OPENBLAS_NUM_THREADS=1
mkdir -p "$work"
summaries=${SUMMARIES:-$work/summaries.jsonl}
[ -f "$summaries" ] || apt-cache search . | "$python" -c '
import json, random, sys
lines = sorted({line.partition(" - ")[2].strip() for line in sys.stdin})
random.Random(384).shuffle(lines)
print("\n".join(json.dumps(line) for line in lines))' > "$summaries"
[ -f "$work/phrases.json" ] || "$python" "$here/speech_texts.py" "$work" "$summaries"
[ -f "$work/vectors-train.npy" ] || "$python" "$here/speech_vectors.py" "$work" "$text"
[ -f "$work/phones-train.npz" ] || "$python" "$here/spell.py" "$work"
"$python" "$here/record.py" "$work" validation
"$python" "$here/record.py" "$work" train --pieces "${PIECES:-400}" --processes "$processes"
"$python" "$here/record_sounds.py" "$work" "$processes"
[ -f "$work/kind.pt" ] || "$python" "$here/train_kind.py" "$work"
[ -f "$work/hearing.pt" ] || "$python" "$here/train_hearing.py" "$work" --seconds "${SECONDS_OF_HEARING:-3600}"
[ -f "$work/meaning.pt" ] || "$python" "$here/train_meaning.py" "$work" --seconds "${SECONDS_OF_TEXT:-1200}"
[ -f "$work/heard.npz" ] || "$python" "$here/hear_again.py" "$work"
"$python" "$here/train_meaning.py" "$work" --heard heard.npz --start meaning --name meaning-heard --seconds "${SECONDS_OF_SOUND:-600}" --rate 0.001
"$python" "$here/export_audio.py" "$work" "$text" "$tower"

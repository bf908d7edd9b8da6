"""Take libonnxruntime out of PyPI's onnxruntime wheel.

usage: extract.py WHEEL LIBRARY
"""

import pathlib
import re
import sys
import zipfile

if len(sys.argv) != 3:
    sys.exit(__doc__)
with zipfile.ZipFile(sys.argv[1]) as archive:
    names = [name for name in archive.namelist() if re.search(r"/libonnxruntime\.so\.[0-9.]+$", name)]
    if len(names) != 1:
        sys.exit(f"{sys.argv[1]} holds {len(names)} files libonnxruntime.so.*; expected one")
    pathlib.Path(sys.argv[2]).write_bytes(archive.read(names[0]))

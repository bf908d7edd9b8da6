"""Where the pictures and their names come from: npm packages by name and version, with their licences.

`fetch` downloads and unpacks them with npm, once. What a picture shows is in `concepts.py`.
"""

import dataclasses
import pathlib
import subprocess
import tarfile


@dataclasses.dataclass(frozen=True)
class Style:
    """One drawing style: an icon set whose drawings have names."""

    name: str
    version: str
    licence: str
    role: str  # train, or validation and test: then no picture of it is ever trained on
    plain: bool = False  # one colour only, so it may be drawn in any

    @property
    def package(self):
        return f"@iconify-json/{self.name}"


STYLES = [
    Style("noto", "1.2.9", "Apache-2.0", "train"),
    Style("noto-v1", "1.2.5", "Apache-2.0", "train"),
    Style("twemoji", "1.2.5", "CC-BY-4.0", "train"),
    Style("emojione", "1.2.3", "CC-BY-4.0", "train"),
    Style("emojione-monotone", "1.2.1", "CC-BY-4.0", "train", plain=True),
    Style("fluent-emoji", "1.2.7", "MIT", "train"),
    Style("fluent-emoji-flat", "1.2.6", "MIT", "train"),
    Style("fluent-emoji-high-contrast", "1.2.6", "MIT", "train", plain=True),
    Style("fxemoji", "1.2.2", "Apache-2.0", "train"),
    Style("emojione-v1", "1.2.3", "CC-BY-SA-4.0", "validation"),
    Style("openmoji", "1.2.29", "CC-BY-SA-4.0", "test"),
]
NAMES = ("emojibase-data", "17.0.0")  # MIT; its names and keywords are Unicode CLDR's (Unicode License V3)


def folder(work, package, version):
    return pathlib.Path(work) / "npm" / f"{package.replace('/', '+')}-{version}"


def fetch(work):
    """Download what is not there yet into WORK/npm."""
    wanted = [(style.package, style.version) for style in STYLES] + [NAMES]
    for package, version in wanted:
        target = folder(work, package, version)
        if target.is_dir():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(["npm", "pack", "--silent", f"{package}@{version}"], cwd=target.parent,
                                check=True, capture_output=True, text=True)
        archive = target.parent / packed.stdout.strip().splitlines()[-1]
        with tarfile.open(archive) as files:
            files.extractall(target.with_suffix(".part"), filter="data")
        archive.unlink()
        (target.with_suffix(".part") / "package").rename(target)
        target.with_suffix(".part").rmdir()

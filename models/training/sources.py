"""Where the pictures and their names come from: npm packages by name and version, with their licences.

`fetch` downloads and unpacks them with npm, once. What a picture shows is in `concepts.py` and `vocabulary.py`.
"""

import dataclasses
import pathlib
import subprocess
import tarfile

EMOJI, GENERAL, FLAGS, FILES, FONT = "emoji", "general", "flags", "files", "font"


@dataclasses.dataclass(frozen=True)
class Style:
    """One drawing style: a set of drawings that have names.

    `kind` says how the package is read: an icon set of emoji, of anything, or of flags; files named by code points; a font.
    """

    name: str
    version: str
    licence: str
    role: str  # train, or validation and test: then no picture of it is ever trained on
    plain: bool = False  # one colour only, so it may be drawn in any
    kind: str = EMOJI
    scope: str = "@iconify-json"

    @property
    def package(self):
        return f"{self.scope}/{self.name}"


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
    Style("fluent-emoji-3d", "1.1.0", "MIT", "train", kind=FILES, scope="@lobehub"),
    Style("noto-emoji", "5.3.2", "OFL-1.1", "train", plain=True, kind=FONT, scope="@fontsource"),
    Style("streamline-emojis", "1.2.4", "CC-BY-4.0", "train", kind=GENERAL),
    Style("emojione-v1", "1.2.3", "CC-BY-SA-4.0", "validation"),
    Style("openmoji", "1.2.29", "CC-BY-SA-4.0", "test"),
    Style("circle-flags", "1.2.11", "MIT", "train", kind=FLAGS),
    Style("flag", "1.2.12", "MIT", "train", kind=FLAGS),
    Style("flagpack", "1.2.8", "MIT", "train", kind=FLAGS),
    Style("flat-color-icons", "1.2.3", "MIT", "train", kind=GENERAL),
    Style("flat-ui", "1.2.3", "MIT", "train", kind=GENERAL),
    Style("fluent-color", "1.2.21", "MIT", "train", kind=GENERAL),
    Style("icon-park", "1.2.4", "Apache-2.0", "train", kind=GENERAL),
    Style("streamline-cyber-color", "1.2.2", "CC-BY-4.0", "train", kind=GENERAL),
    Style("streamline-flex-color", "1.2.2", "CC-BY-4.0", "train", kind=GENERAL),
    Style("streamline-kameleon-color", "1.2.2", "CC-BY-4.0", "train", kind=GENERAL),
    Style("streamline-plump-color", "1.2.2", "CC-BY-4.0", "train", kind=GENERAL),
    Style("streamline-stickies-color", "1.2.2", "CC-BY-4.0", "train", kind=GENERAL),
    Style("streamline-ultimate-color", "1.2.2", "CC-BY-4.0", "train", kind=GENERAL),
    *[Style(name, version, licence, "train", plain=True, kind=GENERAL) for name, version, licence in (
        ("bi", "1.2.7", "MIT"), ("fa6-solid", "1.2.4", "CC-BY-4.0"), ("fluent", "1.2.60", "MIT"), ("game-icons", "1.2.4", "CC-BY-3.0"),
        ("guidance", "1.2.2", "CC-BY-4.0"), ("healthicons", "1.2.13", "MIT"), ("hugeicons", "1.2.35", "MIT"), ("iconoir", "1.2.11", "MIT"),
        ("lucide", "1.2.137", "ISC"), ("maki", "1.2.5", "CC0-1.0"), ("map", "1.2.2", "OFL-1.1"), ("material-symbols", "1.2.98", "Apache-2.0"),
        ("mdi", "1.2.3", "Apache-2.0"), ("medical-icon", "1.2.0", "MIT"), ("meteocons", "1.2.4", "MIT"), ("mingcute", "1.2.8", "Apache-2.0"),
        ("ph", "1.2.2", "MIT"), ("solar", "1.2.13", "CC-BY-4.0"), ("streamline", "1.2.5", "CC-BY-4.0"), ("tabler", "1.2.41", "MIT"),
        ("temaki", "1.2.6", "CC0-1.0"), ("wi", "1.2.1", "OFL-1.1"))],
]
NAMES = ("emojibase-data", "17.0.0")  # MIT; its names and keywords are Unicode CLDR's (Unicode License V3)


def folder(work, package, version):
    return pathlib.Path(work) / "npm" / f"{package.replace('/', '+')}-{version}"


def fetch(work, kinds=(EMOJI,)):
    """Download what is not there yet of the styles of these kinds, and the names, into WORK/npm."""
    wanted = [(style.package, style.version) for style in STYLES if style.kind in kinds] + [NAMES]
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

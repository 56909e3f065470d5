"""Openly licensed emoji as SVG, fetched from npm with the ordinary client.

Every package holds `package/icons.json`: `icons[name] = {body, width?, height?, left?, top?}` with
defaults for the sizes at the top level (the Iconify JSON format).
"""

import json
import re
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Package:
    """One npm package at a pinned version; `style` is the word captions use for its look."""

    name: str
    version: str
    style: str
    licence: str

    @property
    def archive(self) -> str:
        """The file name `npm pack` gives the archive."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


# What the generator learns from. The judge never sees these.
GENERATOR = (
    Package("@iconify-json/noto", "1.2.9", "noto", "Apache-2.0"),
    Package("@iconify-json/twemoji", "1.2.5", "twemoji", "CC-BY-4.0"),
    Package("@iconify-json/fluent-emoji", "1.2.7", "fluent", "MIT"),
    Package("@iconify-json/fluent-emoji-flat", "1.2.6", "flat", "MIT"),
)

# Other drawings of the same things: what the judge of evaluate.py learns from, and nothing else.
# They shape no shipped weight.
JUDGE = (
    Package("@iconify-json/openmoji", "1.2.29", "openmoji", "CC-BY-SA-4.0"),
    Package("@iconify-json/emojione", "1.2.3", "emojione", "CC-BY-4.0"),
    Package("@iconify-json/emojione-v1", "1.2.3", "emojione v1", "CC-BY-SA-4.0"),
    Package("@iconify-json/noto-v1", "1.2.5", "noto v1", "Apache-2.0"),
    Package("@iconify-json/fxemoji", "1.2.2", "fxemoji", "Apache-2.0"),
    Package("@iconify-json/streamline-emojis", "1.2.4", "streamline", "CC-BY-4.0"),
)

# Variants that differ in skin tone, families and flags: thousands of near-duplicates.
VARIANT = re.compile(
    r"skin-tone|-(light|medium|dark|medium-light|medium-dark)$|^flag-|family-|-[1-6]-?\d*$"
    r"|^(man|woman|person|men|women|kiss|couple)-.*-(light|medium|dark)"
)


def fetch(package: Package, folder: Path) -> Path:
    """Downloads the package's archive into folder unless it is there; returns its path."""
    path = folder / package.archive
    if path.exists():
        return path
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is not on the PATH: install Node.js, it fetches the emoji packages")
    folder.mkdir(parents=True, exist_ok=True)
    wanted = f"{package.name}@{package.version}"
    subprocess.run([npm, "pack", "--silent", wanted], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return path


def icons(archive: Path) -> dict[str, str]:
    """All icons of an archive that are no variants: icon name to a complete SVG document."""
    with tarfile.open(archive) as tar:
        data = json.load(tar.extractfile("package/icons.json"))
    size = {"left": 0, "top": 0, "width": data.get("width", 16), "height": data.get("height", 16)}
    return {
        name: _document(icon["body"], {key: icon.get(key, size[key]) for key in size})
        for name, icon in data["icons"].items()
        if not VARIANT.search(name)
    }


def _document(body: str, box: dict[str, float]) -> str:
    view = f"{box['left']} {box['top']} {box['width']} {box['height']}"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{view}" width="{box["width"]}" height="{box["height"]}">{body}</svg>'
    )

"""Plugins that ``hub plugins new`` wrote, installed without pip."""

from __future__ import annotations

import configparser
import shutil
from pathlib import Path

from hub.plugins import scaffold


def install(folder: Path, name: str = "acme") -> Path:
    """Write a plugin and lay it out as pip would; the folder is one for PYTHONPATH."""
    scaffold.write(name, folder / name)
    return lay_out(folder / name, folder / "site", name)


def lay_out(written: Path, site: Path, name: str) -> Path:
    """Lay out the plugin that stands in ``written`` as pip would; returns ``site``."""
    package = f"hub_{name}"
    shutil.copytree(written / package, site / package)
    described = configparser.ConfigParser()
    described.read(written / "setup.cfg")
    metadata = site / f"{package}-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {described['metadata']['name']}\nVersion: 0.1.0\n"
    )
    points = described["options.entry_points"].items()
    (metadata / "entry_points.txt").write_text(
        "".join(f"[{group}]\n{named.strip()}\n" for group, named in points)
    )
    return site


def edit(site: Path, file: str, old: str, new: str) -> None:
    """Change a file of Acme's package."""
    path = site / "hub_acme" / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{file} has no {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")

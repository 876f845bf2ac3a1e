"""What was written for SDK 1.0 works with the hub of today."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any

from tests.sdk_1_0.surface import surface
from tests.support import scaffold

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
#: Of the plugin's files, in the order of their names: nobody has mended them meanwhile.
AS_WRITTEN = "deafd80502845e3224a29d5a0408db23826d9cc08e780d29b32ddc3959f2da9f"


def write_plugin(folder: Path) -> None:
    """The plugin of 1.0 under its real names."""
    for stored in sorted((HERE / "acme").rglob("*.txt")):
        path = folder / stored.relative_to(HERE / "acme").with_suffix("")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(stored, path)


def test_it_is_byte_for_byte_what_was_written_then():
    whole = hashlib.sha256()
    for stored in sorted((HERE / "acme").rglob("*.txt")):
        whole.update(stored.relative_to(HERE).as_posix().encode() + b"\0" + stored.read_bytes())
    assert whole.hexdigest() == AS_WRITTEN


def test_the_plugin_of_1_0_is_installed_and_stands_the_kit(tmp_path: Path) -> None:
    write_plugin(tmp_path / "acme")
    site = scaffold.lay_out(tmp_path / "acme", tmp_path / "site", "acme")
    environment = {**os.environ, "PYTHONPATH": str(site), "HUB_DATA_DIR": str(tmp_path / "data")}
    done = subprocess.run(
        [sys.executable, "-m", "hub", "plugins", "check", "acme", "--json"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert [mark for mark in report["promises"] if not mark["passed"]] == []
    assert len(report["promises"]) >= 40
    assert (report["passed"], done.returncode) == (True, 0)


def test_what_1_0_promised_is_there():
    promised: dict[str, dict[str, Any]] = json.loads((HERE / "surface.json").read_text())
    today = surface(list(promised))
    assert len(promised) >= 15
    assert [
        f"{module}.{trouble}"
        for module, names in promised.items()
        for trouble in broken(names, today[module])
    ] == []


def broken(promised: dict[str, Any], today: dict[str, Any]) -> Iterator[str]:
    """What is not there any more, or cannot be called as before."""
    for name, said in promised.items():
        if name not in today:
            yield f"{name} is gone"
        elif isinstance(said, dict):
            found = today[name] or {}
            yield from broken_calls(name, said["call"], found.get("call"))
            yield from (
                f"{name}.{trouble}"
                for trouble in broken(said.get("members", {}), found.get("members", {}))
            )
        elif isinstance(said, str):
            yield from broken_calls(name, said, today[name])


def broken_calls(name: str, promised: str | None, today: str | None) -> Iterator[str]:
    """Ways to call it that do not work any more."""
    if promised is None:
        return
    if today is None:
        yield f"{name} cannot be called"
        return
    old, new = signature_of(promised), signature_of(today)
    for parameter in old.parameters.values():
        found = new.parameters.get(parameter.name)
        if found is None:
            yield f"{name} takes no {parameter.name}"
        elif parameter.kind not in (found.kind, Parameter.KEYWORD_ONLY):
            yield f"{name} takes {parameter.name} in another way"
        elif found.default is Parameter.empty and parameter.default is not Parameter.empty:
            yield f"{name} wants {parameter.name}"
    if positional(old) != positional(new)[: len(positional(old))]:
        yield f"{name} takes its arguments in another order"
    for parameter in new.parameters.values():
        free = parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
        new_one = parameter.name not in old.parameters and not free
        if new_one and parameter.default is Parameter.empty:
            yield f"{name} wants {parameter.name}, which is new"


def positional(signature: Signature) -> list[str]:
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    return [item.name for item in signature.parameters.values() if item.kind in kinds]


def signature_of(text: str) -> Signature:
    """The signature that ``(first, second=..., *, third)`` writes down."""
    return inspect.signature(eval(f"lambda {text[1:-1]}: None"))


def test_what_breaks_a_promise_is_seen():
    promised = {"call": {"call": "(first, second=..., *, third)"}, "value": None}
    assert list(broken(promised, promised)) == []
    assert list(broken(promised, {"value": None})) == ["call is gone"]
    for text, trouble in {
        "(first, second=..., *, third, fourth)": "wants fourth, which is new",
        "(first, second, *, third)": "wants second",
        "(first, *, second=..., third)": "takes second in another way",
        "(first, second=...)": "takes no third",
        "(second, first, *, third)": "wants second",
    }.items():
        found = list(broken(promised, {"call": {"call": text}, "value": None}))
        assert f"call {trouble}" in found
    wider = "(first, second=..., more=..., *, third=..., **rest)"
    assert list(broken(promised, {"call": {"call": wider}, "value": None})) == []

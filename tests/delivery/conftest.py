"""An application with a small CRM, entered for the length of a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask

from tests.support.crm import Crm, World, make_plugin

MakeWorld = Callable[..., World]


@pytest.fixture
def make_world(make_app: Callable[..., Flask], crm: Crm) -> Iterator[MakeWorld]:
    with ExitStack() as stack:

        def make(**options: Any) -> World:
            app = make_app(make_plugin(crm, **options))
            stack.enter_context(app.app_context())
            return World(app)

        yield make


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    return make_world()

"""An application without plugins on each database."""

from __future__ import annotations

import pytest
from flask import Flask


@pytest.fixture
def app(make_app) -> Flask:
    return make_app()

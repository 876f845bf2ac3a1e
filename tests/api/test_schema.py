"""Schemathesis: the API keeps what its document promises, whatever is sent."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from tests.api.conftest import ALL  # noqa: F401

schema = schemathesis.pytest.from_fixture("described")


@pytest.fixture
def described(web, world, make_program):
    program = make_program(administrator=True)
    found = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", web)
    found.config.update(headers={"Authorization": f"Bearer {program.token}"})
    return found


@schema.parametrize()
@settings(
    max_examples=6,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_api_is_what_its_document_says(case):
    case.call_and_validate()

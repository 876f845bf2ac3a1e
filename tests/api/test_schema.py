"""Schemathesis: the API keeps what its document promises, whatever is sent."""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from sqlalchemy import make_url

from hub.api.operations import OPERATIONS

#: Requests of each operation and mode. What a request may look like is another question than the
#: database, so the second one needs fewer.
EXAMPLES = {"sqlite": 8, "postgresql": 8 if os.environ.get("HUB_TEST_LONG") else 2}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_the_api_is_what_its_document_says(web, config, make_program, mode):
    examples = EXAMPLES[make_url(config.database_url).get_backend_name()]
    program = make_program(administrator=True)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", web)
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query):
            continue  # of a path alone nothing can be wrong that routing does not see

        @settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def tell(case: Any) -> None:
            case.call_and_validate(headers={"Authorization": f"Bearer {program.token}"})

        tell()
        tried += 1
    assert tried > (len(OPERATIONS) * 0.9 if mode is GenerationMode.POSITIVE else 15)

"""The OpenAPI document, made from the operations and their schemas."""

from __future__ import annotations

import re
from functools import cache
from http import HTTPStatus
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from hub import __version__
from hub.access.gate import Open
from hub.api import problems
from hub.api.fields import LARGEST_ID
from hub.api.operations import OPERATIONS, Operation
from hub.api.schemas.problems import Problem


@cache
def document() -> dict[str, Any]:
    """The document, as OpenAPI 3.0.3."""
    spec = APISpec(
        title="CRM Hub",
        version=__version__,
        openapi_version="3.0.3",
        plugins=[MarshmallowPlugin(schema_name_resolver=_name)],
        info={"description": "Everything that the dashboard can do, for programs."},
    )
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    for operation in OPERATIONS:
        spec.path(path=operation.path, operations={operation.method.lower(): _described(operation)})
    made: dict[str, Any] = spec.to_dict()
    return made


def _described(operation: Operation) -> dict[str, Any]:
    success: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.answer is not None:
        success["content"] = {"application/json": {"schema": operation.answer}}
    parameters: list[Any] = [_in_path(name) for name in re.findall(r"{(\w+)}", operation.path)]
    if operation.query is not None:
        parameters.append({"in": "query", "schema": operation.query})
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": _needs(operation),
        "tags": [operation.tag],
        "parameters": parameters,
        "security": [{"token": []}],
        "responses": {
            str(operation.status): success,
            "default": {
                "description": "A problem (RFC 9457)",
                "content": {problems.TYPE: {"schema": Problem}},
            },
        },
    }
    if operation.body is not None:
        content = {"application/json": {"schema": operation.body}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _needs(operation: Operation) -> str:
    if isinstance(operation.need, Open):
        return "Needs any token."
    return f"Needs the scope `{operation.need}`."


def _in_path(name: str) -> dict[str, Any]:
    number = {"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST_ID}
    text = {"type": "string", "minLength": 1, "pattern": "^[a-z0-9_]+$"}
    schema = number if name.endswith("_id") and name != "plugin_id" else text
    return {"in": "path", "name": name, "required": True, "schema": schema}


def _name(schema: type[Schema] | Schema) -> str:
    return (schema if isinstance(schema, type) else type(schema)).__name__

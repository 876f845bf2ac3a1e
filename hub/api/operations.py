"""Operations: each says its method, path, need, and the forms of what goes in and comes out."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request
from marshmallow import RAISE, Schema, ValidationError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.datastructures import MultiDict

from hub import strict_json
from hub.access import gate, tokens
from hub.access.gate import Open
from hub.access.identity import Identity
from hub.access.permissions import Permission
from hub.api import problems
from hub.api.problems import Invalid
from hub.errors import (
    Changed,
    Refused,
)
from hub.strict_json import BadJson

#: Bytes that a request may have.
LARGEST = 256 * 1024

View = Callable[..., Any]

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


def _identify() -> Identity | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return tokens.identify(secret.strip()) if scheme.lower() == "bearer" else None


gate.guard(blueprint, _identify)


@blueprint.before_request
def _limit() -> None:
    request.max_content_length = LARGEST


@blueprint.errorhandler(StaleDataError)
def _outrun(_: StaleDataError) -> Response:
    return problems.of(Changed("It was changed at this very moment. Read it again."))


@blueprint.errorhandler(Refused)
@blueprint.errorhandler(Invalid)
def _problem(error: Exception) -> Response:
    return problems.of(error)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, as the OpenAPI document tells it."""

    name: str
    method: str
    rule: str
    need: Permission | Open
    summary: str
    tag: str
    body: type[Schema] | None
    query: type[Schema] | None
    answer: type[Schema] | None
    status: int

    @property
    def path(self) -> str:
        """The path with its names in braces."""
        return blueprint.url_prefix + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", self.rule)  # type: ignore[operator]


OPERATIONS: list[Operation] = []


def operation(
    method: str,
    rule: str,
    need: Permission | Open,
    *,
    body: type[Schema] | None = None,
    query: type[Schema] | None = None,
    answer: type[Schema] | None = None,
    status: int = 200,
) -> Callable[[View], View]:
    """Make a view an operation. It gets the names of its path, and ``body`` and ``query`` as their
    schemas loaded them; what it returns is dumped by the schema of the answer."""

    def mark(view: View) -> View:
        @functools.wraps(view)
        def handle(**names: Any) -> Response:
            if body is not None:
                names["body"] = _loaded(body(), _json())
            if query is not None:
                names["query"] = _loaded(query(), _flat(request.args))
            result = view(**names)
            if isinstance(result, Response):
                return result
            if answer is None:
                return Response(status=status)
            response = jsonify(answer().dump(result))
            response.status_code = status
            return response

        gate.needs(need)(handle)
        blueprint.add_url_rule(rule, view.__name__, handle, methods=[method])
        OPERATIONS.append(
            Operation(
                view.__name__,
                method,
                rule,
                need,
                (view.__doc__ or "").strip().partition("\n")[0],
                view.__module__.rpartition(".")[2],
                body,
                query,
                answer,
                status,
            )
        )
        return view

    return mark


def with_version(data: Any, schema: type[Schema], version: int, status: int = 200) -> Response:
    """An answer that can be changed by whoever names its version."""
    response = jsonify(schema().dump(data))
    response.status_code = status
    response.set_etag(str(version))
    return response


def expected_version(current: int) -> int | None:
    """The version that If-Match asks for; ``None`` where it asks for none.

    :raises Changed: it is not the current one.
    """
    if not request.if_match:
        return None
    if not request.if_match.contains(str(current)):
        raise Changed("It was changed in the meantime. Read it again.")
    return current


def _loaded(schema: Schema, data: Any) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = schema.load(data, unknown=RAISE)
    except ValidationError as error:
        messages: Any = error.messages
        raise Invalid(messages if isinstance(messages, dict) else {"body": messages}) from error
    return loaded


def _json() -> Any:
    if not request.is_json:
        abort(415, "Send JSON, with Content-Type application/json.")
    try:
        return strict_json.loads(request.get_data())
    except BadJson as error:
        abort(400, str(error))


def _flat(arguments: MultiDict[str, str]) -> dict[str, str]:
    repeated = {name: ["Give it once."] for name, values in arguments.lists() if len(values) > 1}
    if repeated:
        raise Invalid(repeated)
    return arguments.to_dict()

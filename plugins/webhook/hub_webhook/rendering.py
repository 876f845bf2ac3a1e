"""Condition and template of a hook: Jinja in a sandbox that sees only the event's data."""

from __future__ import annotations

import json
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from hub.sdk import Event
from hub.sdk.events import to_data

#: The largest message, in bytes.
LARGEST = 1024 * 1024


class Unreadable(Exception):
    """The condition or template is no valid Jinja; the message says where."""


class Failed(Exception):
    """The condition or template fails on an event; the message says why."""


def variables(event: Event) -> dict[str, Any]:
    """The variables of a condition or template: the parts of a canonical event."""
    data = to_data(event)
    # The hub's number of a source has no meaning outside the hub.
    del data["source"]["id"]
    return {"type": event.name, "timestamp": data["occurred_at"], **data}


def is_wanted(condition: str, event: Event) -> bool:
    """Whether the condition is true for the event. An empty one is always true.

    :raises Unreadable: it is no Jinja expression.
    :raises Failed: it fails on this event.
    """
    if not condition.strip():
        return True
    try:
        holds = _environment().compile_expression(condition, undefined_to_none=False)
    except TemplateError as error:
        raise Unreadable(_why(error)) from error
    return bool(_evaluated(lambda: holds(**variables(event))))


def body_of(template: str, event: Event) -> bytes:
    """The message for an event. Without a template it has the form of the specification.

    :raises Unreadable: the template is no Jinja.
    :raises Failed: it fails on this event.
    """
    if not template.strip():
        known = variables(event)
        message = {name: known.pop(name) for name in ("type", "timestamp")}
        return _json({**message, "data": known})
    try:
        compiled = _environment().from_string(template)
    except TemplateError as error:
        raise Unreadable(_why(error)) from error
    return str(_evaluated(lambda: compiled.render(variables(event)))).encode()


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    environment.filters["json"] = lambda value: _json(value).decode()
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    return environment


def _evaluated(evaluate: Any) -> Any:
    try:
        return evaluate()
    except (TemplateError, SecurityError) as error:
        raise Failed(_why(error)) from error
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        # An expression may raise any of these if the customer's data is not what it expects.
        raise Failed(str(error)) from error


def _why(error: TemplateError) -> str:
    line = getattr(error, "lineno", None)
    return f"line {line}, {error.message}" if line else str(error.message)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

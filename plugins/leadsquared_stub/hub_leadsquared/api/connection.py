"""Calls to one LeadSquared server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.sdk import CallContext, RetryLater
from hub_leadsquared.api.answers import read_answer, read_trouble


class Connection:
    """Calls LeadSquared with the hook's keys, sent as headers: parameters would land in logs.

    Source: LeadSquared's documentation, "Authentication".
    """

    def __init__(self, context: CallContext, endpoint_url: str) -> None:
        self._context = context
        self._endpoint_url = endpoint_url.rstrip("/")

    def get(self, path: str, *expected: type, **params: Any) -> Any:
        """Read; the answer's JSON."""
        return self._call("GET", path, expected, params, None)

    def post(
        self, path: str, body: Any, *expected: type, params: Mapping[str, Any] | None = None
    ) -> Any:
        """Send JSON; the answer's JSON."""
        return self._call("POST", path, expected, params or {}, body)

    def _call(
        self,
        method: str,
        path: str,
        expected: tuple[type, ...],
        params: Mapping[str, Any],
        body: Any,
    ) -> Any:
        """Call.

        :raises RetryLater: LeadSquared cannot answer now, wants fewer calls (``throttled``, with
            a pause of 5 seconds or more), or speaks something else than its API.
        :raises NeedsAttention: keys, permissions or the address are wrong.
        :raises Rejected: LeadSquared refused this request; see ``hub_leadsquared.api.errors``.
        """
        settings = self._context.settings
        try:
            response = self._context.http.request(
                method,
                f"{self._endpoint_url}/{path}",
                params=params or None,
                json=body,
                headers={
                    "x-LSQ-AccessKey": settings["access_key"],
                    "x-LSQ-SecretKey": settings["secret_key"],
                    "Accept": "application/json",
                },
            )
        except RetryLater as trouble:
            meant = read_trouble(trouble)
            if meant is trouble:
                raise
            raise meant from trouble
        return read_answer(response, *expected)

"""One conversation with GLPI's REST API: a session on loan, and calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Any, Self

from hub.sdk import BorrowedSession, CallContext
from hub_glpi.api.answers import Answer, read_answer
from hub_glpi.api.errors import SessionGone
from hub_glpi.api.session import Token, signed_in_headers


class Connection(AbstractContextManager["Connection"]):
    """Calls GLPI with one session, borrowed at the first call and given back at the end.

    Borrowing late costs nothing when nothing is to be said. Only usable within ``with``, so that
    no session can stay behind.
    """

    def __init__(
        self, context: CallContext, borrow: Callable[[], AbstractContextManager[BorrowedSession]]
    ) -> None:
        self._context = context
        self._borrow = borrow
        self._api_url = str(context.settings["api_url"]).rstrip("/")
        self._on_loan: ExitStack | None = None
        self._session: BorrowedSession | None = None

    def __enter__(self) -> Self:
        if self._on_loan is not None:
            raise RuntimeError("This connection is in use already.")
        self._on_loan = ExitStack()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        on_loan, self._on_loan, self._session = self._on_loan, None, None
        if on_loan is not None:
            on_loan.__exit__(kind, error, trace)

    @property
    def clock_offset(self) -> int:
        """Seconds by which GLPI's clock is ahead of UTC. Signs in if need be."""
        return Token.parse(self._borrowed().token).clock_offset

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        """Read."""
        return self.call("GET", path, params=params)

    def post(self, path: str, values: Any) -> Answer:
        """Add one thing (an object) or several (a list)."""
        return self.call("POST", path, json={"input": values})

    def put(self, path: str, values: Mapping[str, Any]) -> Answer:
        """Change one thing. An id in the body would beat the one in the path, so none may be."""
        if "id" in values:
            raise ValueError("An id in the body of a change would redirect it.")
        return self.call("PUT", path, json={"input": dict(values)})

    def delete(self, path: str) -> Answer:
        """Delete for good."""
        return self.call("DELETE", path, params={"force_purge": "true"})

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        files: Any = None,
    ) -> Answer:
        """Call, and sign in anew once if GLPI has forgotten the session.

        :raises RetryLater: GLPI cannot answer now; an HTML page or nothing with status 200 is
            that, too (maintenance, a lost database, a PHP error).
        :raises NeedsAttention: credentials, rights or the address are wrong.
        :raises Rejected: GLPI refused this request; see ``hub_glpi.api.errors``.
        """
        session = self._borrowed()

        def send() -> Answer:
            response = self._context.http.request(
                method,
                f"{self._api_url}/{path}",
                params=params,
                json=json,
                files=files,
                headers=signed_in_headers(self._context.settings, session.token),
            )
            return read_answer(response)

        try:
            return send()
        except SessionGone:
            # Refused before anything was done, so the call can be repeated.
            session.renew()
            return send()

    def _borrowed(self) -> BorrowedSession:
        if self._on_loan is None:
            raise RuntimeError("A connection can only be used within 'with'.")
        if self._session is None:
            self._session = self._on_loan.enter_context(self._borrow())
        return self._session

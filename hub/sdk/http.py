"""The HTTP client of a plugin: every call goes through the hub's rules.

Before a call, the guard checks the address, the lane must still be ours, and the call waits for its
turn in the hook's rate limit. After it, the call is traced (without secrets), and a temporary
failure becomes ``RetryLater``. Other answers, below 500 and not 429, are left to the plugin.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import NewConnectionError

from hub.sdk.errors import RetryLater
from hub.sdk.redaction import Redactor
from hub.sdk.translation import for_people
from hub.sdk.transport import LARGEST_ANSWER, AnswerTooLarge, SessionTransport, Transport

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
#: A ``Retry-After`` of more seconds is cut to this.
LONGEST_PAUSE = 86_400.0
#: Larger numbers in ``Retry-After`` are Unix times, not seconds: some remotes send the moment.
_UNIX_TIMES = 1e9
_MIB = 2**20
#: How much of a body the trace keeps, in characters.
TRACED_BODY = 2_000
#: Bytes that surely hold so many characters, and some more, so that a secret at the end is whole.
_TRACED_BYTES = 4 * (TRACED_BODY + 4_096) + 4


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call in the trace: without headers, with secrets replaced and bodies cut.

    ``status`` is ``None`` if there was no answer; then ``error`` says why.
    """

    method: str
    url: str
    started_at: str
    milliseconds: int
    status: int | None
    request_body: str
    response_body: str
    error: str | None = None


def _nothing(_: str) -> None:
    """The default rule: it does nothing."""


@dataclass(slots=True)
class CallRules:
    """What the hub does around each call.

    ``before`` gets the URL directly before the request is sent, and may raise. ``after`` gets the
    finished trace entry.
    """

    before: Callable[[str], None] = _nothing
    after: Callable[[Call], None] = lambda _: None


class HttpClient:
    """A keep-alive HTTP client for one hook. Not shared between threads."""

    def __init__(
        self,
        session: requests.Session | Transport,
        *,
        redactor: Redactor,
        rules: CallRules | None = None,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        if not isinstance(session, Transport):
            session = SessionTransport(session)
        self._transport: Transport = session
        self._redactor = redactor
        self._rules = rules or CallRules()
        self._timeout = (connect_timeout, read_timeout)

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Any = None,
        files: Any = None,
        headers: Mapping[str, str] | None = None,
        read_timeout: float | None = None,
        allow_redirects: bool = False,
        max_bytes: int | None = None,
    ) -> requests.Response:
        """Send one request and return the answer, if its status is below 500 and not 429.

        ``max_bytes`` limits the body of the answer after decompression. A longer one raises
        ``RetryLater``. The default is ``LARGEST_ANSWER``.

        :raises RetryLater: no connection, no answer in time, 429 or 5xx. ``delay`` is what
            ``Retry-After`` asked for.
        """
        self._rules.before(url)
        started = time.monotonic()
        started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        connect, read = self._timeout
        response: requests.Response | None = None
        error: str | None = None
        try:
            response = self._transport.request(
                method,
                url,
                params=params,
                json=json,
                data=data,
                files=files,
                headers=dict(headers or {}),
                timeout=(connect, read_timeout or read),
                allow_redirects=allow_redirects,
                max_bytes=LARGEST_ANSWER if max_bytes is None else max_bytes,
            )
        except requests.RequestException as failure:
            error = self._redactor.text(_describe_failure(failure, url))
            raise RetryLater(error, reached=_may_have_reached(failure)) from failure
        finally:
            self._rules.after(
                Call(
                    method=method,
                    url=self._redactor.url(response.url if response is not None else url),
                    started_at=started_at,
                    milliseconds=round((time.monotonic() - started) * 1000),
                    status=response.status_code if response is not None else None,
                    request_body=self._traced(json if json is not None else data, files),
                    response_body=self._traced_response(response) if error is None else "",
                    error=error,
                )
            )
        self._raise_for_trouble(response)
        return response

    def get(self, url: str, **options: Any) -> requests.Response:
        """``request`` with GET."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> requests.Response:
        """``request`` with POST."""
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Any) -> requests.Response:
        """``request`` with PUT."""
        return self.request("PUT", url, **options)

    def delete(self, url: str, **options: Any) -> requests.Response:
        """``request`` with DELETE."""
        return self.request("DELETE", url, **options)

    def _raise_for_trouble(self, response: requests.Response) -> None:
        status = response.status_code
        if status != 429 and status < 500:
            return
        host = urlsplit(response.url).hostname
        raise RetryLater(
            for_people(f"{host} asks for fewer calls (HTTP {status}).")
            if status == 429
            else for_people(f"{host} has trouble of its own (HTTP {status})."),
            delay=retry_after_seconds(response.headers.get("Retry-After")),
            throttled=status == 429,
            reached=status != 429,
            response=response,
        )

    def _traced(self, body: Any, files: Any) -> str:
        if files:
            return "(file upload)"
        if body is None:
            return ""
        if isinstance(body, bytes):
            body = body.decode("utf-8", "replace")
        return self._redactor.body(body, TRACED_BODY)

    def _traced_response(self, response: requests.Response | None) -> str:
        if response is None:
            return ""
        if not _is_text(response.headers.get("Content-Type", "")):
            return f"({len(response.content)} bytes)"
        # Not ``response.text``: it guesses the charset, which is slow and not needed in a trace.
        begin = response.content[:_TRACED_BYTES]
        return self._redactor.body(begin.decode("utf-8", "replace"), TRACED_BODY)


def json_of(response: requests.Response, *expected: type) -> Any:
    """The JSON of an answer. If ``expected`` types are given, it must be of one of them.

    :raises RetryLater: it is something else. Many servers answer with an HTML page and status 200
        while they are in maintenance or have lost their database.
    """
    try:
        value = json.loads(response.content)
    except (ValueError, RecursionError):  # RecursionError: it is nested too deeply
        value = _NOT_JSON
    if value is _NOT_JSON or (expected and not isinstance(value, expected)):
        host = urlsplit(response.url).hostname
        kind = response.headers.get("Content-Type", "no content type")
        size = len(response.content)
        raise RetryLater(
            f"{host} answered with something that is not what its API speaks "
            f"(HTTP {response.status_code}, {kind}, {size} bytes).",
            response=response,
        )
    return value


_NOT_JSON = object()


def retry_after_seconds(value: str | None, now: datetime | None = None) -> float | None:
    """The seconds that a ``Retry-After`` header asks for, between 0 and ``LONGEST_PAUSE``.

    The header is a number of seconds or a date; some remotes send a Unix time. ``None`` if it is
    none of these.
    """
    if not value:
        return None
    now = now or datetime.now(UTC)
    seconds = _number(value)
    if seconds is None:
        seconds = _seconds_until(value, now)
    elif seconds >= _UNIX_TIMES:
        seconds -= now.timestamp()
    if seconds is None or not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_PAUSE)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _seconds_until(date: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):  # OverflowError: a year or a zone is far too large
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - now).total_seconds()


def _describe_failure(failure: requests.RequestException, url: str) -> str:
    host = urlsplit(url).hostname
    if isinstance(failure, AnswerTooLarge):
        limit = failure.limit
        size = f"{limit // _MIB} MiB" if limit >= _MIB else f"{limit} B"
        return for_people(f"{host} sent an answer of more than {size}, which is not taken.")
    if isinstance(failure, requests.exceptions.ConnectTimeout):
        return for_people(f"{host} could not be reached in time.")
    if isinstance(failure, requests.exceptions.Timeout):
        return for_people(f"{host} did not answer in time.")
    if isinstance(failure, requests.exceptions.SSLError):
        return for_people(f"The TLS certificate of {host} could not be verified.")
    if not _may_have_reached(failure):
        return for_people(f"{host} could not be reached.")
    if isinstance(failure, requests.exceptions.ConnectionError):
        return for_people(f"The connection to {host} failed or was cut.")
    return for_people(f"The call to {host} failed: {failure}.")


def _may_have_reached(failure: requests.RequestException) -> bool:
    """False only if there was no connection, so that nothing can have been sent."""
    if isinstance(failure, requests.exceptions.ConnectTimeout):
        return False
    cause = failure.args[0] if failure.args else None
    reason = getattr(cause, "reason", None)
    return not (isinstance(cause, NewConnectionError) or isinstance(reason, NewConnectionError))


def _is_text(content_type: str) -> bool:
    return not content_type or any(
        mark in content_type for mark in ("json", "text/", "xml", "javascript", "urlencoded")
    )

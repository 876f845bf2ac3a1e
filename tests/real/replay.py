"""Sending the recorded day again: now, signed anew, in its own rhythm."""

from __future__ import annotations

import hashlib
import hmac
import random
import re
import threading
import time
from bisect import bisect_right
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import requests

from tests.real.recording import Webhook, began_at, webhooks

#: Seconds between two webhooks from which on there was a pause in the day, which is cut to a tenth.
#: What is closer keeps its distance.
PAUSE = 2.0
CUT = 10
#: Seconds by which webhooks are moved at the most when their order is shuffled.
SHUFFLED = 0.9
#: Threads that send, as many as Chatwoot has in a process by default.
THREADS = 10
#: Where the recorded Chatwoot kept its files.
RECORDED_FILES = "http://127.0.0.1:3300"

#: The recorded times: the day lies within 2026-11-28, some 1,000 seconds around its beginning.
_ISO = re.compile(r'"(2026-11-28T\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00:00)"')
_UNIX = re.compile(r"(?<=[:\[,])(17958\d{5})(\.\d+)?(?=[,}\]])")


class Rhythm:
    """Moves times of the recording to the time of the replay. Times are whole microseconds."""

    def __init__(self, begin: float) -> None:
        day = webhooks()
        self._then = [_micro(began_at() + webhook.seconds) for webhook in day]
        moment = _micro(begin)
        self._now = [moment]
        for before, after in zip(self._then, self._then[1:], strict=False):
            gap = after - before
            # Whole milliseconds, so that what tells a time less exactly still tells the same.
            moment += gap if gap < _micro(PAUSE) else gap // CUT // 1_000 * 1_000
            self._now.append(moment)

    def arrival(self, number: int) -> float:
        """When the webhook of this number comes, in unix seconds."""
        return self._now[number] / 1e6

    def moved(self, then: int) -> int:
        """A time of the recording. Pauses are cut at their beginning: what led to the webhook
        after a pause happened as long before it as it did."""
        place = bisect_right(self._then, then) - 1
        if place < 0:
            return self._now[0] - (self._then[0] - then)
        if place + 1 == len(self._then):
            return self._now[place] + (then - self._then[place])
        return max(self._now[place], self._now[place + 1] - (self._then[place + 1] - then))

    def told(self, raw: str) -> str:
        """A body with its times moved, each written as it was."""

        def iso(found: re.Match[str]) -> str:
            fraction = found[2] or ""
            moment = datetime.fromisoformat(f"{found[1]}{fraction}+00:00")
            then = self.moved(_micro(moment.timestamp()))
            now = datetime.fromtimestamp(then // 1_000_000, UTC)
            digits = f".{then % 1_000_000:06d}"[: len(fraction)]
            return f'"{now:%Y-%m-%dT%H:%M:%S}{digits}{found[3]}"'

        def unix(found: re.Match[str]) -> str:
            fraction = found[2] or ""
            seconds, micro = divmod(
                self.moved(
                    int(found[1]) * 1_000_000 + int((fraction[1:] or "0").ljust(6, "0")[:6])
                ),
                1_000_000,
            )
            return f"{seconds}.{micro:06d}" if fraction else str(seconds)

        return _UNIX.sub(unix, _ISO.sub(iso, raw))


def _micro(seconds: float) -> int:
    return round(seconds * 1_000) * 1_000 if seconds < 1e6 else round(seconds * 1_000_000)


class Files:
    """Serves some bytes for every address, as the recorded Chatwoot did with its own."""

    def __init__(self) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = f"the file at {self.path}".encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/octet-stream")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Files:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def arrivals(rhythm: Rhythm, seed: int | None) -> list[tuple[float, Webhook]]:
    """When each webhook is to come: as recorded or, with a seed, each late by up to 0.9 seconds."""
    rng = random.Random(seed)
    late = [0.0 if seed is None else rng.uniform(0, SHUFFLED) for _ in webhooks()]
    moments = [rhythm.arrival(number) + by for number, by in enumerate(late)]
    return sorted(zip(moments, webhooks(), strict=True), key=lambda arrival: arrival[0])


def send(address: str, secret: str, files: str, seed: int | None = None) -> float:
    """Send the day to a webhook address, in the recorded order or, with a seed, in another.

    As Chatwoot does, with several threads and a new connection for each webhook: an answer that
    takes long delays no other, and no connection is closed by the hub while it is used again.
    Answers how many seconds after its time the slowest was on disk: much, on a busy machine.
    """
    rhythm = Rhythm(time.time() + 0.5)
    with ThreadPoolExecutor(THREADS) as pool:

        def post(moment: float, webhook: Webhook, body: bytes) -> float:
            headers = _headers(webhook, secret, body)
            answer = requests.post(address, data=body, headers=headers, timeout=60)
            assert answer.status_code in (200, 202), (webhook.step, answer.status_code, answer.text)
            return time.time() - moment

        sent = []
        for moment, webhook in arrivals(rhythm, seed):
            body = rhythm.told(webhook.raw).replace(RECORDED_FILES, files).encode()
            time.sleep(max(0.0, moment - time.time()))
            sent.append(pool.submit(post, moment, webhook, body))
        return max(one.result() for one in sent)


def _headers(webhook: Webhook, secret: str, body: bytes) -> dict[str, str]:
    sent_at = str(int(time.time()))
    signed = hmac.new(secret.encode(), sent_at.encode() + b"." + body, hashlib.sha256)
    return {
        **webhook.headers,
        "x-chatwoot-timestamp": sent_at,
        "x-chatwoot-signature": f"sha256={signed.hexdigest()}",
    }

"""From a message to its record in the CRM, with the waiting for Chatwoot's order and without.

One message after the other, and ten at once whose webhooks overtake each other as a running
Chatwoot's did.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import requests
from sqlalchemy import func, select

from benchmarks import webhooks
from benchmarks.figures import Figures
from benchmarks.installation import Installation, installed, simulated_glpi
from hub.database import reading
from hub.models import Delivery, Event
from hub.policy import OrderPolicy

SERVICE_TIME = 0.020
#: Messages a second, and how many.
_RATE = 10.0
_MESSAGES = 200
#: Seconds from a message to its webhook, in the middle of a recorded day.
_LAG = 0.16
#: When each message of the recorded burst was said, and when its webhook came, in seconds.
_BURST = (
    *((0.000, 0.836), (0.005, 0.446), (0.019, 0.396), (0.334, 0.866), (0.340, 0.896)),
    *((0.341, 0.906), (0.343, 0.846), (0.457, 0.946), (0.468, 0.936), (0.524, 0.946)),
)
_BURSTS = 20

#: Seconds since 1970 of a message, and of its webhook, with its body.
_Told = tuple[float, float, dict[str, object]]


def measure(figures: Figures, quick: bool) -> None:
    """Both, before (in the order of arrival) and now."""
    for name, patience in (("arrival", 0.0), ("chatwoot", OrderPolicy().patience)):
        policy = f"order.patience={patience}"
        with simulated_glpi(SERVICE_TIME) as glpi, installed(glpi, policy=policy) as installation:
            installation.start_web()
            installation.start_sweeper()
            installation.start_workers()
            _round(installation, _singly(10))
            singly = _round(installation, _singly(_MESSAGES // (4 if quick else 1)))
            at_once = _round(installation, _at_once(_BURSTS // (4 if quick else 1)))
            for kind, seconds in (("message", singly), ("burst", at_once)):
                cuts = statistics.quantiles(seconds, n=100)
                figures.note(f"latency.{kind}.{name}.p50_ms", cuts[49] * 1000)
                figures.note(f"latency.{kind}.{name}.p95_ms", cuts[94] * 1000)


def _singly(number: int) -> Iterator[_Told]:
    for place in range(number):
        customer = json.loads(webhooks.Customer().first_message())
        yield place / _RATE, place / _RATE + _LAG, customer


def _at_once(number: int) -> Iterator[_Told]:
    for burst in range(number):
        customer = webhooks.Customer()
        for message, (said, came) in enumerate(_BURST):
            body = json.loads(customer.first_message())
            body["id"] += message
            yield burst * 1.5 + said, burst * 1.5 + came, body


def _round(installation: Installation, told: Iterator[_Told]) -> Sequence[float]:
    """Send each at its time; answers the seconds from each message to the end of its delivery."""
    with installation.app.app_context(), reading() as session:
        last = session.scalar(select(func.max(Event.id))) or 0
    begin = time.time() + 0.2
    address = f"http://127.0.0.1:{installation.port}{installation.path}"
    with requests.Session() as sender:
        for said, came, body in sorted(told, key=lambda item: item[1]):
            time.sleep(max(0.0, begin + came - time.time()))
            moment = datetime.fromtimestamp(begin + said, UTC)
            body["created_at"] = moment.isoformat(timespec="milliseconds")
            content = json.dumps(body).encode()
            headers = webhooks.headers(content)
            sender.post(address, data=content, headers=headers, timeout=30).raise_for_status()
    installation.wait_until_delivered()
    with installation.app.app_context(), reading() as session:
        rows = session.execute(
            select(Event.occurred_at, Delivery.finished_at)
            .join(Delivery, Delivery.event_id == Event.id)
            .where(Event.id > last)
        ).all()
    return [(row.finished_at - row.occurred_at).total_seconds() for row in rows if row.finished_at]

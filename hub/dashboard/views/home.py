"""The account's home: is all well, and if not, what first?"""

from __future__ import annotations

from flask import render_template

from hub.access.gate import needs
from hub.access.permissions import Permission
from hub.accounts import sources
from hub.dashboard import attention
from hub.dashboard.blueprint import account, blueprint
from hub.dashboard.chart import Chart
from hub.dashboard.formats import said_of
from hub.history import troubles
from hub.history.status import (
    last_hours,
    overview,
)
from hub.services import registry

#: Hours that the chart shows.
HOURS = 24
#: Causes that it lists.
TROUBLES = 10


@blueprint.get("/accounts/<int:account_id>/")
@needs(Permission.LOOK)
def home(account_id: int) -> str:
    """Each hook's health, the last hours, and what needs attention first."""
    standing = overview(account_id)
    hours = last_hours(account_id, HOURS)
    return render_template(
        "home.html",
        section="home",
        standing=standing,
        chart=Chart.of(hours),
        done_today=sum(hour.done for hour in hours),
        first=attention.first(account(), standing, sources.listed(account())),
        plugins=registry().plugins,
        troubles=troubles.of_account(account_id, registry().plugins),
        most_troubles=TROUBLES,
        said_of=said_of,
    )

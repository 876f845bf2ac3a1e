"""How much one has to read to follow a message through the hub: see ``tests/stations.py``."""

from __future__ import annotations

from tests.stations import told, trace

#: It was 287 at commit 3733788. Since then came what a message passes for the order of events, for
#: what is kept back, for state, and the front door of the web server: 379, and a few to spare for
#: what is built at the first message. It is to become less. Who adds a station takes one away, or
#: raises this and says in the commit what the new one is worth.
MOST = 382


def test_a_message_passes_no_more_stations_than_it_did():
    stations = trace()
    files = {station.file for station in stations}
    assert {"hub/inbox/listener.py", "hub/delivery/outcome.py"} <= files, "it went all the way"
    assert len(stations) <= MOST, told(stations)

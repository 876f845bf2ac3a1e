"""How much one has to read to follow a message through the hub: see ``tests/stations.py``."""

from __future__ import annotations

from tests.stations import told, trace

#: What it was when this was written, 287 at commit 3733788. It is to become less. Who adds a
#: station takes one away, or raises this and says in the commit what the new one is worth.
MOST = 346


def test_a_message_passes_no_more_stations_than_it_did():
    stations = trace()
    files = {station.file for station in stations}
    assert {"hub/inbox/listener.py", "hub/delivery/outcome.py"} <= files, "it went all the way"
    assert len(stations) <= MOST, told(stations)

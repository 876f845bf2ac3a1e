"""The worker processes of one machine."""

from __future__ import annotations

from hub.fleet.supervisor import Child, Supervisor, hub_command

#: Processes: two use two cores, and one goes on when a plugin takes the other down.
PROCESSES = 2
#: Lanes in progress at once in each process.
THREADS = 16
#: Seconds that a process has to finish what it does when told to stop.
GRACE = 45.0
#: Threads that share their memory's pools instead of keeping one each need a fifth less.
_ENVIRONMENT = {"MALLOC_ARENA_MAX": "2"}


def run(processes: int, threads: int) -> None:
    """Run worker processes until told to stop."""
    supervisor = Supervisor(together=True)
    supervisor.stop_on_signals()
    command = hub_command("worker-process", "--threads", str(threads))
    for number in range(processes):
        name = f"worker {number + 1}"
        supervisor.add(Child(name, command, environment=_ENVIRONMENT, grace=GRACE))
    supervisor.run()

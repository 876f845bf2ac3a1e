"""``python -m hub_leadsquared.simulator``."""

from hub_leadsquared.simulator.cli import leadsquared_simulator

if __name__ == "__main__":
    leadsquared_simulator()

"""``python -m hub_glpi.simulator``."""

from hub_glpi.simulator.cli import glpi_simulator

if __name__ == "__main__":
    glpi_simulator()

"""The simulator as a command."""

from __future__ import annotations

import click

from hub_glpi.simulator.releases import RELEASES
from hub_glpi.simulator.server import APP_TOKEN, USER_TOKEN, GlpiSimulator


@click.command("glpi-simulator")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8091, show_default=True, help="Port; 0 takes a free one.")
@click.option(
    "--service-time",
    default=0.0,
    show_default=True,
    metavar="MS",
    help="Milliseconds of work for each request.",
)
@click.option(
    "--version",
    type=click.Choice(sorted(RELEASES)),
    default="10.0.14",
    show_default=True,
    help="The GLPI release to behave like.",
)
@click.option("--app-token", default=APP_TOKEN, show_default=True)
@click.option("--user-token", default=USER_TOKEN, show_default=True)
@click.option("--seed-data", is_flag=True, help="Start with a few people, an entity, a category.")
def glpi_simulator(
    host: str,
    port: int,
    service_time: float,
    version: str,
    app_token: str,
    user_token: str,
    seed_data: bool,
) -> None:
    """Run a GLPI in memory until Ctrl-C. Nothing is kept."""
    simulator = GlpiSimulator(
        host=host,
        port=port,
        service_time=service_time / 1000,
        version=version,
        app_token=app_token,
        user_token=user_token,
    )
    if seed_data:
        simulator.seed()

    def announce() -> None:
        click.echo(f"GLPI {version} (simulated)")
        click.echo(f"  URL         {simulator.api_url}")
        click.echo(f"  App-Token   {app_token}")
        click.echo(f"  user token  {user_token}")
        click.echo(f"  control     {simulator.url}/__simulator__/state")

    simulator.run_forever(announce)

"""The simulator as a command."""

from __future__ import annotations

import click

from hub_leadsquared.simulator.server import ACCESS_KEY, SECRET_KEY, LeadSquaredSimulator


@click.command("leadsquared-simulator")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8092, show_default=True, help="Port; 0 takes a free one.")
@click.option(
    "--service-time",
    default=0.0,
    show_default=True,
    metavar="MS",
    help="Milliseconds of work for each request.",
)
@click.option(
    "--calls",
    default=10,
    show_default=True,
    help="Calls allowed in 5 seconds, as the customer's plan says; 0: any number.",
)
@click.option("--access-key", default=ACCESS_KEY, show_default=True)
@click.option("--secret-key", default=SECRET_KEY, show_default=True)
@click.option("--seed-data", is_flag=True, help="Start with a few leads.")
def leadsquared_simulator(
    host: str,
    port: int,
    service_time: float,
    calls: int,
    access_key: str,
    secret_key: str,
    seed_data: bool,
) -> None:
    """Run a LeadSquared in memory until Ctrl-C. Nothing is kept."""
    simulator = LeadSquaredSimulator(
        host=host,
        port=port,
        service_time=service_time / 1000,
        calls=calls or None,
        access_key=access_key,
        secret_key=secret_key,
    )
    if seed_data:
        simulator.seed()

    def announce() -> None:
        click.echo("LeadSquared (simulated)")
        click.echo(f"  API address  {simulator.url}")
        click.echo(f"  access key   {access_key}")
        click.echo(f"  secret key   {secret_key}")
        click.echo(f"  control      {simulator.url}/__simulator__/state")

    simulator.run_forever(announce)

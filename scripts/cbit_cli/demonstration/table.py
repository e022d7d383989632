"""The table that a demonstration prints."""

import click

from cbit_cli.demonstration.run import Run

__all__ = ["print_table"]


def print_table(run: Run) -> None:
    """What each observer read, and what it cost, on standard output."""
    click.echo(f"{'observer':20} {'reads':10} {'equal bytes':>11} {'by chance':>9} {'sigmas':>6}")
    for observer, area, agreement in run.agreements():
        is_equal = agreement.equal == agreement.total
        sigmas = "equal" if is_equal else f"{agreement.sigmas:+.1f}"
        click.echo(f"{observer:20} {area:10} {agreement.equal:11} {agreement.expected:9.0f} {sigmas:>6}")
    click.echo(f"\n{'latency, cycles':16} {'wire':>5} {'engine':>6} {'added':>5} {'loaded: median':>14} {'99 %':>5}")
    for latency in run.cost.latency:
        click.echo(f"{latency.kind:16} {latency.wire:5g} {latency.engine:6g} {latency.added:5g} "
                   f"{latency.loaded_median:14g} {latency.loaded_tail:5}")
    click.echo(f"\n{'beats a cycle':16} {'wire':>5} {'engine':>6} {'ratio':>5}")
    for bandwidth in run.cost.bandwidth:
        click.echo(f"{bandwidth.kind:16} {bandwidth.wire:5.2f} {bandwidth.engine:6.2f} {bandwidth.ratio:5.2f}")

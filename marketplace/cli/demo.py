"""`marketplace demo`: a province lives through a year, and is then served."""

from __future__ import annotations

import click

SCALES = ("small", "province", "nation")


@click.command()
@click.option("--scale", type=click.Choice(SCALES), default="small", show_default=True)
@click.option("--seed", type=int, default=2025, show_default=True, help="Same seed, same province.")
@click.option("--serve/--no-serve", "then_serve", default=True, help="Serve it afterwards.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to serve on.")
@click.option("--keep", is_flag=True, help="Build into the configured database, not an own one.")
def demo(scale: str, seed: int, then_serve: bool, port: int | None, keep: bool) -> None:
    """Build a province from real facts, run its year, prove the books, and serve it.

    small: a dozen units and some hundred orders, under two minutes. province: about 700 units and
    9,000 instruments. nation: 4,000 units and 133,000 instruments, which takes its time.
    """
    from marketplace.demo.command import run_demo

    run_demo(scale=scale, seed=seed, then_serve=then_serve, port=port, keep=keep)

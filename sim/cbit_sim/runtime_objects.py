"""Verilator's own runtime, compiled once for all models that are built alike: it takes longer than a small model."""

import shutil
from pathlib import Path

__all__ = ["keep", "lend"]

_OBJECTS = "verilated*.[od]"


def lend(store: Path, build: Path) -> list[list[str]]:
    """The commands that put what is in the store where a model is to be built.

    Make takes it, and compiles nothing, if it comes after the model's makefile.
    """
    objects = sorted(map(str, store.glob(_OBJECTS)))
    return [["cp", *objects, str(build)]] if objects else []


def keep(build: Path, store: Path) -> None:
    """Puts what a build has compiled into the store, if that is not there."""
    objects = [*build.glob(_OBJECTS)]
    if store.exists() or not objects:
        return
    unfinished = store.with_name(f"{store.name}-of-{build.name}")
    unfinished.mkdir(exist_ok=True)
    for path in objects:
        shutil.copy(path, unfinished)
    try:
        unfinished.rename(store)
    except OSError:  # another process was first
        shutil.rmtree(unfinished)

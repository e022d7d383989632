"""Rows of a benchmark as text."""

from collections.abc import Sequence
from typing import Any

from cbit_cli.benchmark.rows import Row
from cbit_fpga.placement import Placement
from cbit_fpga.placer import ROUTERS

__all__ = ["aligned", "paths", "readme_table", "table"]

_COLUMNS = ("", "LUT4", "registers", "RAM 16x4", "block RAMs", "MHz", "of each seed", "Gb/s", "Gb/s per kLUT4",
            "read adds", "bandwidth", "netlist")


def table(rows: Sequence[Row]) -> str:
    """For a terminal. Columns without a figure are left out."""
    lines = [_COLUMNS, *(_cells(row) for row in rows)]
    used = [column for column in range(len(_COLUMNS)) if any(line[column] for line in lines[1:])]
    return aligned([[line[column] for column in used] for line in lines])


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.rjust(width) if column else cell.ljust(width)
                               for column, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    cells, measured, figures = row.measurement.cells, row.measurement, row.figures
    read = row.latency_cycles.get("encrypted_read")
    return (
        row.name, f"{cells.luts}", f"{cells.registers}", f"{cells.ram_16x4}", f"{cells.block_rams}",
        f"{measured.mhz:.1f}" if measured.mhz else "no room" if measured.failure else "",
        " ".join(_clock(placement) for placement in measured.placements),
        f"{figures.gbps:.1f}" if figures else "", f"{figures.gbps_per_kilolut:.2f}" if figures else "",
        f"{read} = {figures.nanoseconds(read):.0f} ns" if figures and read is not None else "",
        f"{row.bandwidth['encrypted mixed']:.2f}" if row.bandwidth else "",
        f"{row.checked} right" if row.checked is not None else "")


def _clock(placement: Placement) -> str:
    usual = placement.router == ROUTERS[0]
    return f"{placement.mhz:.1f}" if usual else f"{placement.mhz:.1f} ({placement.router})"


def paths(row: Row) -> str:
    """The slowest path of the placement that has the median clock, hop by hop."""
    placements = sorted(row.measurement.placements, key=lambda placement: placement.mhz)
    if not placements:
        return f"{row.name}: not placed"
    placement = placements[len(placements) // 2]
    hops = placement.critical_path
    routing = sum(hop.delay_ns for hop in hops if hop.kind == "routing")
    total = sum(hop.delay_ns for hop in hops)
    return "\n".join([
        f"{row.name}, seed {placement.seed}: {total:.2f} ns, of them {routing:.2f} ns of routing",
        *(f"  {hop.delay_ns:5.2f} {hop.kind:8} {hop.signal}  {' '.join(hop.sources)}".rstrip()
          for hop in hops if hop.delay_ns)])


def readme_table(results: dict[str, Any]) -> str:
    """Markdown of the engines in the JSON of a benchmark."""
    if not results["rows"]:
        return "No preset has been measured yet."
    lines = ["| preset | LUT4 | block RAMs | MHz | Gb/s each way | Gb/s per kLUT4 | encrypted read adds | bandwidth |",
             "|---|---|---|---|---|---|---|---|"]
    for row in results["rows"]:
        size = f"| `{row['preset']}` | {row['luts']:,} | {row['cells']['block_rams']} |"
        if row["mhz_median"] is None:
            why = "does not fit" if row["failure"] else "not placed"
            lines.append(f"{size} {why} | | | {row['latency_cycles']['encrypted_read']} cycles | |")
            continue
        clocks = row["mhz"].values()
        bandwidth = f"{row['bandwidth']['encrypted mixed']:.2f}" if row["bandwidth"] else ""
        lines.append(
            f"{size} {row['mhz_median']:.0f} ({min(clocks):.0f}–{max(clocks):.0f}) | {row['gbps']:.1f} | "
            f"{row['gbps_per_kilolut']:.2f} | {row['latency_cycles']['encrypted_read']} cycles, "
            f"{row['latency_ns']['encrypted_read']:.0f} ns | {bandwidth} |")
    return "\n".join(lines)

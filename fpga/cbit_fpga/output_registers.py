"""The registers of ECP5's block RAMs: yosys leaves them unused, and puts flip-flops behind the block RAM instead."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["absorb_output_registers"]

_BLOCK_RAM = "DP16KD"
_REGISTER = "TRELLIS_FF"
_OUTPUTS = {port: [f"DO{port}{place}" for place in range(18)] for port in "AB"}
_WIDTHS = (1, 2, 4, 9, 18, 36)
_WIDE = 36
_LOW, _HIGH = ["0"], ["1"]

_Cells = Mapping[str, Mapping[str, Any]]


def absorb_output_registers(netlist: Mapping[str, Any]) -> int:
    """Moves registers behind block RAMs into them (Lattice FPGA-TN-02204, ``REGMODE``), and returns how many.

    A read port is changed if each of its bits that is used at all goes to one register and nowhere else; if these have
    the edge of the port's clock, one enable and no reset, and start as zeros, as those of a block RAM do; and if the
    port is never reset, for that would reset its register, too. Where the port itself waits for an enable, its register
    must wait for the same. All else stays as it is.

    Parameters
    ----------
    netlist : mapping
        As yosys writes it in JSON, mapped to cells of ECP5. It is changed in place.
    """
    return sum(_absorb_in(module) for module in netlist["modules"].values())


def _absorb_in(module: Mapping[str, Any]) -> int:
    cells = module["cells"]
    block_rams = [cell for cell in cells.values() if cell["type"] == _BLOCK_RAM]
    loads = _loads(module) if block_rams else {}
    absorbed = 0
    for block_ram in block_rams:
        for ports in _read_ports(block_ram):
            registers = _registers(block_ram, ports, cells, loads)
            enable = _enable(block_ram, ports, [cells[name] for name in registers.values()])
            if enable is None:
                continue
            for port in ports:
                block_ram["parameters"][f"REGMODE_{port}"] = "OUTREG"
                block_ram["connections"][f"OCE{port}"] = enable
            for output, name in registers.items():
                block_ram["connections"][output] = cells.pop(name)["connections"]["Q"]
            absorbed += len(registers)
    return absorbed


def _loads(module: Mapping[str, Any]) -> dict[int | str, list[tuple[str, str]]]:
    """Of each bit, the inputs of cells and the ports of the module that it goes to."""
    found: dict[int | str, list[tuple[str, str]]] = {}
    for name, cell in module["cells"].items():
        for port, bits in cell["connections"].items():
            if cell.get("port_directions", {}).get(port) != "output":
                for bit in bits:
                    found.setdefault(bit, []).append((name, port))
    for name, port in module["ports"].items():
        for bit in port["bits"]:
            found.setdefault(bit, []).append(("", name))
    return found


def _read_ports(block_ram: Mapping[str, Any]) -> Iterator[str]:
    """Its ports that may be changed; outputs of both are one where B reads words of 36 bits, with the clock of B."""
    width = block_ram["parameters"].get("DATA_WIDTH_B", "")
    if width not in {f"{number:032b}" for number in _WIDTHS}:
        return
    for ports in ("AB",) if int(width, 2) == _WIDE else ("A", "B"):
        modes = {block_ram["parameters"].get(f"REGMODE_{port}", "NOREG") for port in ports}
        if modes == {"NOREG"} and block_ram["connections"].get(f"RST{ports[-1]}") == _LOW:
            yield ports


def _registers(block_ram: Mapping[str, Any], ports: str, cells: _Cells,
               loads: Mapping[int | str, list[tuple[str, str]]]) -> dict[str, str]:
    """Of each output of ports that is used, the register that alone uses it; none if one has another use."""
    found: dict[str, str] = {}
    for output in (output for port in ports for output in _OUTPUTS[port]):
        for bit in block_ram["connections"].get(output, ()):
            users = loads.get(bit, [])
            if not users:
                continue
            (name, pin), *others = users
            if others or pin != "DI" or cells.get(name, {}).get("type") != _REGISTER:
                return {}
            found[output] = name
    return found


def _enable(block_ram: Mapping[str, Any], ports: str, registers: list[Mapping[str, Any]]) -> list[Any] | None:
    """What enables the registers of ports; :data:`None` if there are none, or none that a block RAM could replace."""
    port = ports[-1]
    parameters, connections = block_ram["parameters"], block_ram["connections"]
    if parameters.get(f"CLK{port}MUX", f"CLK{port}") != f"CLK{port}":
        return None
    enables = [_enable_of(register, connections[f"CLK{port}"]) for register in registers]
    if not enables or any(enable != enables[0] for enable in enables):
        return None
    # A block RAM's register heeds no enable but its own. Not to rely on that costs nothing: there is no such port.
    return enables[0] if connections.get(f"CE{port}") in (_HIGH, enables[0]) else None


def _enable_of(register: Mapping[str, Any], clock: list[Any]) -> list[Any] | None:
    """What enables a register; :data:`None` if a block RAM has none that behaves so."""
    parameters, connections = register["parameters"], register["connections"]
    wanted = {"CLKMUX": "CLK", "REGSET": "RESET", "LSRMUX": "LSR", "LSRMODE": "LSR"}
    if any(parameters.get(name, value) != value for name, value in wanted.items()):
        return None
    if connections["CLK"] != clock or connections.get("LSR") != _LOW or "keep" in register.get("attributes", {}):
        return None
    # Yosys puts a space behind a word that could be taken for a number.
    match parameters.get("CEMUX", "").strip():
        case "1":
            return _HIGH
        case "CE":
            return list(connections["CE"])
        case _:
            return None

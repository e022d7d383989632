"""The registers of ECP5's block RAMs: yosys leaves them unused, and puts flip-flops behind the block RAM instead."""

from collections.abc import Mapping
from typing import Any

__all__ = ["absorb_output_registers"]

_BLOCK_RAM = "DP16KD"
_REGISTER = "TRELLIS_FF"
_OUTPUTS = {port: [f"DO{port}{place}" for place in range(18)] for port in "AB"}
_WIDE = 36
_LOW, _HIGH = "0", "1"


def absorb_output_registers(netlist: Mapping[str, Any]) -> int:
    """Moves registers behind block RAMs into them (ECP5 memory usage guide, `REGMODE`), and returns how many.

    A read port is changed if each of its bits that is used at all goes to one register and nowhere else, and all
    these have the clock of the port, a common enable and no reset. The registers of a block RAM start as zeros; one
    that starts as a one stays.

    Parameters
    ----------
    netlist : mapping
        As yosys writes it in JSON, mapped to cells of ECP5. It is changed in place.
    """
    return sum(_absorb_in_module(module) for module in netlist["modules"].values())


def _absorb_in_module(module: Mapping[str, Any]) -> int:
    cells = module["cells"]
    block_rams = [cell for cell in cells.values() if cell["type"] == _BLOCK_RAM]
    if not block_rams:
        return 0
    loads = _loads(module)
    absorbed = 0
    for cell in block_rams:
        for ports in _read_ports(cell):
            registers = _registers(cell, ports, cells, loads)
            for output, name in registers.items():
                cell["connections"][output] = cells.pop(name)["connections"]["Q"]
            absorbed += len(registers)
    return absorbed


def _loads(module: Mapping[str, Any]) -> dict[int, list[tuple[str, str]]]:
    """Of each bit, the inputs of cells and the ports of the module that it goes to."""
    found: dict[int, list[tuple[str, str]]] = {}
    for name, cell in module["cells"].items():
        for port, bits in cell["connections"].items():
            if cell.get("port_directions", {}).get(port) != "output":
                for bit in bits:
                    found.setdefault(bit, []).append((name, port))
    for name, port in module["ports"].items():
        for bit in port["bits"]:
            found.setdefault(bit, []).append(("", name))
    return found


def _read_ports(block_ram: Mapping[str, Any]) -> tuple[str, ...]:
    """Its ports, the outputs of both together where B reads words of 36 bits. The last of each gives the clock."""
    return ("AB",) if int(block_ram["parameters"]["DATA_WIDTH_B"], 2) == _WIDE else ("A", "B")


def _registers(block_ram: Mapping[str, Any], ports: str, cells: Mapping[str, Any],
               loads: Mapping[int, list[tuple[str, str]]]) -> dict[str, str]:
    """Of each output of ports, its register; none if they can not move. The ports are set up for those that do."""
    parameters, connections = block_ram["parameters"], block_ram["connections"]
    clock, reset = connections[f"CLK{ports[-1]}"], connections.get(f"RST{ports[-1]}", [_LOW])
    if parameters[f"REGMODE_{ports[-1]}"] != "NOREG" or reset != [_LOW]:
        return {}
    found: dict[str, str] = {}
    for output in (output for port in ports for output in _OUTPUTS[port]):
        for bit in connections.get(output, ()):
            users = loads.get(bit, [])
            if not users:
                continue
            (name, pin), *others = users
            if others or pin != "DI" or cells.get(name, {}).get("type") != _REGISTER:
                return {}
            found[output] = name
    enables = {_enable(cells[name], clock) for name in found.values()}
    if len(enables) != 1 or None in enables:
        return {}
    (enable,) = enables
    for port in ports:
        parameters[f"REGMODE_{port}"] = "OUTREG"
        connections[f"OCE{port}"] = [enable]
    return found


def _enable(register: Mapping[str, Any], clock: list[Any]) -> Any:
    """The bit that enables a register; :data:`None` if a block RAM has none that behaves so."""
    parameters, connections = register["parameters"], register["connections"]
    plain = (connections["CLK"] == clock and parameters.get("CLKMUX", "CLK") == "CLK"
             and parameters.get("REGSET", "RESET") == "RESET" and connections.get("LSR", [_LOW]) in ([], [_LOW]))
    if not plain:
        return None
    match parameters["CEMUX"].strip():
        case "1":
            return _HIGH
        case "CE":
            return connections["CE"][0]
        case _:
            return None

"""The registers as PeakRDL's exporters write them, straight from the description."""

import tempfile
import xml.etree.ElementTree as ET
from importlib import metadata
from pathlib import Path

from peakrdl_html import HTMLExporter
from peakrdl_ipxact import IPXACTExporter, Standard

from cbit.csr.map import MAP_NAMES, description

__all__ = ["ip_xact", "write_html"]

_IP_XACT = "http://www.accellera.org/XMLSchema/IPXACT/1685-2014"


def ip_xact() -> str:
    """A component of IEEE 1685-2014 with a memory map for each bus."""
    ET.register_namespace("ipxact", _IP_XACT)
    first, *others = (_component(map_name) for map_name in MAP_NAMES)
    maps = first.find(f"{{{_IP_XACT}}}memoryMaps")
    assert maps is not None
    for other in others:
        maps.extend(other.iter(f"{{{_IP_XACT}}}memoryMap"))
    ET.indent(first)
    return ET.tostring(first, encoding="unicode", xml_declaration=True) + "\n"


def _component(map_name: str) -> ET.Element:
    exporter = IPXACTExporter(vendor="cbit", library="cbit", version=metadata.version("cbit"),
                              standard=Standard.IEEE_1685_2014)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "component.xml"
        exporter.export(description(map_name), str(path), component_name="cbit")
        return ET.parse(path).getroot()


def write_html(folder: Path) -> None:
    """Pages that a browser shows, ``index.html`` first; the folder is made anew."""
    HTMLExporter().export([description(map_name) for map_name in MAP_NAMES], str(folder), title="Registers of Cbit")

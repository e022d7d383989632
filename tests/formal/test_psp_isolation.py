"""Where in the netlist there is a way between the host and what is in the security processor."""

import functools

import pytest

from cbit.config import EngineConfig
from cbit.psp.platform import Platform
from cbit.psp.psp import Psp
from cbit.psp.system import DEVELOPMENT_SECRET
from cbit_sim.flow import Flow

CONFIG = EngineConfig(asid_count=2, addr_width=32, c_bit=31, id_width=1, max_outstanding=4, duplex=False, unroll=1)

SECRETS = ("processor.", "program.", "buffer.", "window.", "sha.", "aes.", "dma.", "p384.", "entropy.", "noise.",
           "system.device_secret__")
"""What is in the security processor, and not to be shown."""

WORDS = ("mailbox.mailbox_command__value", "mailbox.mailbox_low__value", "mailbox.mailbox_high__value",
         "mailbox.mailbox_response__refuse", "mailbox.waits")
"""What the processor is told of what the host writes: the three words, and that there are some."""

ANSWERS = ("mailbox.mailbox_response__data", "mailbox.mailbox_response__write", "mailbox.code", "mailbox.released",
           "host_release")
"""What the host is told: the status and that there is one, the boot code, and its release."""

FROM_MANAGER = {"aw": ("valid", "payload"), "w": ("valid", "payload"), "ar": ("valid", "payload"), "b": ("ready",),
                "r": ("ready",)}
"""What a manager drives of a bus."""

FROM_SUBORDINATE = {"aw": ("ready",), "w": ("ready",), "ar": ("ready",), "b": ("valid", "payload"),
                    "r": ("valid", "payload")}
"""What a subordinate drives."""


def wires(bundle, driven):
    return [f"{bundle}__{channel}__{name}" for channel, names in driven.items() for name in names]


COMMANDS = (*wires("m_axil_engine", FROM_MANAGER), *wires("m_axi", FROM_MANAGER))
"""What is asked of the engine's registers and, by the DMA, of memory."""

DRAM = (*wires("m_axil_dram", FROM_MANAGER), "dram_open")
"""Where DRAM is leveled, what is asked of its controller's registers, and that it is open."""


def psp(kind=Psp, **options):
    return kind(firmware=b"", device_secret=DEVELOPMENT_SECRET, memory_bytes=1 << 20, addr_width=CONFIG.addr_width,
                id_width=CONFIG.id_width, c_bit=CONFIG.c_bit, asid_count=CONFIG.asid_count, simulated_entropy=True,
                **options)


def parts(flow, names):
    """The parts of the security processor in which signals are."""
    clocked = {name.removesuffix(".clk") for name in flow.signals if name.endswith(".clk")}
    return {name.split(".")[0] for name in names} & clocked


@functools.cache
def flow_of(*, levels_dram):
    return Flow(psp(dram_table=(1, 2, 3) if levels_dram else None))


@pytest.fixture(params=[False, True], ids=["plain", "levels DRAM"])
def flow(request):
    return flow_of(levels_dram=request.param)


def test_the_mailbox_port_reaches_the_words_of_the_mailbox_only(flow):
    sources = wires("s_axil_mailbox", FROM_MANAGER)
    reached = flow.reached(sources, declassified=WORDS)
    assert parts(flow, reached) == {"mailbox"}
    assert {"processor", "program", "bank", "interrupts", "system"} <= parts(flow, flow.signals)
    assert flow.outputs & reached == {*wires("s_axil_mailbox", FROM_SUBORDINATE), "mailbox_irq"}
    assert "processor.bus__dat_r" in flow.reached(sources)


def test_the_host_is_shown_answers_only(flow):
    """Nothing in the security processor has an effect on what leaves it, but by what it is to tell, by registers of the
    engine, and by accesses of its DMA."""
    sources = [name for name in flow.signals if name.startswith(SECRETS) and not name.endswith((".clk", ".rst"))]
    assert {"program.bus__dat_r", "buffer.processor__read_data", "aes.key"} <= set(sources)
    dram = [name for name in DRAM if name in flow.signals]
    assert not flow.outputs & flow.reached(sources, declassified=[*ANSWERS, *COMMANDS, *dram])


def test_registers_of_dram_are_reached_by_the_processor_only():
    """Nothing of the host has an effect on what is asked of them, nor of their answers on what it is shown, but by what
    the processor tells it."""
    flow = flow_of(levels_dram=True)
    sources = wires("s_axil_mailbox", FROM_MANAGER)
    assert {"m_axil_dram__w__payload", "dram_open"} <= flow.reached(sources)
    assert not flow.reached(sources, declassified=WORDS) & {*DRAM}
    answers = flow.reached(wires("m_axil_dram", FROM_SUBORDINATE), declassified=[*ANSWERS, *COMMANDS, *DRAM])
    assert "processor.bus__dat_r" in answers
    assert not answers & flow.outputs - {*DRAM, *COMMANDS}


def test_memory_comes_to_the_processor_by_the_buffer_only(flow):
    source = "m_axi__r__payload.data"
    reached = flow.reached([source], declassified=["buffer.processor__read_data"])
    assert any(name.startswith("buffer.") for name in reached)
    assert not any(name.startswith(("processor.", "program.", "mailbox.")) for name in reached)
    assert "processor.bus__dat_r" in flow.reached([source])


class ShowsMemory(Psp):
    """A fault: the boot code is what the processor reads."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.mailbox.code.eq(self.program.bus.dat_r)
        return m


class LetsWrite(Psp):
    """A fault: what the host writes to the mailbox says where the code ends."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.program.code_pages.eq(self.mailbox.s_axil.w.p.data)
        return m


@pytest.mark.slow
def test_planted_ways_are_found():
    shows = Flow(psp(ShowsMemory))
    answers = [name for name in ANSWERS if name != "mailbox.code"]
    reached = shows.reached(["program.bus__dat_r"], declassified=[*answers, *COMMANDS])
    assert reached & shows.outputs == {"s_axil_mailbox__r__payload"}
    lets_write = Flow(psp(LetsWrite))
    reached = lets_write.reached(wires("s_axil_mailbox", FROM_MANAGER), declassified=WORDS)
    assert "program.stray" in reached


@pytest.mark.slow
def test_managers_and_registers_of_the_host_reach_answers_of_the_engine_only():
    """In a whole platform; and the mailbox's port reaches nothing of the engine. What is in the security processor is
    shown at no port but by its answers, and by what its DMA and its accesses of registers tell the engine."""
    flow = Flow(Platform(CONFIG, firmware=b"", memory_bytes=1 << 20, simulated_entropy=True))
    answers = [*wires("engine_crossing.o", FROM_SUBORDINATE), *wires("dma_crossing.o", FROM_SUBORDINATE), "engine.irq"]
    hosts = [*wires("s_axi", FROM_MANAGER), *wires("s_axil_host", FROM_MANAGER)]
    reached = flow.reached(hosts, declassified=answers)
    assert "m_axi__aw__payload" in reached
    assert not any(name.startswith("psp.") for name in reached)
    assert "psp.buffer.processor__read_data" in flow.reached(hosts)
    words = [f"psp.{name}" for name in WORDS]
    reached = flow.reached(wires("s_axil_mailbox", FROM_MANAGER), declassified=words)
    assert flow.outputs & reached == {f"s_axil_mailbox__{rest}" for rest in (
        "aw__ready", "w__ready", "ar__ready", "b__valid", "b__payload", "r__valid", "r__payload")} | {"mailbox_irq"}
    secrets = tuple(f"psp.{name}" for name in SECRETS)
    told = {f"psp.dma.{name}" for name in wires("m_axi", FROM_SUBORDINATE)}
    sources = [name for name in flow.signals - told if name.startswith(secrets) and not name.endswith(("_clk", "_rst"))]
    assert "psp.buffer.processor__read_data" in sources
    assert not flow.outputs & flow.reached(sources, declassified=[f"psp.{name}" for name in (*ANSWERS, *COMMANDS)])
    assert "s_axi__r__payload" in flow.reached(sources)

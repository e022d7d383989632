"""The XTS unit: the lanes and the tweaks of both directions, and the keys of all slots."""

from amaranth import Cat, Const, Module, Signal
from amaranth.hdl import Shape, ShapeLike, Value, unsigned
from amaranth.lib import stream
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import Component, In, Out, connect

from cbit.axi.beat import BeatShape
from cbit.config import SBox
from cbit.keys.types import RoundKeyPairSignature
from cbit.stream.hop import Hop
from cbit.stream.queue import ReservedQueue
from cbit.stream.slice import RegisterSlice
from cbit.stream.turns import Turns
from cbit.xts.lane import Direction, XtsLane
from cbit.xts.ports import lane_input_layout, lane_output_layout, tweak_request_layout, tweak_result_layout
from cbit.xts.self_test import SelfTest
from cbit.xts.tweak import TweakEngine

__all__ = ["XtsUnit"]

DIRECTIONS = {"read": Direction.DECRYPT, "write": Direction.ENCRYPT}

PATHS = tuple(DIRECTIONS)


class XtsUnit(Component):
    """Decrypts for the read path, encrypts for the write path, and makes the tweaks of both.

    Latency, throughput and stalls: those of :class:`XtsLane` and :class:`TweakEngine`; tweaks come as fast
    as whole lines need them, and with ``pipelined_requests`` a request waits two cycles before it is begun.
    Without ``duplex`` one lane serves both paths, in turn where both want it; the paths take turns at
    the tweaks, too, but where each needs a tweak a cycle: then each has a tweak engine of its own.

    Parameters
    ----------
    data_width, key_bits, data_unit_bytes, duplex, unroll, rounds_per_cycle, cycles_per_round, pipelined, sbox,
    block_ram_rounds
        As in :class:`~cbit.config.EngineConfig`.
    pipelined_requests : :class:`bool`
        Whether registers part requests for tweaks from the tweak engine.
    c_bit : :class:`int`
        Bits of a DRAM address.
    slots : :class:`int`
        Number of key slots.
    read_entries, write_entries : :class:`int`
        Bursts in flight in each direction.
    read_tag, write_tag : :class:`ShapeLike`
        Shapes of what goes beside a beat in each direction.

    Members
    -------
    read_i, read_o, write_i, write_o
        The ends of the decrypting and of the encrypting lane.
    read_tweak_request, write_tweak_request : ``In(stream.Signature(tweak_request_layout(...), always_ready=True))``
    read_tweak, write_tweak : ``Out(stream.Signature(tweak_result_layout(...), always_ready=True))``
    round_key : ``In(RoundKeyPairSignature(...))``
    self_test_keys : ``In(1)``
        The keys of the self-test have come into use in slot 0. Nothing else comes until ``self_test_busy`` has fallen.
    self_test_busy, self_test_failed : ``Out(1)``
        ``busy`` and ``failed`` of :class:`SelfTest`.
    """

    def __init__(self, *, data_width: int, key_bits: int, c_bit: int, slots: int, data_unit_bytes: int, duplex: bool,
                 unroll: int, rounds_per_cycle: int, cycles_per_round: int, pipelined: bool,
                 pipelined_requests: bool, sbox: SBox, block_ram_rounds: int, read_entries: int, write_entries: int,
                 read_tag: ShapeLike, write_tag: ShapeLike) -> None:
        self.data_width = data_width
        self.duplex = duplex
        self.pipelined_requests = pipelined_requests
        self.entries = {"read": read_entries, "write": write_entries}
        self.slot_width = (slots - 1).bit_length()
        common = {"key_bits": key_bits, "slots": slots, "rounds_per_cycle": rounds_per_cycle,
                  "cycles_per_round": cycles_per_round, "pipelined": pipelined, "sbox": sbox}
        if duplex:
            lanes = {path: (DIRECTIONS[path], tag) for path, tag in zip(PATHS, (read_tag, write_tag))}
        else:
            either = max(Shape.cast(tag).width for tag in (read_tag, write_tag))
            lanes = {"shared": (Direction.BOTH, StructLayout({"is_read": unsigned(1), "tag": unsigned(either)}))}
        self.lanes = {}
        for name, (direction, tag) in lanes.items():
            lane = XtsLane(direction=direction, data_width=data_width, unroll=unroll, tag_shape=tag,
                           block_ram_rounds=block_ram_rounds, **common)
            self.lanes[name] = lane
            block_ram_rounds -= lane.block_ram_rounds
        self.tweak_tag = StructLayout({"is_read": unsigned(1), "index": range(max(self.entries.values()))})
        line_cycles = BeatShape(data_width).per_line * next(iter(self.lanes.values())).turns
        every_cycles = line_cycles // len(self.lanes)
        self.tweaks = {}
        for name in ("shared",) if every_cycles else PATHS:
            engine = TweakEngine(
                data_unit_bytes=data_unit_bytes, addr_width=c_bit, tag_shape=self.tweak_tag,
                every_cycles=every_cycles or line_cycles, block_ram_rounds=block_ram_rounds, **common)
            self.tweaks[name] = engine
            block_ram_rounds -= engine.block_ram_rounds
        self.key_bits = key_bits
        members = {
            "round_key": In(RoundKeyPairSignature(asid_count=slots, key_bits=key_bits)),
            "self_test_keys": In(1),
            "self_test_busy": Out(1),
            "self_test_failed": Out(1),
        }
        for path, tag in (("read", read_tag), ("write", write_tag)):
            entries = self.entries[path]
            lane = {"data_width": data_width, "tag": tag}
            request = tweak_request_layout(c_bit=c_bit, slot_width=self.slot_width, entries=entries)
            members |= {
                f"{path}_i": In(stream.Signature(lane_input_layout(slot_width=self.slot_width, **lane))),
                f"{path}_o": Out(stream.Signature(lane_output_layout(**lane), always_ready=True)),
                f"{path}_tweak_request": In(stream.Signature(request, always_ready=True)),
                f"{path}_tweak": Out(stream.Signature(tweak_result_layout(entries=entries), always_ready=True)),
            }
        super().__init__(members)

    def elaborate(self, _platform) -> Module:
        m = Module()
        for name, lane in self.lanes.items():
            m.submodules[name] = lane
        for name, engine in self.tweaks.items():
            m.submodules["tweaks" if name == "shared" else f"{name}_tweaks"] = engine
        m.submodules.self_test = test = SelfTest(
            key_bits=self.key_bits, data_width=self.data_width, tweak_engines=len(self.tweaks),
            directions=tuple(DIRECTIONS.values()))
        m.d.comb += [
            test.keys_there.eq(self.self_test_keys),
            self.self_test_busy.eq(test.busy),
            self.self_test_failed.eq(test.failed),
        ]
        self._load(m)
        if self.duplex:
            for path in PATHS:
                self._join_lane(m, path, test)
        else:
            self._share_lane(m, test)
        for number, name in enumerate(self.tweaks):
            self._join_tweaks(m, name, test, number)
        return m

    def _load(self, m: Module) -> None:
        """Hands round keys to those whose they are, a cycle after they have come.

        The decrypting lane numbers slots from the other end: so no register of one lane is always equal to one of the
        other, which synthesis would make one for both, half a device away from each.
        """
        given = Signal(self.round_key.data.shape(), reset_less=True)
        # Not reset: a pipeline sees it only where its own valid bit is set.
        m.d.sync += given.eq(self.round_key.data)
        users = [(lane, 0, lane.direction is Direction.DECRYPT) for lane in self.lanes.values()]
        for user, tweak_key, is_reversed in (*users, *((engine, 1, False) for engine in self.tweaks.values())):
            key, slot = user.round_key, self.round_key.slot
            # The register is the other way around, as it clears a whole round key: no gate in between.
            is_absent = Signal(init=1)
            m.d.sync += [
                is_absent.eq(~(self.round_key.valid & (self.round_key.tweak_key == tweak_key))),
                key.slot.eq(~slot if is_reversed else slot),
                key.round.eq(self.round_key.round),
            ]
            m.d.comb += [key.valid.eq(~is_absent), key.data.eq(given)]

    def _join_lane(self, m: Module, path: str, test: SelfTest) -> None:
        lane, i, o = self.lanes[path], getattr(self, f"{path}_i"), getattr(self, f"{path}_o")
        slot = Signal.like(i.payload.slot, name=f"{path}_slot")
        m.d.comb += [
            lane.i.valid.eq(i.valid),
            i.ready.eq(lane.i.ready),
            *(lane.i.payload[field].eq(i.payload[field]) for field in ("data", "tweak", "number", "fault", "tag")),
            slot.eq(i.payload.slot),
            lane.i.payload.slot.eq(~slot if lane.direction is Direction.DECRYPT else slot),
            o.valid.eq(lane.o.valid & ~test.running),
            *(o.payload[field].eq(lane.o.payload[field]) for field in ("data", "fault", "tag")),
        ]
        self._test_lane(m, lane, slot, test, [path])

    def _share_lane(self, m: Module, test: SelfTest) -> None:
        m.submodules.lane_turns = turns = Turns()
        lane = self.lanes["shared"]
        m.d.comb += [
            lane.i.valid.eq(turns.valid),
            turns.taken.eq(lane.i.ready),
        ]
        for index, path in enumerate(PATHS):
            i, o = getattr(self, f"{path}_i"), getattr(self, f"{path}_o")
            is_read = path == "read"
            m.d.comb += [
                turns.requests[index].eq(i.valid),
                o.valid.eq(lane.o.valid & (lane.o.payload.tag.is_read == is_read) & ~test.running),
                o.payload.data.eq(lane.o.payload.data),
                o.payload.fault.eq(lane.o.payload.fault),
                o.payload.tag.eq(lane.o.payload.tag.tag),
            ]
            with m.If(turns.choice == index):
                m.d.comb += [
                    i.ready.eq(lane.i.ready),
                    *(lane.i.payload[field].eq(i.payload[field])
                      for field in ("data", "slot", "tweak", "number", "fault")),
                    lane.i.payload.decrypt.eq(is_read),
                    lane.i.payload.tag.is_read.eq(is_read),
                    lane.i.payload.tag.tag.eq(i.payload.tag),
                ]
        self._test_lane(m, lane, lane.i.payload.slot, test, list(PATHS))

    def _test_lane(self, m: Module, lane: XtsLane, slot: Signal, test: SelfTest, paths: list[str]) -> None:
        """Lets the self-test ask a lane for each of its directions."""
        beat = lane.i.payload
        indices = [PATHS.index(path) for path in paths]
        with m.If(test.running):
            m.d.comb += [
                lane.i.valid.eq(Cat(test.ask[index].valid for index in indices).any()),
                slot.eq(0),
                beat.tweak.eq(int.from_bytes(test.known.tweak, "little")),
                beat.number.eq(test.number),
                beat.fault.eq(0),
            ]
        for index in indices:
            decrypts = not test.directions[index].encrypts
            with m.If(test.running & test.ask[index].valid):
                m.d.comb += beat.data.eq(int.from_bytes(test.cipher if decrypts else test.plain, "little"))
                if lane.direction is Direction.BOTH:
                    m.d.comb += beat.decrypt.eq(decrypts)
            m.d.comb += [
                test.ask[index].ready.eq(lane.i.ready),
                test.answer[index].valid.eq(lane.o.valid),
                test.answer[index].payload.data.eq(lane.o.payload.data),
                test.answer[index].payload.fault.eq(lane.o.payload.fault),
            ]

    def _join_tweaks(self, m: Module, name: str, test: SelfTest, number: int) -> None:
        tweaks, paths, prefix = self.tweaks[name], PATHS, ""
        if name != "shared":
            paths, prefix = (name,), f"{name}_"
        m.submodules[f"{prefix}chosen"] = chosen = (
            RegisterSlice(shape=tweaks.i.payload.shape()) if self.pipelined_requests
            else Hop(shape=tweaks.i.payload.shape(), registered=False))
        choice, requests = self._choose_path(m, chosen.i, len(paths))
        connect(m, chosen.o, tweaks.i)
        for index, path in enumerate(paths):
            request, result = getattr(self, f"{path}_tweak_request"), getattr(self, f"{path}_tweak")
            is_read = path == "read"
            queue = ReservedQueue(shape=request.payload.shape(), depth=self.entries[path],
                                  bypass=not self.pipelined_requests, registered=self.pipelined_requests)
            m.submodules[f"{path}_requests"] = queue
            m.d.comb += [
                queue.i.payload.eq(request.payload),
                queue.i.valid.eq(request.valid),
                requests[index].eq(queue.o.valid),
                result.valid.eq(tweaks.o.valid & (tweaks.o.payload.tag.is_read == is_read) & ~test.running),
                result.payload.index.eq(tweaks.o.payload.tag.index),
                result.payload.tweak.eq(tweaks.o.payload.tweak),
                result.payload.fault.eq(tweaks.o.payload.fault),
            ]
            with m.If(choice == index):
                m.d.comb += [
                    queue.o.ready.eq(chosen.i.ready),
                    chosen.i.payload.line.eq(queue.o.payload.line),
                    chosen.i.payload.slot.eq(queue.o.payload.slot),
                    chosen.i.payload.tag.is_read.eq(is_read),
                    chosen.i.payload.tag.index.eq(queue.o.payload.index),
                ]
        with m.If(test.running):
            m.d.comb += [
                chosen.i.valid.eq(test.tweak_ask[number].valid),
                chosen.i.payload.line.eq(0),
                chosen.i.payload.slot.eq(0),
            ]
        m.d.comb += [
            test.tweak_ask[number].ready.eq(chosen.i.ready),
            test.tweak_answer[number].valid.eq(tweaks.o.valid),
            test.tweak_answer[number].payload.data.eq(tweaks.o.payload.tweak),
            test.tweak_answer[number].payload.fault.eq(tweaks.o.payload.fault),
        ]

    @staticmethod
    def _choose_path(m: Module, chosen: stream.Interface, count: int) -> tuple[Value, Signal]:
        """Whose turn it is at a tweak engine, and who asks for it."""
        if count == 1:
            requests = Signal(1)
            m.d.comb += chosen.valid.eq(requests)
            return Const(0), requests
        m.submodules.tweak_turns = turns = Turns()
        m.d.comb += [
            chosen.valid.eq(turns.valid),
            turns.taken.eq(chosen.ready),
        ]
        return turns.choice, turns.requests

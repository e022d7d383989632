"""No key word has an effect on anything that leaves the control port but the round keys themselves."""

from functools import partial
from types import SimpleNamespace
from unittest import mock

import pytest
from amaranth.hdl import Assert, Cat, Const, Module, Mux, Signal
from amaranth.lib.wiring import Component, In

from cbit.csr import control
from cbit.csr.bank import ADDR_WIDTH, Bank
from cbit.csr.control import ControlPort
from cbit.csr.map import registers
from cbit.keys import cached
from cbit.keys.control import KeyControl
from cbit.keys.raw import RawKeys
from cbit_sim.formal import DisprovedError, Engine, prove
from cbit_sim.free_inputs import connect_inputs, free_inputs, outputs

KEY_WORDS = [register.offset // 4 for register in registers("psp") if register.array in ("KEY_DATA", "KEY_TWEAK")]
SIZES = {"addr_width": 32, "c_bit": 31, "id_width": 1, "data_unit_bytes": 64}
EACH_KIND = pytest.mark.parametrize("kind", [
    pytest.param({"asid_count": 2, "key_bits": 128}, id="expanded"),
    pytest.param({"asid_count": 2, "key_bits": 128, "by_word": True}, id="by word"),
    pytest.param({"asid_count": 4, "key_ways": 2, "key_bits": 128}, id="cached"),
    pytest.param({"asid_count": 2, "key_bits": 256}, id="aes256", marks=pytest.mark.slow),
    pytest.param({"asid_count": 4, "key_ways": 2, "key_bits": 256}, id="cached256", marks=pytest.mark.slow),
])


class WatchedBank(Bank):
    """A bank that shows the address and the word of a write that it holds."""

    def __init__(self, port, **arguments):
        self.port = port
        super().__init__(**arguments)

    def _offer_write(self, m, address, word, whole, perform):
        if any(register.array for register in self.registers):
            m.d.comb += [self.port.address.eq(address), self.port.word.eq(word)]
        return super()._offer_write(m, address, word, whole, perform)


class IntactRawKeys(RawKeys):
    """Whose memory loses no bit, so that each word has the parity that it was kept with."""

    @staticmethod
    def _is_intact(_kept):
        return Const(1)


class ToldKeyControl(KeyControl):
    """Key control that is told whether K1 and K2 are the same."""

    def __init__(self, port, **arguments):
        self.port = port
        super().__init__(**arguments)

    def _keep(self, m, staging):
        with mock.patch.object(cached, "RawKeys", IntactRawKeys):
            return super()._keep(m, staging)

    def _verdict(self, m, operation, in_range, occupied, staging):
        told = SimpleNamespace(complete=staging.complete, equal=self.port.keys_are_equal)
        return super()._verdict(m, operation, in_range, occupied, told)


class WatchedPort(ControlPort):
    """A control port that shows the security processor's write that it holds, and is told whether keys are equal."""

    def __init__(self, *, keys_are_equal, **sizes):
        self.keys_are_equal = keys_are_equal
        self.address, self.word = Signal(ADDR_WIDTH), Signal(32)
        with mock.patch.object(control, "KeyControl", partial(ToldKeyControl, self)):
            super().__init__(**sizes)

    def elaborate(self, platform):
        with mock.patch.object(control, "Bank", partial(WatchedBank, self)):
            return super().elaborate(platform)


class ShowsKeyBit(WatchedPort):
    """A fault: SLOT_STATE reads a bit of the key word written last."""

    def _join_words(self, m, psp, keys):
        super()._join_words(m, psp, keys)
        m.d.comb += psp.slot_state.value.as_value()[0].eq(keys.word.data[0])


class RefusesKeyBit(WatchedPort):
    """A fault: key words whose highest bit is set are refused."""

    def _join_words(self, m, psp, keys):
        super()._join_words(m, psp, keys)
        m.d.comb += psp.key_data.refuse.eq(~keys.word.ready | psp.key_data.data.word[31])


class SameSight(Component):
    """Two control ports that are given the same but for key words show the same but for the data of round keys.

    All inputs are free in every cycle, the reset included; what the security processor writes differs freely between
    the two where it goes to a key register. If the word comes before its address, it is chosen with the word whether
    the address will be a key register's (``intends_key``), and no other address is offered: every pair of runs of the
    two that differ in key words only is one of these. INSTALL refuses equal keys, and so tells whether K1 = K2: that
    bit alone is declassified: ``keys_are_equal`` is free, and the same for both. Memories lose no bit: that one
    has, which its parity tells, would otherwise be seen of both keys alike.

    Low-equivalence is inductive: every register but those of key words and round keys is the same in both. The three
    asserts about writes are what the induction needs besides: words differ only on their way to a key register.
    """

    def __init__(self, port=WatchedPort, **sizes):
        self.keys_are_equal = Signal()
        self.ports = [port(keys_are_equal=self.keys_are_equal, **SIZES, **sizes) for _ in range(2)]
        super().__init__({"secret": In(32), "intends_key": In(1), "told_equal": In(1), **free_inputs(self.ports[0])})

    def elaborate(self, _platform):
        m = Module()
        m.submodules.one, m.submodules.other = one, other = self.ports
        address_held, word_held = ~one.s_axil_psp.aw.ready, ~one.s_axil_psp.w.ready
        offers_key = self.s_axil_psp_aw_payload.addr[2:].matches(*KEY_WORDS)
        may_differ, was_key = Signal(), Signal()
        m.d.comb += [
            self.keys_are_equal.eq(self.told_equal),
            may_differ.eq(Mux(address_held | word_held, was_key,
                              Mux(self.s_axil_psp_aw_valid, offers_key, self.intends_key))),
        ]
        m.d.sync += was_key.eq(may_differ)
        for port in self.ports:
            connect_inputs(m, self, port, but=(("s_axil_psp", "aw", "valid"), ("s_axil_psp", "w", "payload")))
            m.d.comb += [
                port.s_axil_psp.aw.valid.eq(self.s_axil_psp_aw_valid & (offers_key == may_differ)),
                port.s_axil_psp.w.payload.eq(self.s_axil_psp_w_payload),
            ]
        with m.If(may_differ):
            m.d.comb += other.s_axil_psp.w.payload.data.eq(self.secret)

        differs = one.word != other.word
        m.d.comb += [
            Assert(~(address_held & (one.address[2:].matches(*KEY_WORDS) != was_key))),
            Assert(~(word_held & ~was_key & differs)),
            Assert(~(~word_held & differs)),
            Assert(Cat(self._seen(m)).all()),
        ]
        return m

    def _seen(self, m):
        """Whether the two agree, of each output."""
        for (path, one), (_, other) in zip(*map(outputs, self.ports), strict=True):
            if path != ("round_key", "data"):
                m.d.comb += (agrees := Signal(name="agrees_" + "_".join(map(str, path)))).eq(one == other)
                yield agrees


@EACH_KIND
def test_keys_have_no_effect_that_is_seen(kind):
    prove(SameSight(**kind), engine=Engine.CORRESPONDENCE, steps=2)


@pytest.mark.parametrize("faulty", [ShowsKeyBit, pytest.param(RefusesKeyBit, marks=pytest.mark.slow)])
def test_an_effect_of_keys_is_found(faulty):
    with pytest.raises(DisprovedError):
        prove(SameSight(faulty, asid_count=2, key_bits=128), engine=Engine.CORRESPONDENCE, steps=2)


class NeverBoth(SameSight):
    """The cover: no two differing words are ever held, or else no mode is ever set."""

    def _seen(self, _m):
        one, other = self.ports
        yield ~((one.word != other.word) & one.mode.sme)


def test_words_differ_while_others_have_an_effect():
    with pytest.raises(DisprovedError):
        prove(NeverBoth(asid_count=2, key_bits=128), engine=Engine.CORRESPONDENCE, steps=2)

"""A choice among several sources of which one is favored."""

from amaranth import Module, Mux, Signal
from amaranth.lib.wiring import Component, In, Out

__all__ = ["PatientArbiter"]


class PatientArbiter(Component):
    """Chooses one of several requests: the first whenever it asks, the others in turn.

    Combinational from ``requests`` to ``choice``. A choice once shown stays until it is taken, unless
    ``keep`` is low, so a requester must not withdraw. When the favorite has been taken ``patience`` times while another
    waited, one of the others goes next.

    Parameters
    ----------
    count : :class:`int`
        Number of requests. 2 or more.
    patience : :class:`int`
        How often in a row the favorite passes a waiting request. 1 or more.

    Members
    -------
    requests : ``In(count)``
        A bit for each request; bit 0 is the favorite.
    valid : ``Out(1)``
        High if there is a choice.
    choice : ``Out(range(count))``
        Index of the request chosen.
    taken : ``In(1)``
        High in the cycle in which the choice is used up.
    keep : ``In(1)``
        Low in a cycle in which nobody sees the choice, which then may change, and its request be withdrawn.
        High if it is left unconnected.

    Raises
    ------
    ValueError
        If ``count`` or ``patience`` is too small.
    """

    def __init__(self, *, count: int, patience: int) -> None:
        if count < 2:
            raise ValueError(f"Count must be at least 2, not {count!r}")
        if patience < 1:
            raise ValueError(f"Patience must be at least 1, not {patience!r}")
        self.count = count
        self.patience = patience
        super().__init__({
            "requests": In(count),
            "valid": Out(1),
            "choice": Out(range(count)),
            "taken": In(1),
            "keep": In(1, init=1),
        })

    def elaborate(self, _platform) -> Module:
        m = Module()
        others = range(1, self.count)
        others_wait = self.requests[1:].any()
        # Registers of their own for what the choice asks of them: each is one bit if there are three.
        passed, is_worn = Signal(range(self.patience + 1)), Signal()
        last_other = Signal(range(max(self.count - 1, 2)), init=self.count - 2)
        next_other = Signal(range(self.count))
        held = Signal()
        held_choice = Signal(range(self.count))

        with m.Switch(last_other):
            for last in others:
                with m.Case(last - 1):
                    in_turn = sorted(others, key=lambda index: (index <= last, index))
                    for index in reversed(in_turn):
                        with m.If(self.requests[index]):
                            m.d.comb += next_other.eq(index)

        other_goes = others_wait & (is_worn | ~self.requests[0])
        m.d.comb += [
            self.valid.eq(self.requests.any()),
            self.choice.eq(Mux(held, held_choice, Mux(other_goes, next_other, 0))),
        ]
        m.d.sync += [
            held.eq(self.valid & ~self.taken & self.keep),
            held_choice.eq(self.choice),
        ]
        with m.If(self.taken & (self.choice != 0)):
            m.d.sync += [passed.eq(0), is_worn.eq(0), last_other.eq(self.choice - 1)]
        with m.Elif(self.taken & others_wait & ~is_worn):
            m.d.sync += [passed.eq(passed + 1), is_worn.eq(passed == self.patience - 1)]
        return m

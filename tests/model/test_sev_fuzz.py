"""Random and spoiled commands on the PSP's model: no exception, no wrong status, no stray write, no key in sight."""

import collections

import pytest

from cbit_model.sev.constants import Command, Status
from cbit_model.sev.layouts import COMMAND_BUFFERS
from cbit_sim.sev_fuzz.commands import CommandSource
from cbit_sim.sev_fuzz.promises import STATUSES, writable
from cbit_sim.sev_model import ModelPlatform

C_BIT = 1 << 47
MEMORY_BYTES = 1 << 18
BLOCK = 16
SEARCHES = 500
"""Commands between two searches of all memory for all keys."""


class Watched:
    """A platform under fuzzed commands."""

    def __init__(self, seed):
        self.platform = ModelPlatform(seed, size_bytes=MEMORY_BYTES)
        self.memory = self.platform.memory
        self.source = CommandSource(self.platform.host, memory_bytes=MEMORY_BYTES, c_bit=47, seed=seed)
        self.seen = collections.Counter()

    def step(self):
        """A command, and what it may have done."""
        number, address, content = self.source.draw()
        if self.is_memory(address, len(content)):
            self.memory.write(address, content, 0)
        if self.source.random.randrange(10) == 0:
            self.platform.psp.flush_caches()
        size = COMMAND_BUFFERS[number].size if number in COMMAND_BUFFERS else 0
        content = self.memory.read(address, size, 0) if self.is_memory(address, size) else b""
        before = bytes(self.memory.dram)
        status = self.platform.host.execute(number, address)
        self.check_status(number, status)
        self.seen[number, status] += 1
        if number in set(Command):
            self.check_writes(before, list(writable(Command(number), address, content, status)))
        self.source.learn(number, address, content, status)

    def is_memory(self, address, length):
        return (address & ~C_BIT) + length <= MEMORY_BYTES

    def check_status(self, number, status):
        if number not in set(Command):
            assert status is Status.INVALID_COMMAND
        elif number not in STATUSES:
            assert status is Status.UNSUPPORTED
        else:
            assert status in STATUSES[number], f"{Command(number).name} ended with {status.name}"

    def check_writes(self, before, places):
        """Nothing has changed beyond the places, and where these are encrypted, not beyond their blocks."""
        if before == self.memory.dram:
            return
        expected = bytearray(before)
        for address, length in places:
            first, last = address & ~C_BIT, (address & ~C_BIT) + length
            blocks = slice(first // BLOCK * BLOCK, -(-last // BLOCK) * BLOCK)
            place = blocks if address & C_BIT else slice(first, last)
            expected[place] = self.memory.dram[place]
            self.search(self.memory.dram[blocks])
            self.search(self.memory.read(C_BIT | blocks.start, blocks.stop - blocks.start, 0))
        assert expected == self.memory.dram

    def search(self, content):
        for secret in self.platform.psp.secrets():
            assert secret not in content
            assert secret[::-1] not in content

    def search_everywhere(self):
        self.search(self.memory.dram)
        self.search(self.memory.read(C_BIT, MEMORY_BYTES, 0))


def fuzz(seed, count):
    watched = Watched(seed)
    watched.platform.host.must(Command.INIT)
    for index in range(count):
        try:
            watched.step()
        except Exception as error:
            error.add_note(f"seed {seed}, command {index}")
            raise
        if index % SEARCHES == 0:
            watched.search_everywhere()
    watched.search_everywhere()
    return watched.seen


def test_a_sample_of_fuzzed_commands():
    seen = fuzz(1, 3000)
    assert sum(seen.values()) == 3000
    assert {number for number, status in seen if status is Status.SUCCESS} >= {
        Command.INIT, Command.ACTIVATE, Command.LAUNCH_START, Command.LAUNCH_UPDATE_DATA, Command.LAUNCH_MEASURE}


@pytest.mark.slow
def test_a_hundred_thousand_fuzzed_commands():
    seen = collections.Counter()
    for seed in range(2, 12):
        seen += fuzz(seed, 10_000)
    print(f"fuzzed commands: {sum(seen.values())}")
    wanted = {(command, status) for command, statuses in STATUSES.items() for status in statuses}
    missing = [(command.name, status.name) for command, status in sorted(wanted - set(seen))]
    print(f"ends not met: {missing}")
    assert not missing

"""Random and spoiled commands on gateware with its firmware: each answer is the golden model's, and no key in sight."""

import collections
import time

import pytest

from cbit_model.sev.constants import Command, Status
from cbit_model.sev.layouts import COMMAND_BUFFERS
from cbit_model.sev.ports import AccessError
from cbit_sim.followed_platform import FollowedPlatform
from cbit_sim.sev_fuzz.commands import CommandSource
from cbit_sim.sev_fuzz.promises import STATUSES
from cbit_sim.verilog import PLATFORM_MEMORY_BYTES

SEARCHES = 200
"""Commands between two searches of all memory."""

LONGEST_BYTES = 0x4000
"""What a command may be asked to encrypt: megabytes take minutes."""

WEIGHTS = {Command.SHUTDOWN: 0.3, Command.PEK_GEN: 1, Command.PDH_GEN: 0.7, Command.ATTESTATION: 6,
           Command.PEK_CERT_IMPORT: 3}
"""Those that compute with P-384 come seldom: they take millions of cycles."""


class Fuzz:
    """A platform under fuzzed commands."""

    def __init__(self, followed, seed):
        self.followed = followed
        self.source = CommandSource(followed.host, memory_bytes=PLATFORM_MEMORY_BYTES, c_bit=47, seed=seed,
                                    weights=WEIGHTS)
        self.seen = collections.Counter()

    def step(self):
        """A command, which the gateware carries out, and the model after it."""
        number, address, content = self.source.draw()
        layout = COMMAND_BUFFERS.get(number)
        has_length = layout and layout.numbers.get("length")
        if has_length and LONGEST_BYTES < layout.number(content, "length") < PLATFORM_MEMORY_BYTES:
            return
        self.put(address, content)
        if self.source.random.randrange(10) == 0:
            self.followed.flush_caches()
        held = self.content(address, layout.size if layout else 0)
        status = self.followed.host.execute(number, address)
        self.check_status(number, status)
        self.seen[number, status] += 1
        self.source.learn(number, address, held, status)

    def put(self, address, content):
        try:
            self.followed.write(address, content, 0)
        except AccessError:
            return

    def content(self, address, size):
        try:
            return self.followed.read(address, size, 0) if size else b""
        except AccessError:
            return b""

    def check_status(self, number, status):
        if number not in set(Command):
            assert status is Status.INVALID_COMMAND
        elif number not in STATUSES:
            assert status is Status.UNSUPPORTED
        else:
            assert status in STATUSES[number], f"{Command(number).name} ended with {status.name}"

    def search_everywhere(self):
        """The gateware's DRAM has been compared with the model's, byte for byte."""
        self.followed.keys.search(self.followed.model.memory.dram)


def fuzz(seed, count):
    with FollowedPlatform(seed) as followed:
        fuzzed = Fuzz(followed, seed)
        followed.host.must(Command.INIT)
        began = time.monotonic()
        while sum(fuzzed.seen.values()) < count:
            try:
                fuzzed.step()
            except Exception as error:
                error.add_note(f"seed {seed}, command {sum(fuzzed.seen.values())}")
                raise
            done = sum(fuzzed.seen.values())
            if done % SEARCHES == 0:
                fuzzed.search_everywhere()
                print(f"seed {seed}: {done} commands, {followed.platform.cycles} cycles, "
                      f"{time.monotonic() - began:.0f} s", flush=True)
        fuzzed.search_everywhere()
        return fuzzed.seen


@pytest.mark.slow
@pytest.mark.parametrize("seed", [12, 15])
def test_a_thousand_fuzzed_commands(seed):
    """Of both seeds together, 2,000."""
    seen = fuzz(seed, 1000)
    succeeded = {number for number, status in seen if status is Status.SUCCESS}
    print(f"seed {seed}: {sum(seen.values())} commands, {len(seen)} ends")
    assert succeeded >= {Command.ACTIVATE, Command.LAUNCH_START, Command.LAUNCH_UPDATE_DATA, Command.LAUNCH_MEASURE}

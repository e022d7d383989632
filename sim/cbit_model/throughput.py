"""How fast the model encrypts: ``python -m cbit_model.throughput`` prints a table."""

import time

from cbit_model.access import BLOCK_BYTES, Access
from cbit_model.memory import Memory, WriteBeat
from cbit_model.xts import XtsKey

__all__ = ["megabytes_per_second", "memory_megabytes_per_second", "microseconds_per_line", "table"]

_DATA_BYTES = 16 * 1024 * 1024
_PASSES = 5
_LINE_BYTES = 64
_LINE_CALLS = 20_000
_MEMORY_BYTES = 1 << 20


def _key(key_bits: int) -> XtsKey:
    return XtsKey(bytes(key_bits // 8), bytes([1] * (key_bits // 8)))


def megabytes_per_second(*, key_bits: int, data_unit_bytes: int, data_bytes: int = _DATA_BYTES) -> float:
    """Throughput over a buffer of ``data_bytes``, the best of five calls, in 10^6 bytes a second."""
    key, data = _key(key_bits), bytes(data_bytes)
    seconds = []
    for _ in range(_PASSES):
        begin = time.perf_counter()
        key.encrypt(data, address=0, data_unit_bytes=data_unit_bytes)
        seconds.append(time.perf_counter() - begin)
    return data_bytes / min(seconds) / 1e6


def microseconds_per_line(*, key_bits: int, data_unit_bytes: int, calls: int = _LINE_CALLS) -> float:
    """Mean time of a call for one 64-byte line, over ``calls`` consecutive lines."""
    key, data = _key(key_bits), bytes(_LINE_BYTES)
    begin = time.perf_counter()
    for line in range(calls):
        key.encrypt(data, address=line * _LINE_BYTES, data_unit_bytes=data_unit_bytes)
    return (time.perf_counter() - begin) / calls * 1e6


def memory_megabytes_per_second(*, write: bool, burst_bytes: int, calls: int = _LINE_CALLS) -> float:
    """Rate of ``calls`` encrypted accesses to consecutive bursts of a memory, decision and beats included.

    The key has 128 bits, a data unit 64 bytes. In 10^6 bytes a second of processor time.
    """
    memory = Memory(size_bytes=_MEMORY_BYTES)
    memory.set_mode(sme=True, tsme=False, sev=True)
    memory.install(1, bytes(16), bytes([1] * 16))
    memory.release()
    beats = [WriteBeat(bytes(BLOCK_BYTES))] * (burst_bytes // BLOCK_BYTES)
    accesses = [Access(address=1 << memory.c_bit | burst * burst_bytes % _MEMORY_BYTES, asid=1, length=len(beats))
                for burst in range(calls)]
    begin = time.process_time()
    for access in accesses:
        if write:
            memory.write(access, beats)
        else:
            memory.read(access)
    return burst_bytes * calls / (time.process_time() - begin) / 1e6


def table() -> str:
    """The measures of every key size and data unit, a line each."""
    lines = ["key bits  data unit bytes     MB/s  us per 64-byte line"]
    for key_bits in (128, 256):
        for data_unit_bytes in (64, 4096):
            rate = megabytes_per_second(key_bits=key_bits, data_unit_bytes=data_unit_bytes)
            line = microseconds_per_line(key_bits=key_bits, data_unit_bytes=data_unit_bytes)
            lines.append(f"{key_bits:8}  {data_unit_bytes:15}  {rate:7.0f}  {line:19.1f}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())

"""A platform of the golden model: PSP, memory and host, for tests and for what has no gateware."""

from cbit_model.sev.memory import EncryptedMemory, SeededEntropy
from cbit_model.sev.owner.chain import Root
from cbit_model.sev.owner.development import DEVELOPMENT_DEVICE_SECRET, DevelopmentRoot
from cbit_model.sev.ports import EntropySource
from cbit_model.sev.psp import Psp
from cbit_sim.local_platform import LocalPlatform
from cbit_sim.sev_host import SevHost

__all__ = ["ModelPlatform", "development_trust"]


class ModelPlatform(LocalPlatform):
    """A PSP of the model that has booted, and its host.

    Parameters
    ----------
    seed : :class:`int`
        Of the entropy.
    size_bytes : :class:`int`
        Bytes of DRAM. The host's scratch memory is its last 16 KB.
    device_secret : :class:`bytes`
        32 bytes.
    entropy : :class:`~cbit_model.sev.ports.EntropySource`
        In the place of a seeded one.
    memory : :class:`~cbit_model.sev.memory.EncryptedMemory`
        In the place of one of ``size_bytes`` with the usual engine.

    Members
    -------
    memory : :class:`~cbit_model.sev.memory.EncryptedMemory`
        DRAM and engine.
    entropy : :class:`~cbit_model.sev.ports.EntropySource`
        A seeded one may be made to fail.
    psp : :class:`~cbit_model.sev.psp.Psp`
        The PSP.
    host : :class:`~cbit_sim.sev_host.SevHost`
        Its host.
    """

    def __init__(self, seed: int = 1, *, size_bytes: int = 1 << 20, device_secret: bytes = DEVELOPMENT_DEVICE_SECRET,
                 entropy: EntropySource | None = None, memory: EncryptedMemory | None = None) -> None:
        super().__init__(memory or EncryptedMemory(size_bytes=size_bytes))
        size_bytes = len(self.memory.dram)
        self.entropy = entropy or SeededEntropy(seed)
        self.psp = Psp(memory=self.memory, slots=self.memory, entropy=self.entropy, device_secret=device_secret,
                       memory_bytes=size_bytes, c_bit=self.memory.c_bit, asid_count=self.memory.slots.count)
        self.host = SevHost(self.memory, self.psp.mailbox, scratch=size_bytes - 0x4000)

    def flush_caches(self) -> None:
        """The host has written back and invalidated all its caches."""
        self.psp.flush_caches()


def development_trust(device_secret: bytes = DEVELOPMENT_DEVICE_SECRET) -> Root:
    """The development root of a device; it takes a second to make."""
    root = DevelopmentRoot()
    return Root(root.ark, root.ask, root.signed_cek(device_secret))

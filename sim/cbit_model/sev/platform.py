"""Commands that concern the platform (SEV API, chapter 5)."""

import dataclasses

from cbit_model.sev.call import Call
from cbit_model.sev.certificate import (
    CERTIFICATE_BYTES,
    SIGNED_BYTES,
    find_signature,
    is_good,
    public_point,
    signature_of,
    signature_slot,
    signed_certificate,
)
from cbit_model.sev.constants import API_MAJOR, API_MINOR, BUILD, Algorithm, PlatformState, Status, Usage
from cbit_model.sev.identity import Identity, with_new_pdh, with_new_pek
from cbit_model.sev.p384 import verify
from cbit_model.sev.refusal import RefusedError, require
from cbit_model.sev.state import PspState

__all__ = [
    "CHAIN_BYTES", "df_flush", "get_id", "init", "pdh_cert_export", "pdh_gen", "pek_cert_import", "pek_csr", "pek_gen",
    "platform_reset", "platform_status", "shutdown",
]

CHAIN_BYTES = 3 * CERTIFICATE_BYTES
_KNOWN_FLAGS = 1


def init(state: PspState, call: Call) -> None:
    """INIT. The flag that asks for SEV-ES has no effect."""
    call.require_reserved()
    require(call.number("flags") & ~_KNOWN_FLAGS == 0, Status.INVALID_PARAM)
    state.drbg.reseed()
    identity = state.identity or Identity.draw(state.chip, state.drbg)
    state.identity = with_new_pdh(identity, state.drbg)
    state.platform = PlatformState.INIT


def shutdown(state: PspState) -> None:
    """SHUTDOWN. OCA and PEK are kept."""
    for handle in sorted(state.guests):
        state.forget(state.guests[handle])
    state.identity = dataclasses.replace(state.keys, pdh=None, pdh_certificate=b"")
    state.platform = PlatformState.UNINIT


def platform_reset(state: PspState) -> None:
    """PLATFORM_RESET."""
    state.identity = None


def platform_status(state: PspState, call: Call) -> None:
    """PLATFORM_STATUS."""
    external = state.identity is not None and state.identity.oca is None
    call.output(api_major=API_MAJOR, api_minor=API_MINOR, state=state.platform, owner=int(external), config=BUILD << 24,
                guests=len(state.guests))


def pek_gen(state: PspState) -> None:
    """PEK_GEN."""
    _require_own(state)
    state.identity = with_new_pdh(with_new_pek(state.keys, state.chip, state.drbg), state.drbg)


def pek_csr(state: PspState, call: Call) -> None:
    """PEK_CSR."""
    call.require_lengths(length=CERTIFICATE_BYTES)
    state.require_host_range(call.number("address"), CERTIFICATE_BYTES)
    state.write_host(call.number("address"), signed_certificate(state.keys.pek_certificate[:SIGNED_BYTES]))
    call.output(length=CERTIFICATE_BYTES)


def pek_cert_import(state: PspState, call: Call) -> None:
    """PEK_CERT_IMPORT: another becomes the platform's owner."""
    _require_own(state)
    call.require_reserved()
    require(call.number("pek_length") == call.number("oca_length") == CERTIFICATE_BYTES, Status.INVALID_LENGTH)
    addresses = call.number("pek_address"), call.number("oca_address")
    for address in addresses:
        state.require_host_range(address, CERTIFICATE_BYTES)
    pek, oca = (state.read_host(address, CERTIFICATE_BYTES) for address in addresses)
    body = state.keys.pek_certificate[:SIGNED_BYTES]
    require(pek[:SIGNED_BYTES] == body, Status.INVALID_CERTIFICATE)
    require(is_good(oca, usage=Usage.OCA, algorithm=Algorithm.ECDSA_SHA256), Status.INVALID_CERTIFICATE)
    pek_slot, oca_slot = find_signature(pek, Usage.OCA), find_signature(oca, Usage.OCA)
    if pek_slot is None or oca_slot is None:
        raise RefusedError(Status.INVALID_CERTIFICATE)
    owner = public_point(oca)
    require(verify(owner, oca[:SIGNED_BYTES], signature_of(oca_slot)), Status.BAD_SIGNATURE)
    require(verify(owner, body, signature_of(pek_slot)), Status.BAD_SIGNATURE)
    own = find_signature(state.keys.pek_certificate, Usage.CEK)
    assert own is not None
    certificate = signed_certificate(body, signature_slot(Usage.OCA, signature_of(pek_slot)), own)
    state.identity = dataclasses.replace(state.keys, oca=None, oca_certificate=oca, pek_certificate=certificate)


def pdh_cert_export(state: PspState, call: Call) -> None:
    """PDH_CERT_EXPORT."""
    call.require_reserved()
    call.require_lengths(pdh_length=CERTIFICATE_BYTES, chain_length=CHAIN_BYTES)
    state.require_host_range(call.number("pdh_address"), CERTIFICATE_BYTES)
    state.require_host_range(call.number("chain_address"), CHAIN_BYTES)
    state.write_host(call.number("pdh_address"), state.keys.pdh_certificate)
    chain = state.keys.pek_certificate + state.keys.oca_certificate + state.chip.certificate
    state.write_host(call.number("chain_address"), chain)
    call.output(pdh_length=CERTIFICATE_BYTES, chain_length=CHAIN_BYTES)


def pdh_gen(state: PspState) -> None:
    """PDH_GEN."""
    state.identity = with_new_pdh(state.keys, state.drbg)


def df_flush(state: PspState) -> None:
    """DF_FLUSH."""
    require(not state.dirty_asids or state.caches_flushed, Status.WBINVD_REQUIRED)
    state.dirty_asids.clear()


def get_id(state: PspState, call: Call) -> None:
    """GET_ID."""
    identifier = state.chip.identifier
    call.require_lengths(length=len(identifier))
    state.require_host_range(call.number("address"), len(identifier))
    state.write_host(call.number("address"), identifier)
    call.output(length=len(identifier))


def _require_own(state: PspState) -> None:
    require(state.keys.oca is not None, Status.ALREADY_OWNED)

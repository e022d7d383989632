"""Commands that launch a guest and attest to it (SEV API, 6.2 to 6.8)."""

import hmac

from cbit_model.sev.call import Call
from cbit_model.sev.certificate import CERTIFICATE_BYTES, FIELD_BYTES, is_good, public_point
from cbit_model.sev.constants import (
    API_MAJOR,
    API_MINOR,
    GUEST_LIMIT,
    PIECE_BYTES,
    SECRET_LIMIT_BYTES,
    Algorithm,
    GuestState,
    PlatformState,
    Policy,
    Status,
    Usage,
)
from cbit_model.sev.guest import Guest
from cbit_model.sev.layouts import REPORT, SECRET_HEADER, SESSION, SIGNED_REPORT_BYTES
from cbit_model.sev.refusal import RefusedError, require
from cbit_model.sev.session import counter_mode, mac, measurement_mac, policy_mac, secret_mac, session_keys
from cbit_model.sev.state import BLOCK_BYTES, PspState

__all__ = [
    "MEASUREMENT_BYTES", "attestation", "launch_finish", "launch_measure", "launch_secret", "launch_start",
    "launch_update_data", "policy_is_possible",
]

MEASUREMENT_BYTES = 0x30
_NONCE_BYTES = 16
_OWNERLESS = ("dh_address", "dh_length", "session_address", "session_length")


def policy_is_possible(policy: int) -> bool:
    """Whether this platform can keep a policy."""
    unknown = policy & 0xFFC0
    version = policy >> 16 & 0xFF, policy >> 24
    return not unknown and not policy & Policy.ENCRYPTED_STATE and version <= (API_MAJOR, API_MINOR)


def launch_start(state: PspState, call: Call) -> None:
    """LAUNCH_START."""
    policy = call.number("policy")
    _refuse_sharing(state, call.number("handle"), policy)
    require(policy_is_possible(policy), Status.POLICY_FAILURE)
    call.require_reserved()
    ownerless = not any(call.number(name) for name in _OWNERLESS)
    transport = None if ownerless else _transport_keys(state, call, policy)
    require(len(state.guests) < GUEST_LIMIT, Status.RESOURCE_LIMIT)
    key, tweak_key = state.drbg.key_pair()
    tek, tik = transport or (state.drbg.generate(16), state.drbg.generate(16))
    guest = Guest(state.new_handle(), policy, key, tweak_key, tek, tik)
    call.output(handle=guest.handle)
    state.guests[guest.handle] = guest
    state.platform = PlatformState.WORKING


def launch_update_data(state: PspState, call: Call, guest: Guest) -> None:
    """LAUNCH_UPDATE_DATA: nothing is ever encrypted that was not measured."""
    require(guest.asid != 0, Status.INACTIVE)
    call.require_reserved()
    address, length = call.number("address"), call.number("length")
    require(length > 0 and length % BLOCK_BYTES == 0, Status.INVALID_LENGTH)
    state.require_guest_range(guest, address, length)
    begin = address & ~(1 << state.c_bit)
    require(state.ranges.add(guest.handle, begin, begin + length), Status.RESOURCE_LIMIT)
    for offset in range(0, length, PIECE_BYTES):
        piece = state.read_host(address + offset, min(PIECE_BYTES, length - offset))
        guest.launched.update(piece)
        state.write_guest(guest, address + offset, piece)


def launch_measure(state: PspState, call: Call, guest: Guest) -> None:
    """LAUNCH_MEASURE: no measurement is ever shown of a launch that goes on."""
    call.require_reserved()
    call.require_lengths(length=MEASUREMENT_BYTES)
    state.require_host_range(call.number("address"), MEASUREMENT_BYTES)
    mnonce = state.drbg.generate(_NONCE_BYTES)
    measurement = measurement_mac(guest.tik, policy=guest.policy, digest=guest.digest, mnonce=mnonce)
    guest.measurement = measurement
    guest.state = GuestState.LSECRET
    state.write_host(call.number("address"), measurement + mnonce)
    call.output(length=MEASUREMENT_BYTES)


def launch_secret(state: PspState, call: Call, guest: Guest) -> None:
    """LAUNCH_SECRET."""
    require(guest.asid != 0, Status.INACTIVE)
    call.require_reserved()
    length = call.number("guest_length")
    require(call.number("header_length") == SECRET_HEADER.size, Status.INVALID_LENGTH)
    require(0 < length <= SECRET_LIMIT_BYTES and length % BLOCK_BYTES == 0, Status.INVALID_LENGTH)
    require(call.number("transport_length") == length, Status.INVALID_LENGTH)
    state.require_host_range(call.number("header_address"), SECRET_HEADER.size)
    state.require_guest_range(guest, call.number("guest_address"), length)
    state.require_host_range(call.number("transport_address"), length)
    header = state.read_host(call.number("header_address"), SECRET_HEADER.size)
    ciphertext = state.read_host(call.number("transport_address"), length)
    require(SECRET_HEADER.number(header, "flags") == 0, Status.INVALID_PARAM)
    wanted = secret_mac(guest.tik, header=header, ciphertext=ciphertext, measurement=guest.measurement)
    require(hmac.compare_digest(SECRET_HEADER.string(header, "mac"), wanted), Status.BAD_MEASUREMENT)
    plaintext = counter_mode(guest.tek, SECRET_HEADER.string(header, "iv"), ciphertext)
    state.write_guest(guest, call.number("guest_address"), plaintext)


def launch_finish(_state: PspState, _call: Call, guest: Guest) -> None:
    """LAUNCH_FINISH."""
    guest.tek = guest.tik = b""
    guest.state = GuestState.RUNNING


def attestation(state: PspState, call: Call, guest: Guest) -> None:
    """ATTESTATION: the launched data, vouched for by the PEK."""
    call.require_reserved()
    call.require_lengths(length=REPORT.size)
    state.require_host_range(call.number("address"), REPORT.size)
    fields: dict[str, int | bytes] = {
        "mnonce": call.string("mnonce"), "digest": guest.digest, "policy": guest.policy, "usage": Usage.PEK,
        "algorithm": Algorithm.ECDSA_SHA256}
    signature = state.keys.pek.sign(REPORT.pack(**fields)[:SIGNED_REPORT_BYTES])
    numbers = {name: value.to_bytes(FIELD_BYTES, "little") for name, value in (("r", signature.r), ("s", signature.s))}
    state.write_host(call.number("address"), REPORT.pack(**fields, **numbers))
    call.output(length=REPORT.size)


def _refuse_sharing(state: PspState, handle: int, policy: int) -> None:
    """Refuses a launch under the key of another guest."""
    if handle == 0:
        return
    require(handle in state.guests, Status.INVALID_GUEST)
    require(not (policy | state.guests[handle].policy) & Policy.NO_KEY_SHARING, Status.POLICY_FAILURE)
    raise RefusedError(Status.UNSUPPORTED)


def _transport_keys(state: PspState, call: Call, policy: int) -> tuple[bytes, bytes]:
    """TEK and TIK of the owner's session, every check passed."""
    require(call.number("dh_length") == CERTIFICATE_BYTES, Status.INVALID_LENGTH)
    require(call.number("session_length") == SESSION.size, Status.INVALID_LENGTH)
    state.require_host_range(call.number("dh_address"), CERTIFICATE_BYTES)
    state.require_host_range(call.number("session_address"), SESSION.size)
    certificate = state.read_host(call.number("dh_address"), CERTIFICATE_BYTES)
    session = state.read_host(call.number("session_address"), SESSION.size)
    require(is_good(certificate, usage=Usage.PDH, algorithm=Algorithm.ECDH_SHA256), Status.INVALID_CERTIFICATE)
    assert state.keys.pdh is not None
    nonce, wrapped, iv, wrap_mac, wanted_policy = (SESSION.string(session, name) for name in SESSION.strings)
    kek, kik = session_keys(state.keys.pdh.shared_secret(public_point(certificate)), nonce)
    require(hmac.compare_digest(mac(kik, wrapped), wrap_mac), Status.BAD_MEASUREMENT)
    keys = counter_mode(kek, iv, wrapped)
    tek, tik = keys[:16], keys[16:]
    require(hmac.compare_digest(policy_mac(tik, policy), wanted_policy), Status.BAD_MEASUREMENT)
    return tek, tik

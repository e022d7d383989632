"""Numbers of the SEV API: commands, statuses, states, usages."""

import enum

__all__ = [
    "API_MAJOR", "API_MINOR", "BUILD", "GUEST_LIMIT", "MEMORY_PAGE_BYTES", "PIECE_BYTES", "RANGE_LIMIT",
    "SECRET_LIMIT_BYTES", "Algorithm", "Command", "GuestState", "PlatformState", "Policy", "Status", "Usage",
]

API_MAJOR, API_MINOR, BUILD = 0, 24, 15

GUEST_LIMIT = 16
"""Guests that live at a time."""

RANGE_LIMIT = 64
"""Ranges of private memory that are kept, over all guests."""

MEMORY_PAGE_BYTES = 4096

PIECE_BYTES = 4096
"""What LAUNCH_UPDATE_DATA and DBG read before they write it."""

SECRET_LIMIT_BYTES = 4096


class Command(enum.IntEnum):
    """SEV API, 4.3; Linux ``enum sev_cmd``."""

    INIT = 0x01
    SHUTDOWN = 0x02
    PLATFORM_RESET = 0x03
    PLATFORM_STATUS = 0x04
    PEK_GEN = 0x05
    PEK_CSR = 0x06
    PEK_CERT_IMPORT = 0x07
    PDH_CERT_EXPORT = 0x08
    PDH_GEN = 0x09
    DF_FLUSH = 0x0A
    GET_ID = 0x0C
    DECOMMISSION = 0x20
    ACTIVATE = 0x21
    DEACTIVATE = 0x22
    GUEST_STATUS = 0x23
    COPY = 0x24
    LAUNCH_START = 0x30
    LAUNCH_UPDATE_DATA = 0x31
    LAUNCH_UPDATE_VMSA = 0x32
    LAUNCH_MEASURE = 0x33
    LAUNCH_SECRET = 0x34
    LAUNCH_FINISH = 0x35
    ATTESTATION = 0x36
    SEND_START = 0x40
    SEND_UPDATE_DATA = 0x41
    SEND_UPDATE_VMSA = 0x42
    SEND_FINISH = 0x43
    SEND_CANCEL = 0x44
    RECEIVE_START = 0x50
    RECEIVE_UPDATE_DATA = 0x51
    RECEIVE_UPDATE_VMSA = 0x52
    RECEIVE_FINISH = 0x53
    DBG_DECRYPT = 0x60
    DBG_ENCRYPT = 0x61


class Status(enum.IntEnum):
    """SEV API, 4.4; Linux ``sev_ret_code``."""

    SUCCESS = 0x00
    INVALID_PLATFORM_STATE = 0x01
    INVALID_GUEST_STATE = 0x02
    INVALID_CONFIG = 0x03
    INVALID_LENGTH = 0x04
    ALREADY_OWNED = 0x05
    INVALID_CERTIFICATE = 0x06
    POLICY_FAILURE = 0x07
    INACTIVE = 0x08
    INVALID_ADDRESS = 0x09
    BAD_SIGNATURE = 0x0A
    BAD_MEASUREMENT = 0x0B
    ASID_OWNED = 0x0C
    INVALID_ASID = 0x0D
    WBINVD_REQUIRED = 0x0E
    DF_FLUSH_REQUIRED = 0x0F
    INVALID_GUEST = 0x10
    INVALID_COMMAND = 0x11
    ACTIVE = 0x12
    HARDWARE_ERROR_PLATFORM = 0x13
    HARDWARE_ERROR_UNSAFE = 0x14
    UNSUPPORTED = 0x15
    INVALID_PARAM = 0x16
    RESOURCE_LIMIT = 0x17
    SECURE_DATA_INVALID = 0x18


class PlatformState(enum.IntEnum):
    """SEV API, 5.1.2."""

    UNINIT = 0
    INIT = 1
    WORKING = 2


class GuestState(enum.IntEnum):
    """SEV API, 6.1.1. Without SEND and RECEIVE, no guest is ever in the last three."""

    UNINIT = 0
    LUPDATE = 1
    LSECRET = 2
    RUNNING = 3
    SUPDATE = 4
    RUPDATE = 5
    SENT = 6


class Usage(enum.IntEnum):
    """What the key of a certificate, or the key that made a signature, is for."""

    ARK = 0x0000
    ASK = 0x0013
    INVALID = 0x1000
    OCA = 0x1001
    PEK = 0x1002
    PDH = 0x1003
    CEK = 0x1004


class Algorithm(enum.IntEnum):
    """How a key of a certificate is used."""

    INVALID = 0x000
    RSA_SHA256 = 0x001
    ECDSA_SHA256 = 0x002
    ECDH_SHA256 = 0x003
    RSA_SHA384 = 0x101


class Policy(enum.IntFlag):
    """What a guest's owner allows, bits 5:0. Bits 23:16 and 31:24 are the lowest API version, major and minor."""

    NO_DEBUG = 1 << 0
    NO_KEY_SHARING = 1 << 1
    ENCRYPTED_STATE = 1 << 2
    NO_SEND = 1 << 3
    DOMAIN = 1 << 4
    SEV_ONLY = 1 << 5

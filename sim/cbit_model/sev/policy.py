"""A guest's policy as words."""

import re

from cbit_model.sev.constants import Policy

__all__ = ["parse_policy", "policy_words"]

_WORDS = {flag.name.lower().replace("_", "-"): flag for flag in Policy if flag.name}
_API = re.compile(r"api=(\d{1,3})\.(\d{1,3})")


def parse_policy(text: str) -> int:
    """The policy that a text means: a number, decimal or hexadecimal after 0x, or words with commas between them.

    Raises
    ------
    ValueError
        If it means none, or two versions of the API.
    """
    if re.fullmatch(r"0[xX][0-9a-fA-F]+|\d+", text):
        number = int(text, 16 if text[1:2] in ("x", "X") else 10)
        if number >= 1 << 32:
            raise ValueError(f"Policy must be below 2^32, not {text}")
        return number
    policy, versioned = 0, False
    for word in text.split(","):
        api = _API.fullmatch(word)
        if word in _WORDS:
            policy |= _WORDS[word]
        elif api and versioned:
            raise ValueError(f"Policy must have at most one api=MAJOR.MINOR, not {text!r}")
        elif api and max(int(part) for part in api.groups()) < 256:
            versioned = True
            policy |= int(api[1]) << 16 | int(api[2]) << 24
        else:
            raise ValueError(f"Policy must be a number, or some of {', '.join(_WORDS)} and api=MAJOR.MINOR with "
                             f"commas between them, not {text!r}")
    return policy


def policy_words(policy: int) -> str:
    """The words of a policy, as :func:`parse_policy` takes them; a number where it has bits without a word."""
    words = [name for name, flag in _WORDS.items() if policy & flag]
    if policy & 0xFFC0 or not policy:
        return f"{policy:#x}"
    if policy >> 16:
        words.append(f"api={policy >> 16 & 0xFF}.{policy >> 24}")
    return ",".join(words)

"""Unified social credit codes and e-mail addresses: what is accepted, and what is said if not."""

from __future__ import annotations

import re
import unicodedata

from stdnum.cn import uscc as standard
from stdnum.exceptions import InvalidChecksum, InvalidFormat, InvalidLength

from marketplace.parties.errors import EmailInvalid, UsccInvalid

USCC_LENGTH = 18
EMAIL_LENGTH_MAX = 254

_EMAIL = re.compile(r"[!-?A-~]+@[!-?A-~]+")


def require_uscc(text: str) -> str:
    """`text` as an 18-character unified social credit code, without spaces and in capitals.

    The alphabet, the places and the check character are those of GB 32100-2015.

    Raises:
        UsccInvalid: naming what is wrong: the length, a character, or the check digit.
    """
    try:
        return standard.validate(_half_width(text))
    except InvalidLength as error:
        length = len(standard.compact(_half_width(text)))
        raise UsccInvalid(
            f"It has {length} characters and needs {USCC_LENGTH}.",
            limit=USCC_LENGTH,
            asked=length,
        ) from error
    except InvalidChecksum as error:
        raise UsccInvalid("The last character does not match: check for a typing error.") from error
    except InvalidFormat as error:
        raise UsccInvalid(
            "The first 8 characters are digits, the others digits or capitals without I O S V Z."
        ) from error


def is_uscc(text: str) -> bool:
    """Whether `text` is a unified social credit code: a holder that is not a natural person."""
    return standard.is_valid(_half_width(text))


def require_email(text: str) -> str:
    """`text` as the address that a person signs in with: trimmed, in small letters.

    Raises:
        EmailInvalid: when it is no ASCII address with one @.
    """
    address = text.strip().lower()
    if len(address) > EMAIL_LENGTH_MAX or not _EMAIL.fullmatch(address):
        raise EmailInvalid("Write it as name@domain in ASCII letters.")
    return address


def _half_width(text: str) -> str:
    # Codes are often typed with a Chinese input method, in full-width characters.
    return unicodedata.normalize("NFKC", text)

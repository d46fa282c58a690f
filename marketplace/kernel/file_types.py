"""What a file is, by its own bytes: a name or a header may say anything.

A file is taken when its bytes are of a type that is allowed where it is sent, and its name ends as
files of that type do. What runs when it is opened (programs, pages, drawings with scripts) is of no
allowed type; an instrument's own binary formats go into an archive.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Collection
from dataclasses import dataclass

import puremagic

from marketplace.kernel.errors import Reasons, Refused

_OFFICE = "application/vnd.openxmlformats-officedocument."
PDF = "application/pdf"
OFD = "application/ofd"
DOCX = _OFFICE + "wordprocessingml.document"
XLSX = _OFFICE + "spreadsheetml.sheet"
PPTX = _OFFICE + "presentationml.presentation"
PNG, JPEG, TIFF = "image/png", "image/jpeg", "image/tiff"
TEXT, XML = "text/plain", "application/xml"
ZIP, GZIP, SEVEN_ZIP = "application/zip", "application/gzip", "application/x-7z-compressed"
RAR = "application/vnd.rar"
HDF5, FITS, DICOM = "application/x-hdf5", "image/fits", "application/dicom"

# How names of each type end. A text may be a table or a spectrum; a program's text is neither.
ENDINGS: dict[str, frozenset[str]] = {
    PDF: frozenset({"pdf"}),
    OFD: frozenset({"ofd"}),
    DOCX: frozenset({"docx"}),
    XLSX: frozenset({"xlsx"}),
    PPTX: frozenset({"pptx"}),
    PNG: frozenset({"png"}),
    JPEG: frozenset({"jpg", "jpeg"}),
    TIFF: frozenset({"tif", "tiff"}),
    TEXT: frozenset(
        {"txt", "csv", "tsv", "asc", "dat", "log", "md", "json", "xy", "xyz", "dx", "jdx", "cif"}
    ),
    XML: frozenset({"xml", "mzml", "mzxml", "imzml"}),
    ZIP: frozenset({"zip"}),
    GZIP: frozenset({"gz", "tgz"}),
    SEVEN_ZIP: frozenset({"7z"}),
    RAR: frozenset({"rar"}),
    HDF5: frozenset({"h5", "hdf5", "nxs", "nc"}),
    FITS: frozenset({"fits", "fit"}),
    DICOM: frozenset({"dcm"}),
}

DOCUMENTS = frozenset({PDF, OFD, DOCX, XLSX, PNG, JPEG})
"""What is attached to a request, a quote or a decision: a paper, a table or a picture of one."""
RESULTS = frozenset(ENDINGS)
"""What a service hands over: papers, pictures, tables, data, and archives of anything else."""

# A signature shorter than this is found in texts by chance; a tenth of the library's scale a byte.
_SIGNATURE_BYTES_MIN = 3
# Formats with a signature of eight bytes that the library does not list.
_SIGNATURES = {b"\x89HDF\r\n\x1a\n": HDF5}
_SAME = {
    "application/x-gzip": GZIP,
    "text/xml": XML,
    "image/jpg": JPEG,
    "image/x-tiff": TIFF,
}
# What an archive holds that makes it more than an archive.
_IN_ARCHIVE = {"word/": DOCX, "xl/": XLSX, "ppt/": PPTX, "OFD.xml": OFD}
_ARCHIVE_NAMES_MAX = 10_000
_HEAD_BYTES = 64 * 1024
# Allowed in a text: tab, line feed, form feed, carriage return, and the mark of DOS for its end.
_CONTROLS = frozenset(range(0x20)) - {0x09, 0x0A, 0x0C, 0x0D, 0x1A}


class FileUnfit(Refused):
    """A file is empty, too large, of a type that is not taken here, or named like another."""

    code = "file-unfit"
    title = "The file cannot be taken"


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """What a file that may be kept is."""

    media_type: str
    sha256: str
    size: int


def checked_file(
    name: str, content: bytes, allowed: Collection[str], bytes_max: int
) -> CheckedFile:
    """What `content` is, where its type is one of `allowed` and its name agrees.

    Raises:
        FileUnfit: with every reason: its size, its type, its name.
    """
    reasons = Reasons()
    if not 1 <= len(content) <= bytes_max:
        reasons.add(
            "file-size",
            f"A file has between 1 and {bytes_max:,} bytes here.",
            limit=bytes_max,
            asked=len(content),
        )
    found = media_type_of(content) if content else None
    if content and found not in allowed:
        reasons.add(
            "file-type",
            "Files of this type are not taken here; an archive (zip) of them may be.",
            limit=sorted(allowed),
            asked=found or "unknown",
        )
    elif found is not None and _ending(name) not in ENDINGS[found]:
        reasons.add(
            "file-name",
            f"Its name does not end like that of {found}.",
            limit=sorted(ENDINGS[found]),
            asked=name,
        )
    reasons.raise_as(FileUnfit)
    return CheckedFile(found or "", hashlib.sha256(content).hexdigest(), len(content))


def media_type_of(content: bytes) -> str | None:
    """The type that the bytes show, or None where they show none that is known here."""
    for signature, found in _SIGNATURES.items():
        if content.startswith(signature):
            return found
    if content.startswith(b"PK\x03\x04"):
        return _in_archive(content)
    found_types = _by_signature(content)
    for found in found_types:
        if found in ENDINGS and found not in (TEXT, XML):
            return found
    if _is_text(content):
        return _kind_of_text(content, found_types)
    return found_types[0] if found_types else None


def _by_signature(content: bytes) -> list[str]:
    """The types whose signature the bytes carry, the longest signature first."""
    try:
        matches = puremagic.magic_string(content)
    except (puremagic.PureError, ValueError):
        return []
    return [
        _SAME.get(match.mime_type, match.mime_type)
        for match in matches
        if match.mime_type and match.confidence * 10 >= _SIGNATURE_BYTES_MIN
    ]


def _in_archive(content: bytes) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()[:_ARCHIVE_NAMES_MAX]
    except (zipfile.BadZipFile, RuntimeError, UnicodeDecodeError, ValueError):
        return None
    for start, found in _IN_ARCHIVE.items():
        if any(name.startswith(start) for name in names):
            return found
    return ZIP


def _is_text(content: bytes) -> bool:
    """UTF-8, UTF-16 with its mark, or GB18030: a text without control characters."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decodes(content, "utf-16")
    if any(byte in _CONTROLS for byte in content[:_HEAD_BYTES]):
        return False
    return _decodes(content, "utf-8") or _decodes(content, "gb18030")


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return "\x00" not in text


def _kind_of_text(content: bytes, found_types: list[str]) -> str:
    head = content[:_HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if any(mark in head for mark in (b"<html", b"<!doctype html", b"<script", b"<svg")):
        return "text/html"
    if head.startswith(b"#!"):
        return "text/x-shellscript"
    if head.startswith(b"<?xml"):
        return XML
    return "text/rtf" if "text/rtf" in found_types or head.startswith(b"{\\rtf") else TEXT


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""

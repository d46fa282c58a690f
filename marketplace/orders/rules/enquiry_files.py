"""What an attachment must not carry: macros, programs, archive bombs, calls to elsewhere.

What a file is has been found from its bytes before (`kernel.file_types`); here its inside is looked
at. It takes the place of no virus scanner.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

from defusedxml import DefusedXmlException, ElementTree

from marketplace.kernel.errors import Reasons
from marketplace.kernel.file_types import (
    DOCX,
    JPEG,
    OFD,
    PDF,
    PNG,
    PPTX,
    TEXT,
    XLSX,
    FileUnfit,
)

ATTACHMENTS = frozenset({PDF, OFD, DOCX, XLSX, PPTX, PNG, JPEG, TEXT})
FILE_BYTES_MAX = 10 * 1024 * 1024

_PACKAGES = frozenset({OFD, DOCX, XLSX, PPTX})
_ENTRIES_MAX = 2_000
_UNPACKED_BYTES_MAX = 64 * 1024 * 1024
_RELATIONS_BYTES_MAX = 1024 * 1024
# Deflate cannot do better than about 1000; documents of text and tables stay far below this.
_RATIO_MAX = 200
# A blank sheet or an empty part packs very well, and harms nobody.
_RATIO_FROM_BYTES = 1024 * 1024
# Parts of office documents that run, or that hold files of their own.
_ACTIVE_PARTS = re.compile(r"vbaproject|vbadata|macrosheets/|activex/|embeddings/|oleobject", re.I)
_ACTIVE_ENDINGS = frozenset(
    f".{ending}"
    for ending in re.findall(
        r"\w+",
        "bat bin cmd com dll exe hta jar js jse lnk msi pif ps1 py scr sh vbe vbs wsf"
        " zip rar 7z gz",
    )
)
# Printer settings and the like are binary and harmless.
_HARMLESS_BINARY = re.compile(r"printersettings\d*\.bin$", re.I)
_END_OF_ARCHIVE = b"PK\x05\x06"
_ARCHIVE_TAIL = 65_536 + 22
# PDF names that act by themselves or carry files; `#xx` may stand for any letter of a name.
_ACTIVE_NAMES = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|XFA)(?![A-Za-z])")
# What is looked at of objects that are packed, and how far before a stream its dictionary lies.
_PACKED_OBJECTS_MAX = 16 * 1024 * 1024
_DICTIONARY_BYTES = 512
_NAME_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_PROGRAMS = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa")


def require_harmless(name: str, media_type: str, content: bytes) -> None:
    """Refuse an attachment whose inside is not what such a file needs to be read.

    Raises:
        FileUnfit: with every reason.
    """
    reasons = Reasons()
    if len(PurePosixPath(name).suffixes) > 1 and any(
        suffix.lower() in _ACTIVE_ENDINGS for suffix in PurePosixPath(name).suffixes[:-1]
    ):
        reasons.add("file-name", "A name with a program's ending inside is taken by nobody.")
    if content.startswith(_PROGRAMS):
        reasons.add("file-program", "Programs are not taken.")
    if media_type in _PACKAGES:
        _look_into_package(content, reasons)
    elif _END_OF_ARCHIVE in content[-_ARCHIVE_TAIL:]:
        reasons.add("file-hidden-archive", "An archive is hidden behind the file.")
    if media_type == PDF:
        _look_into_pdf(content, reasons)
    reasons.raise_as(FileUnfit)


def _look_into_pdf(content: bytes, reasons: Reasons) -> None:
    found = {
        match[1].decode()
        for part in _pdf_objects(content)
        for match in _ACTIVE_NAMES.finditer(
            _NAME_ESCAPE.sub(lambda escaped: bytes([int(escaped[1], 16)]), part)
        )
    }
    if found:
        reasons.add(
            "pdf-active",
            "A PDF with scripts, forms that act or files inside is not taken; print it anew.",
            asked=sorted(found),
        )


def _pdf_objects(content: bytes) -> Iterator[bytes]:
    """The objects of a PDF without its pictures and pages, in which any bytes may stand.

    Objects may be packed into streams of their own; those are unpacked as far as a list goes.
    """
    left = _PACKED_OBJECTS_MAX
    for outside, packed in _around_streams(content):
        yield outside
        if b"/ObjStm" in outside[-_DICTIONARY_BYTES:] and left > 0:
            try:
                objects = zlib.decompressobj().decompress(packed.lstrip(b"\r\n"), left)
            except zlib.error:
                continue
            left -= len(objects)
            yield objects


def _around_streams(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """What stands before each stream, and the stream."""
    place = 0
    while True:
        begins = content.find(b"stream", place)
        if begins < 0:
            yield content[place:], b""
            return
        ends = content.find(b"endstream", begins)
        ends = len(content) if ends < 0 else ends
        yield content[place:begins], content[begins + len(b"stream") : ends]
        place = ends + len(b"endstream")


def _look_into_package(content: bytes, reasons: Reasons) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            entries = package.infolist()
            if _fits(entries, reasons):
                _look_at_names(entries, reasons)
                _look_at_contents(package, entries, reasons)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError, OSError):
        reasons.add("package-broken", "The document is damaged; save it anew.")


def _fits(entries: list[zipfile.ZipInfo], reasons: Reasons) -> bool:
    """Whether it can be unpacked at all: what the archive says of itself, before any byte is."""
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    before = len(reasons.found)
    if len(entries) > _ENTRIES_MAX:
        reasons.add(
            "package-parts",
            f"A document has at most {_ENTRIES_MAX} parts.",
            limit=_ENTRIES_MAX,
            asked=len(entries),
        )
    if unpacked > _UNPACKED_BYTES_MAX:
        reasons.add(
            "package-unpacked",
            "The document would be too large unpacked.",
            limit=_UNPACKED_BYTES_MAX,
            asked=unpacked,
        )
    if unpacked > _RATIO_FROM_BYTES and unpacked > _RATIO_MAX * max(packed, 1):
        reasons.add(
            "package-ratio",
            "The document is packed like an archive bomb.",
            limit=_RATIO_MAX,
            asked=unpacked // max(packed, 1),
        )
    if any(entry.flag_bits & 1 for entry in entries):
        reasons.add("package-encrypted", "What is encrypted cannot be looked at; send it open.")
    return len(reasons.found) == before


def _look_at_names(entries: list[zipfile.ZipInfo], reasons: Reasons) -> None:
    names = [entry.filename for entry in entries]
    if len({name.lower() for name in names}) < len(names):
        reasons.add("package-twice", "A part stands twice in the document.")
    if any(name.startswith("/") or ".." in PurePosixPath(name).parts for name in names):
        reasons.add("package-paths", "A part of the document lies outside of it.")
    active = [
        name
        for name in names
        if _ACTIVE_PARTS.search(name)
        or (
            PurePosixPath(name).suffix.lower() in _ACTIVE_ENDINGS
            and not _HARMLESS_BINARY.search(name)
        )
    ]
    if active:
        reasons.add(
            "package-active",
            "A document with macros, programs or files inside is not taken.",
            asked=active[:5],
        )


def _look_at_contents(
    package: zipfile.ZipFile, entries: list[zipfile.ZipInfo], reasons: Reasons
) -> None:
    """Every part is what the archive says of it, and none calls for what lies elsewhere."""
    elsewhere: set[str] = set()
    macros = False
    for entry in entries:
        is_list = entry.filename.endswith(".rels") or entry.filename == "[Content_Types].xml"
        # Reads no more than the size that was checked, and compares the checksum.
        content = package.read(entry)
        if content.startswith(_PROGRAMS):
            reasons.add("package-active", f"{entry.filename[:100]} is a program.")
        if is_list:
            root = _parsed(content, reasons)
            macros = macros or b"macroenabled" in content.lower()
            elsewhere |= set() if root is None else _called(root)
    if macros:
        reasons.add("package-macros", "A document with macros is not taken; save it without.")
    if elsewhere:
        reasons.add(
            "package-elsewhere",
            "The document loads what lies elsewhere when it is opened.",
            asked=sorted(elsewhere)[:5],
        )


def _parsed(content: bytes, reasons: Reasons) -> Element | None:
    if len(content) > _RELATIONS_BYTES_MAX:
        reasons.add("package-broken", "The document's list of parts is too long.")
        return None
    try:
        root: Element = ElementTree.fromstring(content)
    except (ElementTree.ParseError, DefusedXmlException, LookupError, ValueError):
        reasons.add("package-broken", "The document's list of parts cannot be read.")
        return None
    return root


def _called(root: Element) -> set[str]:
    """The kinds of what a document loads from elsewhere; links that a reader follows are none."""
    return {
        each.get("Type", "").rpartition("/")[2]
        for each in root.iter()
        if each.get("TargetMode", "").lower() == "external"
        and not each.get("Type", "").endswith("/hyperlink")
    }

"""Attachments with something hidden in them."""

import io
import struct
import zipfile
import zlib

import pytest

from marketplace.kernel.file_types import DOCX, JPEG, PDF, PNG, TEXT, FileUnfit
from marketplace.orders.rules.enquiry_files import require_harmless
from tests.builders.attachments import a_docx, a_pdf, relations

PNG_BYTES = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4


def packed(inside: bytes) -> bytes:
    """A PDF whose objects are packed, as most programs write it."""
    objects = zlib.compress(inside)
    return (
        b"%PDF-1.7\n3 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length "
        + str(len(objects)).encode()
        + b" >>\nstream\n"
        + objects
        + b"\nendstream\nendobj\ntrailer\n<< >>\n%%EOF\n"
    )


def a_bomb() -> bytes:
    return a_docx({"word/media/picture.xml": b"\x00" * (60 * 1024 * 1024)})


def many_parts() -> bytes:
    return a_docx({f"word/part{number}.xml": b"<a/>" for number in range(2_000)})


def twice() -> bytes:
    file = io.BytesIO(a_docx())
    with zipfile.ZipFile(file, "a") as package, pytest.warns(UserWarning, match="Duplicate"):
        package.writestr("word/document.xml", b"<other/>")
    return file.getvalue()


def lying() -> bytes:
    """A part that says it is smaller than it is."""
    content = bytearray(a_docx({"word/large.xml": b"<a/>" * 10_000}))
    directory = content.rindex(b"word/large.xml") - 46
    struct.pack_into("<I", content, directory + 24, 100)
    return bytes(content)


def encrypted() -> bytes:
    content = bytearray(a_docx())
    place = 0
    while (place := content.find(b"PK\x01\x02", place)) >= 0:
        content[place + 8] |= 1
        place += 4
    return bytes(content)


HARMLESS = {
    "a document": ("需求.docx", DOCX, a_docx()),
    "a document with a link": (
        "需求.docx",
        DOCX,
        a_docx(
            {
                "word/_rels/document.xml.rels": relations(
                    ("hyperlink", "https://example.com", "External"),
                    ("image", "media/1.png", ""),
                )
            }
        ),
    ),
    "printer settings": (
        "表.docx",
        DOCX,
        a_docx({"xl/printerSettings/printerSettings1.bin": b"1"}),
    ),
    "a paper": ("方案.pdf", PDF, a_pdf()),
    "a packed paper": ("方案.pdf", PDF, packed(b"1 0 << /Type /Page /JSX 1 >>")),
    "a picture": ("图.png", PNG, PNG_BYTES),
    "a dotted name": ("v1.2.样品.txt", TEXT, "样品".encode()),
}
HOSTILE = {
    "macros": ("a.docx", DOCX, lambda: a_docx({"word/vbaProject.bin": b"1"}), "package-active"),
    "macros by type": ("a.docx", DOCX, lambda: a_docx(macro=True), "package-macros"),
    "a program": ("a.docx", DOCX, lambda: a_docx({"word/run.exe": b"1"}), "package-active"),
    "a program by another name": (
        "a.docx",
        DOCX,
        lambda: a_docx({"word/picture.png": b"MZ\x90\x00" + b"\x00" * 60}),
        "package-active",
    ),
    "an object inside": (
        "a.docx",
        DOCX,
        lambda: a_docx({"word/embeddings/sheet.xlsx": b"1"}),
        "package-active",
    ),
    "an archive inside": ("a.docx", DOCX, lambda: a_docx({"word/a.zip": b"1"}), "package-active"),
    "a template from elsewhere": (
        "a.docx",
        DOCX,
        lambda: a_docx(
            {
                "word/_rels/settings.xml.rels": relations(
                    ("attachedTemplate", "https://evil.example/t.dotm", "External")
                )
            }
        ),
        "package-elsewhere",
    ),
    "entities": (
        "a.docx",
        DOCX,
        lambda: a_docx({"word/_rels/x.rels": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}),
        "package-broken",
    ),
    "a path upwards": ("a.docx", DOCX, lambda: a_docx({"../evil.xml": b"1"}), "package-paths"),
    "a bomb": ("a.docx", DOCX, a_bomb, "package-ratio"),
    "too large unpacked": (
        "a.docx",
        DOCX,
        lambda: a_docx({"word/a.xml": b"\x00" * (65 * 1024 * 1024)}),
        "package-unpacked",
    ),
    "too many parts": ("a.docx", DOCX, many_parts, "package-parts"),
    "a part twice": ("a.docx", DOCX, twice, "package-twice"),
    "a lie about sizes": ("a.docx", DOCX, lying, "package-broken"),
    "encrypted": ("a.docx", DOCX, encrypted, "package-encrypted"),
    "no archive at all": ("a.docx", DOCX, lambda: b"PK\x03\x04 and so on", "package-broken"),
    "a script": (
        "a.pdf",
        PDF,
        lambda: a_pdf(b"/OpenAction << /S /JavaScript /JS (x) >>"),
        "pdf-active",
    ),
    "a script in disguise": ("a.pdf", PDF, lambda: a_pdf(b"/S /J#61vaScript"), "pdf-active"),
    "a script packed away": (
        "a.pdf",
        PDF,
        lambda: packed(b"1 0 << /S /JavaScript >>"),
        "pdf-active",
    ),
    "a program started": ("a.pdf", PDF, lambda: a_pdf(b"/S /Launch /F (cmd)"), "pdf-active"),
    "a file inside": (
        "a.pdf",
        PDF,
        lambda: a_pdf(b"/Names << /EmbeddedFiles 3 0 R >>"),
        "pdf-active",
    ),
    "an archive behind a picture": (
        "a.png",
        PNG,
        lambda: PNG_BYTES + a_docx(),
        "file-hidden-archive",
    ),
    "a program named as a picture": ("a.exe.jpg", JPEG, lambda: b"\xff\xd8\xff", "file-name"),
    "a program as text": ("a.txt", TEXT, lambda: b"MZ this program", "file-program"),
}


@pytest.mark.parametrize(("name", "kind", "content"), HARMLESS.values(), ids=HARMLESS)
def test_what_is_only_read_is_taken(name, kind, content):
    require_harmless(name, kind, content)


@pytest.mark.parametrize(("name", "kind", "made", "rule"), HOSTILE.values(), ids=HOSTILE)
def test_what_acts_hides_or_explodes_is_refused(name, kind, made, rule):
    with pytest.raises(FileUnfit) as refusal:
        require_harmless(name, kind, made())

    assert rule in [reason.rule for reason in refusal.value.reasons]

"""Documents as programs write them, with room for what should not be in them."""

import io
import zipfile

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def a_docx(parts: dict[str, bytes] | None = None, *, macro: bool = False) -> bytes:
    """A document as word processors write it, with more parts where they are named."""
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    if macro:
        kind = "application/vnd.ms-word.document.macroEnabled.main+xml"
    whole = {
        "[Content_Types].xml": (
            '<?xml version="1.0"?><Types xmlns='
            '"http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/word/document.xml" ContentType="{kind}"/></Types>'
        ).encode(),
        "_rels/.rels": relations(("officeDocument", "word/document.xml", "")),
        "word/document.xml": b"<document>\xe6\xa0\xb7\xe5\x93\x81</document>",
    } | (parts or {})
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in whole.items():
            package.writestr(name, content)
    return file.getvalue()


def relations(*found: tuple[str, str, str]) -> bytes:
    """A list of relationships: kind, target, and whether it is external."""
    lines = "".join(
        f'<Relationship Id="r{place}" Type="{_OFFICE}/{kind}" Target="{target}"'
        + (f' TargetMode="{mode}"/>' if mode else "/>")
        for place, (kind, target, mode) in enumerate(found)
    )
    return (
        '<?xml version="1.0"?><Relationships xmlns='
        f'"http://schemas.openxmlformats.org/package/2006/relationships">{lines}</Relationships>'
    ).encode()


def a_pdf(inside: bytes = b"") -> bytes:
    """A small PDF with something among its objects."""
    return (
        b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog " + inside + b" >>\nendobj\n"
        b"2 0 obj\n<< /Length 12 >>\nstream\n/JS random /J\nendstream\nendobj\n"
        b"trailer\n<< /Root 1 0 R >>\nstartxref\n0\n%%EOF\n"
    )

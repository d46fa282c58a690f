"""A file is what its bytes are, whatever its name says."""

import gzip
import io
import zipfile

import pytest

from marketplace.kernel import file_types
from marketplace.kernel.file_types import DOCUMENTS, RESULTS, FileUnfit, checked_file

BYTES_MAX = 1_000_000


def an_archive(*names: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return held.getvalue()


TAKEN = [
    ("report.pdf", b"%PDF-1.7\nall in letters\n%%EOF", file_types.PDF),
    ("发票.ofd", an_archive("OFD.xml", "Doc_0/Document.xml"), file_types.OFD),
    ("report.docx", an_archive("[Content_Types].xml", "word/document.xml"), file_types.DOCX),
    ("table.xlsx", an_archive("[Content_Types].xml", "xl/workbook.xml"), file_types.XLSX),
    ("slides.pptx", an_archive("[Content_Types].xml", "ppt/slides.xml"), file_types.PPTX),
    ("图谱.PNG", b"\x89PNG\r\n\x1a\n" + bytes(30), file_types.PNG),
    ("photo.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(20), file_types.JPEG),
    ("micrograph.tif", b"II*\x00" + bytes(20), file_types.TIFF),
    ("peaks.csv", "样品,结果\n1,2\n".encode("gb18030"), file_types.TEXT),
    ("peaks.csv", "样品,结果\n1,2\n".encode("utf-16"), file_types.TEXT),
    ("mz.csv", b"MZ,intensity\n100,2\n", file_types.TEXT),
    ("bm.csv", b"BMI,age\n22,40\n", file_types.TEXT),
    ("run.mzML", b'<?xml version="1.0"?><mzML/>', file_types.XML),
    ("raw.zip", an_archive("run.raw"), file_types.ZIP),
    ("raw.tar.gz", gzip.compress(b"raw"), file_types.GZIP),
    ("raw.7z", b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(20), file_types.SEVEN_ZIP),
    ("raw.rar", b"Rar!\x1a\x07\x01\x00" + bytes(20), file_types.RAR),
    ("scan.h5", b"\x89HDF\r\n\x1a\n" + bytes(20), file_types.HDF5),
    ("sky.fits", b"SIMPLE  =                    T".ljust(2880), file_types.FITS),
    ("slice.dcm", bytes(128) + b"DICM" + bytes(20), file_types.DICOM),
]
REFUSED = [
    ("page.html", b"<!DOCTYPE html><html></html>"),
    ("page.txt", b"<p>hello</p><script>steal()</script>"),
    ("drawing.xml", b'<?xml version="1.0"?><svg onload="steal()"/>'),
    ("report.pdf", b"MZ\x90\x00" + bytes(60) + b"PE\x00\x00"),
    ("report.pdf", b"\x7fELF\x02\x01\x01" + bytes(40)),
    ("report.txt", b"#!/bin/sh\nrm -r ~"),
    ("report.dat", bytes(100)),
    ("report.zip", b"PK\x03\x04 cut off"),
]


@pytest.mark.parametrize(("name", "content", "media_type"), TAKEN)
def test_a_result_is_taken_for_what_its_bytes_are(name, content, media_type):
    checked = checked_file(name, content, RESULTS, BYTES_MAX)

    assert (checked.media_type, checked.size) == (media_type, len(content))


@pytest.mark.parametrize(("name", "content"), REFUSED)
def test_what_would_run_when_it_is_opened_is_refused_whatever_its_name_says(name, content):
    with pytest.raises(FileUnfit) as refusal:
        checked_file(name, content, RESULTS, BYTES_MAX)

    assert [reason.rule for reason in refusal.value.reasons] == ["file-type"]


def test_a_name_that_ends_like_another_type_is_refused():
    with pytest.raises(FileUnfit) as refusal:
        checked_file("report.exe", b"%PDF-1.7", DOCUMENTS, BYTES_MAX)

    assert [reason.rule for reason in refusal.value.reasons] == ["file-name"]


def test_size_and_type_are_refused_together():
    with pytest.raises(FileUnfit) as refusal:
        checked_file("data.csv", b"1,2\n" * 100, DOCUMENTS, 100)

    assert [reason.rule for reason in refusal.value.reasons] == ["file-size", "file-type"]
    with pytest.raises(FileUnfit):
        checked_file("data.csv", b"", RESULTS, 100)

"""The grammar of HTTP/1.1's framing, line by line."""

import io
from http.client import HTTPException

import pytest

from oidc_adapters.transport.framing import (
    FIELD_LINES,
    LINE_OCTETS,
    content_length,
    is_chunked,
    read_chunk_size,
    read_fields,
    read_status_line,
    request_line,
    skip_fields,
    values_of,
)

# --- status lines --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n", (1, 200, "OK")),
        (b"HTTP/1.1 200 OK\n", (1, 200, "OK")),
        (b"HTTP/1.0 404 \r\n", (0, 404, "")),
        (b"HTTP/1.1 503\r\n", (1, 503, "")),
        (b"HTTP/1.9 999 a  b\tc\xff\r\n", (9, 999, "a  b\tc\xff")),
    ],
)
def test_a_status_line_is_read(line: bytes, expected: tuple[int, int, str]) -> None:
    assert read_status_line(io.BytesIO(line)) == expected


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\r\n", id="an-empty-line-first"),
        pytest.param(b"HTTP/1.1 200 OK", id="no-end"),
        pytest.param(b"HTTP/1.1 200 O\rK\r\n", id="bare-cr"),
        pytest.param(b"HTTP/1.1 200 O\0K\r\n", id="nul"),
        pytest.param(b" HTTP/1.1 200 OK\r\n", id="space-first"),
        pytest.param(b"HTTP/1.1  200 OK\r\n", id="two-spaces"),
        pytest.param(b"HTTP/1.1\t200 OK\r\n", id="tab"),
        pytest.param(b"http/1.1 200 OK\r\n", id="lower-case"),
        pytest.param(b"HTTP/1.10 200 OK\r\n", id="two-digits"),
        pytest.param(b"HTTP/1 200 OK\r\n", id="no-minor"),
        pytest.param(b"HTTP/0.9 200 OK\r\n", id="0.9"),
        pytest.param(b"HTTP/2.0 200 OK\r\n", id="2.0"),
        pytest.param(b"HTTP/1.\xb2 200 OK\r\n", id="superscript"),
        pytest.param(b"HTTP/1.1 099 OK\r\n", id="below-100"),
        pytest.param(b"HTTP/1.1 20 OK\r\n", id="two-digit-status"),
        pytest.param(b"HTTP/1.1 2000 OK\r\n", id="four-digit-status"),
        pytest.param(b"HTTP/1.1 +20 OK\r\n", id="signed"),
        pytest.param(b"HTTP/1.1 2_0 OK\r\n", id="underscore"),
        pytest.param("HTTP/1.1 ٢٠٠ OK\r\n".encode(), id="foreign-digits"),
        pytest.param(b"<html>hello</html>\r\n", id="http-0.9"),
    ],
)
def test_what_is_no_status_line_is_refused(line: bytes) -> None:
    with pytest.raises(HTTPException):
        read_status_line(io.BytesIO(line))


# --- request lines -------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b""])
def test_a_request_line_is_read(end: bytes) -> None:
    assert request_line(b"GET /a?b=c HTTP/1.1" + end) == ("GET", "/a?b=c", 1)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"GET /\r\n", id="http-0.9"),
        pytest.param(b"GET / HTTP/2.0\r\n", id="2.0"),
        pytest.param(b"GET  / HTTP/1.1\r\n", id="two-spaces"),
        pytest.param(b"GET / HTTP/1.1 \r\n", id="space-last"),
        pytest.param(b"GET /a b HTTP/1.1\r\n", id="space-in-the-target"),
        pytest.param(b"GET /\x7f HTTP/1.1\r\n", id="control"),
        pytest.param(b"GET /\xe4 HTTP/1.1\r\n", id="not-ascii"),
        pytest.param(b"G(T / HTTP/1.1\r\n", id="no-token"),
        pytest.param(b"GET / HTTP/1.1\r\r\n", id="two-cr"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_is_no_request_line_is_refused(line: bytes) -> None:
    with pytest.raises(HTTPException):
        request_line(line)


# --- fields --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"\r\n", []),
        (b"A:b\r\n\r\n", [("A", "b")]),
        (b"A: \t b c \t\r\nB:\n\n", [("A", "b c"), ("B", "")]),
        (b"A: b\r\n  c\r\n\t\r\n\td \r\n\r\n", [("A", "b c d")]),
        (b"A: \xe4\xff\r\n\r\n", [("A", "\xe4\xff")]),
        (b"!#$%&'*+.^_`|~0-9z: 1\r\n\r\n", [("!#$%&'*+.^_`|~0-9z", "1")]),
    ],
)
def test_fields_are_read_and_unfolded(octets: bytes, expected: list[tuple[str, str]]) -> None:
    stream = io.BytesIO(octets + b"rest")
    assert read_fields(stream) == expected
    assert stream.read() == b"rest"


BAD_FIELDS = [
    pytest.param(b"A : b\r\n\r\n", id="space-before-the-colon"),
    pytest.param(b"A\t: b\r\n\r\n", id="tab-before-the-colon"),
    pytest.param(b"A b: c\r\n\r\n", id="space-in-the-name"),
    pytest.param(b": b\r\n\r\n", id="no-name"),
    pytest.param(b"A\r\n\r\n", id="no-colon"),
    pytest.param(b" A: b\r\n\r\n", id="fold-of-nothing"),
    pytest.param(b"A\xe4: b\r\n\r\n", id="name-not-ascii"),
    pytest.param(b"A: b\rc\r\n\r\n", id="bare-cr"),
    pytest.param(b"A: b\0\r\n\r\n", id="nul"),
    pytest.param(b"A: b\x0b\r\n\r\n", id="vertical-tab"),
    pytest.param(b"A: b\x7f\r\n\r\n", id="delete"),
    pytest.param(b"A: b\r\n c\0\r\n\r\n", id="nul-in-a-fold"),
    pytest.param(b"A: b\r\r\n\r\n", id="two-cr"),
    pytest.param(b"A: b\r\n", id="no-empty-line"),
    pytest.param(b"A: " + b"b" * LINE_OCTETS + b"\r\n\r\n", id="a-line-that-is-too-long"),
]


@pytest.mark.parametrize("octets", BAD_FIELDS)
def test_what_is_no_field_is_refused_in_headers_and_trailers(octets: bytes) -> None:
    for read in (read_fields, skip_fields):
        with pytest.raises(HTTPException):
            read(io.BytesIO(octets))


def test_a_header_section_has_so_many_lines() -> None:
    most = b"A: b\r\n" * FIELD_LINES
    assert len(read_fields(io.BytesIO(most + b"\r\n"))) == FIELD_LINES
    with pytest.raises(HTTPException):
        read_fields(io.BytesIO(most + b"A: b\r\n\r\n"))


def test_trailers_are_dropped() -> None:
    stream = io.BytesIO(b"A: b\r\n c\r\n" * 1_000 + b"\r\nrest")
    skip_fields(stream)
    assert stream.read() == b"rest"


# --- chunks, lengths, codings --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "size"),
    [
        (b"0\r\n", 0),
        (b"7\r\n", 7),
        (b"0007\r\n", 7),
        (b"aF\r\n", 175),
        (b"7;ext\r\n", 7),
        (b'7 ; a=b;c="d e"\r\n', 7),
        (b"f" * 16 + b"\r\n", 2**64 - 1),
    ],
)
def test_a_chunk_size_is_read(line: bytes, size: int) -> None:
    assert read_chunk_size(io.BytesIO(line)) == size


BAD_SIZES = [b"0x7", b"0X7", b"0_7", b"7_0", b"+7", b"-7", b" 7", b"\t7", b"7 ", b"", b";x", b"7g",
             b"7h", b"7,", b"7.0", b"f" * 17, b"0" * 17, "٧".encode(), "７".encode(),
             b"\xb2", b"7;a\0", b"7\r", b"7;a\r;b", b"{7}"]  # fmt: skip


@pytest.mark.parametrize("size", BAD_SIZES)
def test_what_is_no_chunk_size_is_refused(size: bytes) -> None:
    with pytest.raises(HTTPException):
        read_chunk_size(io.BytesIO(size + b"\r\n"))


@pytest.mark.parametrize("line", [b"7\n", b"7", b"7\r", b"7;" + b"a" * LINE_OCTETS + b"\r\n"])
def test_the_line_of_a_chunk_ends_properly(line: bytes) -> None:
    with pytest.raises(HTTPException):
        read_chunk_size(io.BytesIO(line))


@pytest.mark.parametrize(
    ("values", "length"),
    [
        ([], None),
        (["0"], 0),
        (["42"], 42),
        (["0042"], 42),
        (["5", "5"], 5),
        (["9" * 15], 10**15 - 1),
    ],
)
def test_a_length_is_read(values: list[str], length: int | None) -> None:
    assert content_length(values) == length


BAD_LENGTHS = ["+5", "-5", "5_0", "٥", "５", "²", "5,5", "5, 5", "5 0", " 5", "5 ", "", "x", "0x5",
               "5.0", "1e1", "9" * 16, "9" * 5_000, "5;q=1", "5\x0b"]  # fmt: skip


@pytest.mark.parametrize("value", BAD_LENGTHS)
def test_what_is_no_length_is_refused(value: str) -> None:
    with pytest.raises(HTTPException):
        content_length([value])


@pytest.mark.parametrize("values", [["5", "6"], ["5", "05"], ["5", ""], ["5", "5", "6"]])
def test_lengths_that_differ_are_refused(values: list[str]) -> None:
    with pytest.raises(HTTPException):
        content_length(values)


@pytest.mark.parametrize(
    ("values", "found"), [([], False), (["chunked"], True), (["ChunKed"], True)]
)
def test_one_transfer_coding_is_known(values: list[str], found: bool) -> None:
    assert is_chunked(values, 1) is found


@pytest.mark.parametrize(
    "values",
    [
        ["gzip"],
        ["identity"],
        [""],
        ["chunked, chunked"],
        ["gzip, chunked"],
        ["chunked, gzip"],
        ["chunked,"],
        ["chunked;q=1"],
        ["xchunked"],
        ["'chunked'"],
        ["\x0bchunked"],
        ["\u212ahunked"],
        ["chunked", "chunked"],
        ["gzip", "chunked"],
    ],
)
def test_other_transfer_codings_are_refused(values: list[str]) -> None:
    with pytest.raises(HTTPException):
        is_chunked(values, 1)


def test_an_older_version_has_no_transfer_coding() -> None:
    with pytest.raises(HTTPException):
        is_chunked(["chunked"], 0)


def test_fields_are_found_by_any_spelling_of_their_name() -> None:
    assert values_of([("A", "1"), ("b", "2"), ("a", "3")], "a") == ["1", "3"]

"""Messages survive any cutting of the stream, and damage to one does not reach the next."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcomplete_lsp.framing import MOST_BYTES, Framer

SOME = settings(deadline=None, max_examples=60)


def framed(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


@SOME
@given(st.lists(st.binary(max_size=40), max_size=6), st.lists(st.integers(1, 30), min_size=1))
def test_bodies_come_out_however_the_stream_is_cut(bodies, sizes):
    stream = b"".join(map(framed, bodies))
    framer, out, i = Framer(), [], 0
    while stream:
        size = sizes[i % len(sizes)]
        out += framer.feed(stream[:size])
        stream, i = stream[size:], i + 1
    assert out == bodies


def test_header_names_and_further_headers_are_read_as_the_specification_says():
    framer = Framer()
    message = b"Content-Type: x; charset=utf-8\r\ncontent-length: 2\r\n\r\n{}"
    assert list(framer.feed(message)) == [b"{}"]


@pytest.mark.parametrize(
    "noise",
    [
        b"noise\r\n",
        b"\x00\xff\xfe\n",
        b"Content-Length: -5\r\n\r\n",
        b"Content-Length: many\r\n\r\n",
        b"Content-Length: %d\r\n\r\n" % (MOST_BYTES + 1),
        b'{"jsonrpc":"2.0"}',
        b"\r\n\r\n",
        b"x" * 100_000,
    ],
)
def test_the_message_behind_noise_is_found(noise):
    framer = Framer()
    out = list(framer.feed(noise + framed(b"{}")))
    assert out[-1] == b"{}"
    assert set(out[:-1]) <= {None}


def test_a_message_swallowed_by_a_wrong_length_comes_back():
    framer = Framer()
    inner = framed(b'{"id": 2}')
    [swallowed] = framer.feed(b"Content-Length: %d\r\n\r\n{broken" % (7 + len(inner)) + inner)
    assert swallowed is not None
    framer.unread(swallowed)
    assert list(framer.feed(b"")) == [b'{"id": 2}']


@SOME
@given(st.binary(max_size=300))
def test_any_bytes_leave_the_framer_usable(data):
    framer = Framer()
    list(framer.feed(data + b"\n\n"))
    if framer._body is None:
        assert list(framer.feed(framed(b"[1]")))[-1] == b"[1]"

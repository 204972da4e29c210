"""Values to JSON and back; one sentence for everything that does not fit."""

import hashlib
import json
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcomplete.errors import Cancelled, DcompleteError, ModelError, Reason, Refusal, UserError
from dcomplete.serve import codec
from dcomplete.serve.orders import PROTOCOL, Choice, EngineFault, Order, Status
from dcomplete.types import Answer, Cell, Finish, Infill, InfillRequest, Timings

few = settings(max_examples=40, deadline=None)
anything = st.text(st.characters(), max_size=20)  # half surrogate pairs included
number = st.floats(allow_nan=False, allow_infinity=False)
count = st.integers(-(2**70), 2**70)
requests = st.builds(
    InfillRequest,
    prefix=anything, suffix=anything, preamble=anything,
    between=st.lists(anything, max_size=3).map(tuple),
    max_tokens=count, steps=count, policy=anything, length=anything, samples=count,
    temperature=number, top_p=number, seed=count, deadline_ms=st.none() | number,
    draft=st.none() | anything, beside=st.none() | count, context_tokens=count,
    heal=st.booleans(), reuse=st.booleans(), line=st.booleans(), confidence=number,
    branches=count, branch_ms=st.none() | number,
)  # fmt: skip
timings = st.builds(Timings, number, number, number, number, number)
answers = st.builds(
    Answer, st.lists(anything).map(tuple), count, number, st.sampled_from(list(Finish))
)
infills = st.builds(
    Infill, st.lists(answers, max_size=3).map(tuple), anything, anything, anything, anything,
    count, count, count, count, timings,
)  # fmt: skip
orders = st.builds(
    Order, anything, anything, anything, anything, anything, st.booleans(), st.booleans(),
    st.none() | requests,
)  # fmt: skip


def test_who_says_something_else_has_another_number():
    """A process of before, still running, would refuse it: it is ended where the number is another."""
    kinds = (Order, Choice, InfillRequest, Infill, Answer, Timings, Cell)
    said = {kind.__name__: [f.name for f in fields(kind)] for kind in kinds}
    said["Finish"] = [finish.value for finish in Finish]
    digest = hashlib.sha256(json.dumps(said).encode()).hexdigest()[:12]
    assert (PROTOCOL, digest) == (2, "295726b10b16"), "raise PROTOCOL, and write the new pair here"


@few
@given(orders)
def test_an_order_comes_back_as_it_was(order):
    sent = codec.dump(order)
    assert sent.isascii() and b"\n" not in sent
    assert codec.load(Order, sent) == order


@few
@given(infills)
def test_an_answer_comes_back_as_it_was(infill):
    assert codec.load(Infill, codec.dump(infill)) == infill


@few
@given(st.lists(st.lists(st.builds(Cell, st.none() | anything, st.booleans()))))
def test_a_canvas_comes_back_as_it_was(rows):
    sent = codec.dump({"rows": codec.rows_to_json(rows)})
    assert codec.rows_from_json(codec.parse(sent)["rows"]) == rows


def test_a_status_comes_back_as_it_was():
    status = Status(1, "0.1", 1, 1.5, 0.5, "idle", False, (), 0, 0, 0, {"done": 3}, 5, 6)
    assert codec.load(Status, codec.dump(status)) == status


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
names = st.sampled_from([*InfillRequest.__dataclass_fields__, "request", "id", "other"])


@few
@given(st.dictionaries(names, json_values), st.dictionaries(names, json_values))
def test_any_json_is_an_order_or_one_sentence(outer, request):
    try:
        order = codec.read(Order, {**outer, "request": request})
    except UserError as error:
        assert str(error).endswith(".") and "\n" not in str(error)
    else:
        assert order.request is not None and isinstance(order.request.prefix, str)


@few
@given(st.binary(max_size=50))
def test_any_bytes_are_json_or_one_sentence(raw):
    try:
        codec.load(Order, raw)
    except UserError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"request": {"suffix": ""}}, "Field request.prefix is missing."),
        ({"request": {"prefix": 3}}, "Field request.prefix must be a text."),
        ({"request": {"prefix": "", "steps": 1.5}}, "Field request.steps must be a whole number."),
        ({"request": {"prefix": "", "steps": True}}, "Field request.steps must be a whole number."),
        ({"request": {"prefix": "", "heal": 1}}, "Field request.heal must be true or false."),
        ({"request": {"prefix": "", "between": "x"}}, "Field request.between must be a list."),
        ({"request": {"prefix": "", "between": ["x", 1]}}, "request.between[1] must be a text."),
        ({"request": {"prefix": "", "top_p": 10**400}}, "request.top_p must be a number."),
        ({"request": {"prefix": "", "top_p": float("nan")}}, "request.top_p must be a number."),
        ({"request": {"prefix": "", "prefixes": ""}}, "Unknown field request.'prefixes'."),
        ({"stranger": 1}, "Unknown field 'stranger'."),
        ({"background": "yes"}, "Field background must be true or false."),
        ([], "The body must be an object."),
        ({"request": []}, "Field request must be an object."),
    ],
)
def test_what_does_not_fit_is_named(raw, sentence):
    with pytest.raises(UserError) as error:
        codec.load(Order, json.dumps(raw).encode())
    assert sentence in str(error.value)


@pytest.mark.parametrize("raw", [b"", b"{", b"[" * 100_000, b"\xff", b"1" * 10_000])
def test_what_is_no_json_or_too_deep_is_one_sentence(raw):
    with pytest.raises(UserError, match=r"not valid JSON|must be an object"):
        codec.load(Order, raw)


def test_an_unknown_finish_names_the_known_ones():
    raw = {"texts": [], "tokens": 1, "score": 0, "finish": "tired"}
    with pytest.raises(UserError, match="must be one of done, length, steps, deadline"):
        codec.read(Answer, raw)


def test_a_client_skips_fields_that_it_does_not_know():
    assert codec.read(Choice, {"model": "m", "colour": "red"}, strict=False) == Choice("m")


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        (UserError("a"), UserError, 400),
        (ModelError("b"), UserError, 400),
        (Refusal("c", Reason.SUPERSEDED), Refusal, 409),
        (Refusal("d", Reason.BUSY), Refusal, 503),
        (Cancelled("e"), Cancelled, 499),
        (EngineFault("f"), EngineFault, 500),
    ],
)
def test_errors_come_back_with_their_kind_reason_and_sentence(error, kind, status):
    said = codec.error_to_json(error)
    assert said[0] == status
    back = codec.error_from_json(codec.parse(codec.dump(said[1])))
    assert type(back) is kind and str(back) == str(error)
    assert getattr(back, "reason", None) == getattr(error, "reason", None)


def test_an_unexpected_errors_text_is_not_told():
    said = codec.error_to_json(ValueError("def secret(): pass"))[1]
    assert "secret" not in str(said) and "ValueError" in str(said)


@few
@given(json_values)
def test_any_answer_is_some_error(raw):
    assert isinstance(codec.error_from_json(raw), DcompleteError)
    assert isinstance(codec.error_from_json({"error": raw}), DcompleteError)

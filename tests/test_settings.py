"""Settings from an editor: names in both spellings, and a sentence for everything wrong."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcomplete.engine.checks import check_request
from dcomplete.errors import UserError
from dcomplete.settings import _RANGES, Settings, read_settings
from dcomplete.types import InfillRequest

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def test_nothing_gives_the_defaults():
    assert read_settings(None) == read_settings({}) == Settings()


def test_camel_case_and_snake_case_mean_the_same():
    camel = {
        "model": {"lineTokens": 8, "deadlineMs": 100},
        "trigger": {"languages": {"rust": False}},
    }
    snake = {
        "model": {"line_tokens": 8, "deadline_ms": 100.0},
        "trigger": {"languages": {"rust": False}},
    }
    assert read_settings(camel) == read_settings(snake)
    assert not read_settings(camel).trigger.enabled("rust")
    assert read_settings(camel).trigger.enabled("python")


def test_what_is_not_named_stays():
    base = read_settings({"model": {"steps": 3}, "enabled": False})
    assert read_settings({"model": {"lineTokens": 5}}, base).model.steps == 3
    assert not read_settings({}, base).enabled


def test_all_languages_may_be_off_but_one():
    trigger = read_settings({"trigger": {"languages": {"*": False, "go": True}}}).trigger
    assert trigger.enabled("go") and not trigger.enabled("c")


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"modle": {}}, "Unknown setting modle. Did you mean model?"),
        ({"model": {"step": 1}}, "Unknown setting model.step. Did you mean model.steps?"),
        ({"model": {"steps": "x"}}, "Setting model.steps must be a whole number, not 'x'."),
        ({"model": {"steps": True}}, "Setting model.steps must be a whole number, not True."),
        ({"model": {"steps": 0}}, "Setting model.steps must be at least 1, not 0."),
        ({"model": {"patienceMs": -5}}, "Setting model.patience_ms must be at least 0, not -5."),
        ({"model": {"branches": 65}}, "Setting model.branches must be from 0 to 64, not 65."),
        ({"model": {"confidence": math.nan}}, "Setting model.confidence must be from 0 to 1, not nan."),
        ({"context": {"tokens": 10_000}}, "Setting context.tokens must be from 16 to 8192, not 10000."),
        ({"context": 5}, "Setting context must be an object, not 5."),
        ({"context": {"ignore": "a"}}, "Setting context.ignore must be a list of texts, not 'a'."),
        ({"trigger": {"multiline": "x"}}, "Setting trigger.multiline must be auto, always or never"),
        ({"trigger": {"languages": {"a": 1}}}, "must map names to true or false"),
        ([], "Setting dcomplete must be an object"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named_in_one_sentence(raw, sentence):
    with pytest.raises(UserError) as error:
        read_settings(raw)
    assert str(error.value).startswith(sentence) or sentence in str(error.value)
    assert "\n" not in str(error.value)


@given(json_values)
def test_any_json_gives_settings_or_a_sentence(raw):
    try:
        assert isinstance(read_settings(raw), Settings)
    except UserError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("setting", "field"),
    [
        ("model.steps", "steps"),
        ("model.line_tokens", "max_tokens"),
        ("model.block_tokens", "max_tokens"),
        ("model.branches", "branches"),
        ("model.confidence", "confidence"),
        ("context.tokens", "context_tokens"),
    ],
)
def test_the_ends_of_a_range_are_those_of_the_engine(setting, field):
    room, key = setting.split(".")
    for end, beyond in zip(_RANGES[setting], (-1, 1), strict=True):
        if end == math.inf:
            continue
        read_settings({room: {key: end}})
        check_request(InfillRequest("a", **{field: end}))
        with pytest.raises(UserError):
            read_settings({room: {key: end + beyond}})
        if (field, end) != ("max_tokens", 1):  # a request of none has the context computed
            with pytest.raises(UserError):
                check_request(InfillRequest("a", **{field: end + beyond}))

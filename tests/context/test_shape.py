"""Where a suggestion is refused, and how much is missing where it is not. `‸` is the cursor."""

import pytest

from dcomplete.context.languages import language_of
from dcomplete.context.shape import Place, check_allowed, decide
from dcomplete.context.trees import parse
from dcomplete.document import Gap, Snapshot
from dcomplete.errors import Reason, Refusal
from dcomplete.settings import ContextSettings, Settings, TriggerSettings
from dcomplete.types import Shape


def place_at(code: str, language: str = "python", automatic: bool = True) -> Place:
    start = code.index("‸")
    text = code.replace("‸", "", 1)
    end = text.find("‸", start)
    text = text.replace("‸", "", 1)
    gap = Gap(start, start if end < 0 else end)
    snapshot = Snapshot("untitled:a", language, 1, text, gap, automatic=automatic)
    known = language_of(language)
    return Place(snapshot, known, lambda: parse(text, known))


def shape_of(code: str, language: str = "python", **trigger: object) -> Shape | Reason:
    try:
        return decide(place_at(code, language), TriggerSettings(**trigger))[0]
    except Refusal as refusal:
        return refusal.reason


LINE, BLOCK, SPAN = Shape.LINE, Shape.BLOCK, Shape.SPAN
ENDED = Reason.STATEMENT_ENDED

CASES = [
    # a word character to the right
    ("python", "x = ‸foo", Reason.WORD_FOLLOWS),
    ("python", "x = fo‸o", Reason.WORD_FOLLOWS),
    ("python", "x = ‸_a", Reason.WORD_FOLLOWS),
    ("python", "x = ‸é", Reason.WORD_FOLLOWS),
    # text to the right
    ("python", "f(‸ + abcdefghi)", Reason.TEXT_FOLLOWS),
    ("python", "f(‸)", LINE),
    ("javascript", "f(‸, \"\") }]);", LINE),
    ("python", "f(‸ + abc)", LINE),
    # the statement is complete
    ("javascript", "f();‸", ENDED),
    ("javascript", "f()‸", ENDED),
    ("javascript", "if (x) { a() }‸", ENDED),
    ("javascript", "f(g(1)‸", LINE),
    ("javascript", "f(g(1),\n  h(2)‸\n)", LINE),
    ("javascript", "for (let i = 0;‸", LINE),
    ("javascript", "for (let i = 0;‸)", LINE),
    ("javascript", "if (x)‸", LINE),
    ("javascript", "} else if (x)‸", LINE),
    ("javascript", "export async function f(a)‸", LINE),
    ("python", "print(a)‸\n", ENDED),
    ("python", "x = a[0]‸\n", ENDED),
    ("python", "def f(a)‸\n", LINE),
    ("python", "class A(B)‸\n", LINE),
    ("python", "    while f(x)‸", LINE),
    ("python", "# see (this)‸", LINE),
    ("python", "x = 'a (b)‸", LINE),
    ("python", "x = {'a': f(1)}‸", ENDED),
    ("python", "x = [{'a': 1}‸", LINE),
    ("java", "public int get(String a)‸", LINE),
    ("java", "return get(a)‸", ENDED),
    ("java", "a.b(c)‸", ENDED),
    ("c", "int main(void)‸", LINE),
    ("cpp", "A::~A()‸", ENDED),
    ("rust", "fn main()‸", LINE),
    ("go", "func (t *T) Get(a int)‸", LINE),
    ("markdown", "Some words (aside)‸", LINE),
    ("yaml", "a: [b]‸", LINE),
    # a blank behind a closer: something comes
    ("python", "x = f(a) ‸", LINE),
    ("javascript", "} ‸", LINE),
    ("javascript", "x; ‸", ENDED),
    # headers without a keyword of their own
    ("javascript", "const f = function(a)‸", LINE),
    ("javascript", "const f = async function (a)‸", LINE),
    ("javascript", "class A extends B {\n  constructor(a)‸\n}", LINE),
    ("javascript", "class A {\n  a() {\n    b();\n  }\n\n  async render()‸\n}", LINE),
    ("javascript", "const o = {\n  render()‸\n}", LINE),
    ("javascript", "function f() {\n  render()‸\n}", ENDED),
    ("javascript", "list.map(a => {\n  render()‸\n})", ENDED),
    ("java", "class A {\n  A(int a)‸\n}", LINE),
    ("c", "#define MAX(a, b)‸", LINE),
    ("shellscript", "foo()‸", LINE),
    ("lua", "x = function(a)‸", BLOCK),
    ("elixir", "  defp foo(a)‸", LINE),
    ("python", 'def f():\n    """Does this (or that)‸\n    """\n', LINE),
    # no statements at all
    ("sql", "SELECT count(a)‸", LINE),
    ("css", "a { b: url(x)‸", LINE),
    ("unheard-of", "f(x)‸", LINE),
    # closing tags
    ("html", "<section>‸</section>", LINE),
    ("html", "<ul><section>‸</section></ul>", LINE),
    ("typescriptreact", "return <My.Component>‸</My.Component>", LINE),
    ("html", "<section>‸ and more text</section>", Reason.TEXT_FOLLOWS),
    # nothing around
    ("python", "x = 1\n\n‸", Reason.BLANK),
    ("python", "‸", Reason.BLANK),
    ("python", "x = 1\n\n  \n‸\n", Reason.BLANK),
    ("python", "@decorated\n‸\n", LINE),
    # a span
    ("python", "x = ‸foo‸\n", SPAN),
    # blocks
    ("python", "def f():‸", BLOCK),
    ("python", "def f():‸\n    return 1\n", LINE),
    ("python", "def f():\n    ‸", BLOCK),
    ("python", "def f():\n    ‸\n    return 1\n", BLOCK),
    ("python", "if a:\n    ‸\n        deeper = 1\n", LINE),
    ("python", "def f():\n‸\n", BLOCK),
    ("python", "def f(\n    a,\n) -> int:‸\n", BLOCK),
    ("python", "    else:‸\n", BLOCK),
    ("python", "x = a[1:‸\n", LINE),
    ("python", "x: ‸\n", LINE),
    ("python", "if x[1:‸\n", LINE),
    ("python", "f = lambda x:‸\n", LINE),
    ("python", "x = [‸\n", BLOCK),
    ("python", "x = foo(‸\n", LINE),
    ("python", "# note:‸\n", LINE),
    ("python", "# if this:‸\n", LINE),
    ("python", "x = fo‸\n", LINE),
    ("javascript", "if (x) {‸\n}\n", BLOCK),
    ("javascript", "if (x) {‸}\n", LINE),
    ("javascript", "const f = (a) =>‸\n", BLOCK),
    ("javascript", "f((a) => {‸\n", LINE),
    ("javascript", "if (x) {\n\t‸\n}\n", BLOCK),
    ("javascript", "// if (x) {‸\n", LINE),
    ("javascript", "/* if (x) {‸ */\n", LINE),
    ("go", "func f() {‸\n}\n", BLOCK),
    ("rust", "fn new(x: &'a str) -> P<'a> {‸\n}\n", BLOCK),
    ("rust", "let a = ['(', '{', '\\''‸", LINE),
    ("haskell", "foldl' f (a) = do‸\n", BLOCK),
    ("rust", "match a {\n    Some(x) =>‸\n}\n", BLOCK),
    ("ruby", "list.each do |a|‸\n", BLOCK),
    ("ruby", "def f(a)‸\n", BLOCK),
    ("ruby", "if a then‸\n", BLOCK),
    ("lua", "if a then‸\n", BLOCK),
    ("lua", "local function f(a)‸\n", BLOCK),
    ("shellscript", "for a in b; do‸\n", BLOCK),
    ("yaml", "key:‸\n", BLOCK),
    ("markdown", "- item‸\n", LINE),
    ("markdown", "# heading‸\n", LINE),
    ("plaintext", "anything‸\n", LINE),
]  # fmt: skip


@pytest.mark.parametrize(("language", "code", "expected"), CASES)
def test_every_place_has_its_shape_or_reason(language, code, expected):
    assert shape_of(code, language) == expected


@pytest.mark.parametrize(("language", "code", "expected"), CASES)
def test_asked_for_suggestions_are_never_refused_by_place(language, code, expected):
    shape, why = decide(place_at(code, language, automatic=False), TriggerSettings())
    assert isinstance(shape, Shape)
    assert why


@pytest.mark.parametrize("code", ["def f():‸", "def f():\n    ‸\n"])
def test_several_lines_may_be_switched_off(code):
    assert shape_of(code, multiline="never") == LINE


def test_several_lines_may_always_be_wanted_but_not_before_text():
    assert shape_of("x = fo‸\n", multiline="always") == BLOCK
    assert shape_of("f(‸)\n", multiline="always") == LINE


@pytest.mark.parametrize(
    ("language", "code", "inside"),
    [
        ("python", "x = 1  # a‸", True),
        ("python", "x = '# a‸", False),
        ("javascript", "/* a\n b‸\n*/ c", True),
        ("javascript", "/* a */‸", False),
        ("javascript", "/* a *‸/", True),
        ("html", "<!-- a‸ -->", True),
        ("perl", "my $a; # b‸", True),
        ("perl", "my $a = '#‸", False),
    ],
)
def test_comments_may_be_switched_off(language, code, inside):
    assert (shape_of(code, language, comments=False) == Reason.DISABLED) == inside
    assert shape_of(code, language, comments=True) != Reason.DISABLED


def snapshot(text: str = "x = ", language: str = "python") -> Snapshot:
    return Snapshot("untitled:a", language, 1, text, Gap(len(text), len(text)), automatic=False)


@pytest.mark.parametrize(
    ("settings", "hidden", "reason"),
    [
        (Settings(enabled=False), None, Reason.DISABLED),
        (Settings(trigger=TriggerSettings(languages={"python": False})), None, Reason.DISABLED),
        (Settings(trigger=TriggerSettings(languages={"*": False})), None, Reason.DISABLED),
        (Settings(), "a secret", Reason.PRIVATE),
        (Settings(context=ContextSettings(max_file_bytes=3)), None, Reason.TOO_LARGE),
    ],
)
def test_what_is_forbidden_is_refused_even_when_asked_for(settings, hidden, reason):
    with pytest.raises(Refusal) as refusal:
        check_allowed(snapshot(), settings, hidden)
    assert refusal.value.reason == reason


def test_size_is_counted_in_bytes():
    limit = Settings(context=ContextSettings(max_file_bytes=4))
    check_allowed(snapshot("xxxx"), limit, None)
    with pytest.raises(Refusal):
        check_allowed(snapshot("ééé"), limit, None)
    check_allowed(snapshot("éé"), limit, None)


def test_a_language_may_be_known_by_its_file_name_only():
    off = Settings(trigger=TriggerSettings(languages={"rust": False}))
    with pytest.raises(Refusal):
        check_allowed(Snapshot("file:///w/a.rs", "", 1, "", Gap(0, 0)), off, None)


def test_indentation_is_what_stands_left_of_the_gap():
    assert place_at("if a:\n \t ‸  x").indent == " \t "
    assert place_at("  a‸").indent == "  "


def test_very_long_lines_are_no_trouble():
    assert shape_of("a " * 50_000 + "(b)‸", "java") == ENDED
    assert shape_of("a" * 50_000 + "&" * 50_000 + "(‸", "cpp") == LINE

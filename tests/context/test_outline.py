"""Signatures of every language, without bodies."""

import pytest

from dcomplete.context.languages import LANGUAGES
from dcomplete.context.outline import definitions, flat, import_lines
from dcomplete.context.trees import parse

CASES = {
    "python": ("@d\nclass A(B):\n    def f(self,\n        x: int,\n    ) -> int:\n        return 1\n",
               ["class A(B): ...", "A|def f(self, x: int) -> int: ..."]),
    "javascript": ("class A { f(x) { return x } }\nconst g = (a) => { return a };\n",
                   ["class A { ... }", "A|f(x) { ... }", "const g = (a) => { ... }"]),
    "typescript": ("export class A {\n  f(x: T): U { return x }\n}\ninterface I { x: number }\n",
                   ["class A { ... }", "A|f(x: T): U { ... }", "interface I { x: number }"]),
    "java": ("public class A { int get(List<T> y) { return 1; } }\n",
             ["public class A { ... }", "A|int get(List<T> y) { ... }"]),
    "go": ("type T struct { a int }\nfunc (t *T) Get(x int) int { return x }\n",
           ["type T struct { a int }", "func (t *T) Get(x int) int { ... }"]),
    "rust": ("pub struct T { a: u8 }\nimpl T { pub fn get(&self) -> u8 { 1 } }\n",
             ["pub struct T { a: u8 }", "impl T { ... }", "T|pub fn get(&self) -> u8 { ... }"]),
    "c": ("static int *foo(int a, char *b) { return 0; }\n", ["static int *foo(int a, char *b) { ... }"]),
    "cpp": ("namespace n { class A { int f(int x) { return x; } }; }\n",
            ["namespace n { ... }", "n|class A { ... }", "A|int f(int x) { ... }"]),
    "csharp": ("class A { public int F(int x) { return x; } }\n",
               ["class A { ... }", "A|public int F(int x) { ... }"]),
    "ruby": ("class A < B\n  def f(a, b)\n    1\n  end\nend\n",
             ["class A < B # ...", "A|def f(a, b) # ..."]),
    "php": ("<?php\nclass C { function f(int $x): int { return 1; } }\n",
            ["class C { ... }", "C|function f(int $x): int { ... }"]),
    "shellscript": ("foo() { echo; }\n", ["foo() { ... }"]),
    "lua": ("local function g(x) return x end\n", ["local function g(x) -- ..."]),
    "kotlin": ("class A(val x: Int) {\n fun f(y: Int): Int { return y }\n}\n",
               ["class A(val x: Int) { ... }", "A|fun f(y: Int): Int { ... }"]),
    "swift": ("class A: B {\n func f(x: Int) -> Int { return x }\n}\n",
              ["class A: B { ... }", "A|func f(x: Int) -> Int { ... }"]),
    "scala": ("object O {\n def f(x: Int): Int = { x }\n}\n",
              ["object O { ... }", "O|def f(x: Int): Int = { ... }"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_definitions_are_told_without_their_bodies(name):
    code, expected = CASES[name]
    language = LANGUAGES[name]
    parsed = parse(code, language)
    assert parsed is not None
    told = [f"{d.owner}|" * bool(d.owner) + d.shown(language) for d in definitions(parsed)]
    assert told == expected


@pytest.mark.parametrize(
    ("language", "code", "note"),
    [
        ("python", 'def f():\n    """Adds up.\n\n    More."""\n', "Adds up."),
        ("rust", "/// Adds up.\nfn f() {}\n", "Adds up."),
        ("javascript", "/**\n * Adds up.\n */\nfunction f() {}\n", "Adds up."),
        ("javascript", "// Not about f.\n\n\nfunction f() {}\n", ""),
        ("python", "def f():\n    return 'not a note'\n", ""),
    ],
)
def test_the_first_line_of_the_documentation_is_known(language, code, note):
    parsed = parse(code, LANGUAGES[language])
    assert parsed is not None
    assert definitions(parsed)[0].note == note


def test_imports_before_a_place():
    code = "import a\nfrom b import (\n    c,\n)\nx = 1\nimport d\n"
    parsed = parse(code, LANGUAGES["python"])
    assert parsed is not None
    assert import_lines(parsed, code.index("x")) == ["import a", "from b import (\n    c,\n)"]


def test_a_long_signature_is_cut_at_a_word():
    told = flat("f(" + "word " * 1000)
    assert len(told) < 410
    assert told.endswith("word ...")


def test_an_import_of_several_lines_has_plain_line_ends():
    code = "from b import (\r\n    c,\r\n)\r\nx = 1\r\n"
    parsed = parse(code, LANGUAGES["python"])
    assert parsed is not None
    assert import_lines(parsed, code.index("x")) == ["from b import (\n    c,\n)"]

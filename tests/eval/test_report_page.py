"""The page: complete, self-contained, escaped, sortable; its plots carry what they rest on."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from PIL import Image

from dcomplete_eval.report import figures, page
from dcomplete_eval.report.ink import COLOURS, INK, MUTED, Palette, drawing, svg
from dcomplete_eval.report.result import as_json, compute
from dcomplete_eval.report.runs import Material, Run
from tests.eval.material import material
from tests.eval.results import RANKING, REPLAY, record, run

VOID = {"meta", "link", "br", "wbr", "path", "use", "rect", "circle"}
SECTIONS = (
    "board",
    "pairs",
    "cost",
    "latency",
    "length",
    "kinds",
    "replay",
    "arena",
    "examples",
    "sources",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plots")
    result = compute(material(), {})
    plots = figures.drawn(result, folder)
    return result, plots, page.html(result, plots, "A title & more", "today"), folder


class _Tree(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.addresses, self.count = [], [], [], 0

    def handle_starttag(self, tag, attrs):
        self.count += 1
        found = dict(attrs)
        if "id" in found:
            self.ids.append(found["id"])
        self.addresses += [
            found[a] for a in ("src", "href", "xlink:href", "action") if found.get(a)
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag, f"</{tag}> closes something else"


def parsed(text):
    tree = _Tree()
    tree.feed(text)
    assert tree.open == []
    return tree


def test_every_section_is_there_and_every_tag_is_closed(made):
    tree = parsed(made[2])
    assert set(SECTIONS) <= set(tree.ids)
    assert len(tree.ids) == len(set(tree.ids)), "ids of plots do not collide"
    assert "A title &amp; more" in made[2]


def test_it_asks_nothing_of_any_server(made):
    tree = parsed(made[2])
    assert all(a.startswith(("#", "data:")) for a in tree.addresses), tree.addresses
    assert "default-src 'none'" in made[2]
    outside = set(re.findall(r"https?://[^\s\"'<)]+", made[2]))
    assert outside <= {"http://www.w3.org/2000/svg"}, "a name, not an address"
    assert "@import" not in made[2] and "url(h" not in made[2]


def test_texts_of_runs_are_escaped(made):
    assert "<script>alert" not in made[2]
    assert "&lt;/pre&gt;&lt;script&gt;alert" in made[2]
    assert made[2].count("<script>") == 1


def test_every_figure_carries_what_it_rests_on(made):
    _, plots, text, _ = made
    assert list(plots) == [
        "board",
        "differences",
        "cost",
        "latency",
        "lengths",
        "typing",
        "votes-1",
    ]
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", text, re.S)
    assert len(captions) == len(plots)
    for caption in captions:
        for word in ("commit", "device", "dtype", "data", "sandbox", "Settings"):
            assert word in caption
    for caption in captions[:5]:
        assert "commit abc1234" in caption and "sandbox bwrap" in caption
        assert "data 0123456789abcdef" in caption and "dtype float32" in caption
    assert [plot.number for plot in plots.values()] == list(range(1, 8))


def test_plots_are_files_too_and_say_what_they_rest_on(made):
    _, plots, _, folder = made
    assert {path.stem for path in folder.glob("*.png")} == set(plots)
    for path in folder.glob("*.png"):
        with Image.open(path) as picture:
            assert picture.width > 800
            told = json.loads(picture.info["Description"])
        assert told["rests on"] == plots[path.stem].line


def test_plots_follow_light_and_dark(made):
    for plot in made[1].values():
        assert not re.search("|".join((*COLOURS, INK, MUTED)), plot.svg, re.I)
        assert "var(--ink)" in plot.svg and "font-family" not in plot.svg
    style = page._TEMPLATES.joinpath("style.css").read_text("utf-8")
    light, dark = style.split("prefers-color-scheme: dark")
    for role in ("paper", "ink", "muted", "grid", *(f"c{n}" for n in range(1, 9))):
        assert f"--{role}:" in light and f"--{role}:" in dark


def test_a_plot_is_the_same_every_time():
    def drawn(name):
        with drawing(1, 1, 2.0) as (figure, panels):
            panels[0].plot([1, 2], [3, 4], color=COLOURS[0], marker="o")
        return svg(figure, name)

    assert drawn("a") == drawn("a") != drawn("b")


def test_who_was_told_the_length_is_marked_and_leads_nothing(made):
    result, _, text, _ = made
    assert result.boards["holes"][0].run.contestant == "engine:small"
    assert "length told" in text and "Knowing the true length is worth" in text
    assert not [p for p in result.pairs["holes"] if "oracle" in p.a.contestant + p.b.contestant]


def test_findings_are_sentences_with_intervals(made):
    findings = made[0].findings
    assert findings[0].startswith("holes: engine:small has 58.3 [")
    assert any("saves 75.0 [50.0, 100.0] characters of 1,000; 12 %" in f for f in findings)


def test_who_answered_other_tasks_than_the_first_is_said_to():
    some = Material(runs=[run("a", [1, 1, 1, 0] * 2), run("b", [0, 1])])
    assert "a has 75.0 [" in compute(some, {}).findings[0]
    assert "b 50.0 % of 2." in compute(some, {}).findings[0]


def test_colours_stay_with_a_contestant_and_references_are_grey():
    palette = Palette(["a", "gold", "b", "a"], {"gold"})
    assert palette.colour("a") == COLOURS[0] and palette.colour("b") == COLOURS[1]
    assert palette.colour("gold") == MUTED and palette.role("gold") == "muted"
    many = Palette([str(n) for n in range(20)])
    assert many.colour("0") == many.colour("8") and many.marker("7") != many.marker("0")


@pytest.mark.parametrize(
    "part",
    [
        Material(runs=[run("alone", [1, 1])]),
        Material(runs=[run("gold", [1, 1], kind="gold")]),
        Material(
            replays=[dict(REPLAY, saved_per_1000=None, rocc=None, stale_share=None, shown_ms={})]
        ),
        Material(rankings=[RANKING]),
        Material(
            runs=[Run("errors", "holes", {}, (record(0, answer={"text": "", "error": "Gone."}),))]
        ),
        Material(runs=[run("a", [1, 0], f"bench{n}") for n in range(5)]),
    ],
    ids=["one run", "gold alone", "replay alone", "votes alone", "errors alone", "many benchmarks"],
)
def test_little_material_makes_a_page_too(part):
    result = compute(part, {})
    text = page.html(result, figures.drawn(result, None), "t", "now")
    parsed(text)
    assert json.dumps(as_json(result))


@pytest.mark.e2e
def test_a_browser_sorts_tables_and_has_nothing_to_complain_about(made, tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium here")
    click = """<script>
    const heads = [...document.querySelectorAll("table.sortable th")];
    const head = heads.find((one) => one.textContent.trim().startsWith("exact"));
    const order = () => [...head.closest("table").tBodies[0].rows].map((r) => r.cells[0].textContent);
    const seen = [order()];
    for (let n = 0; n < 2; n++) { head.querySelector("button").click(); seen.push(order()); }
    document.title = JSON.stringify([seen, head.getAttribute("aria-sort")]);
    </script></body>"""
    path = tmp_path / "page.html"
    path.write_text(made[2].replace("</body>", click), encoding="utf-8", newline="\n")
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
         f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.S)
    assert title is not None
    (before, falling, rising), sign = json.loads(
        title.group(1).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    )
    assert sorted(before) == sorted(falling) == sorted(rising)
    assert falling[0] == "gold" == rising[-1] and sign == "ascending"
    assert "CONSOLE" not in done.stderr

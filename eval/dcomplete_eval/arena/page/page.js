// The arena's page. Names are not in it before the vote: the server tells them with the answer to it.
const CHOICES = { 1: "first", 2: "second", t: "tie", n: "neither" };
const VERDICTS = {
  first: "You chose the first.",
  second: "You chose the second.",
  tie: "A tie.",
  neither: "Neither of them.",
};
const QUESTION = "Which answer is better?";
const WAITING = "Both are being asked; the slower one decides when you see them.";
const GONE = "The arena has ended. Your votes are kept.";
const SVG = "http://www.w3.org/2000/svg";

const by = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const panels = [by("#first"), by("#second")];

let state = "waiting"; // then "open", then "voted"; "failed" where no pair came
let pair = null;

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text; // never as markup: it is a model's text
  return element;
}

function say(sentence, kind = "") {
  const status = by("#status");
  status.textContent = sentence;
  status.className = kind;
}

function enter(next) {
  state = next;
  document.body.className = next;
  for (const button of all("#choices button")) button.disabled = next !== "open";
  by("#choices").hidden = next === "voted" || next === "failed";
  by("#next").hidden = !by("#choices").hidden;
  by("#open-ranking").disabled = next !== "voted"; // it has names in it
  by("#next").firstChild.textContent = next === "failed" ? "Try again " : "Next pair ";
}

async function ask(path, body) {
  const options = body && {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error(GONE);
  }
  const said = await response.json().catch(() => ({ error: GONE }));
  if (said.error) throw new Error(said.error);
  return said;
}

function tally({ votes, apart }) {
  const words = Object.entries(apart).map(([kind, count]) => `${count} ${kind}`);
  const set = words.length ? ` · set apart: ${words.join(", ")}` : "";
  by("#tally").textContent = `${votes} ${votes === 1 ? "vote" : "votes"} in this sitting${set}`;
}

function rowOf({ number, answer, pieces }) {
  const row = make("div", answer ? "row answer" : "row");
  const text = make("span", "text");
  for (const [piece, kind, inside] of pieces) {
    const name = kind === "number" ? "number-literal" : kind;
    text.append(make(inside ? "mark" : "span", name, piece));
  }
  const [space] = text.textContent.match(/^[ \t]*/);
  text.style.setProperty("--indent", `${space.replaceAll("\t", "    ").length + 2}ch`);
  row.append(make("span", "number", number), text);
  return row;
}

/** Scroll both sides so that the answers begin at the same height, in the middle if they are short. */
function centre() {
  const places = panels.map((panel) => {
    const rows = panel.querySelectorAll(".row.answer");
    const [first, last] = [rows[0], rows[rows.length - 1]];
    return (
      first && {
        top: first.offsetTop,
        height: last.offsetTop + last.offsetHeight - first.offsetTop,
      }
    );
  });
  if (!places.every(Boolean)) return;
  const height = Math.max(...places.map((place) => place.height));
  panels.forEach((panel, at) => {
    const code = panel.querySelector(".code");
    code.scrollTop = places[at].top - Math.max(24, (code.clientHeight - height) / 2);
  });
}

function draw(panel, lines) {
  panel.querySelector(".code").replaceChildren(...lines.map(rowOf));
  panel.classList.remove("won");
  panel.querySelector(".who").replaceChildren();
}

function bones() {
  for (const panel of panels) {
    panel.classList.remove("won");
    panel.querySelector(".who").replaceChildren();
    panel
      .querySelector(".code")
      .replaceChildren(...Array.from({ length: 9 }, () => make("div", "bone")));
  }
}

async function next() {
  enter("waiting");
  bones();
  say(WAITING);
  try {
    pair = await ask("/api/pair");
  } catch (error) {
    enter("failed");
    say(error.message, "trouble");
    return;
  }
  for (const [at, panel] of panels.entries()) draw(panel, pair.sides[at]);
  centre();
  by("#language").textContent = pair.language;
  tally(pair);
  enter("open");
  say(QUESTION);
}

async function choose(choice) {
  if (state !== "open") return;
  enter("voting");
  try {
    const said = await ask("/api/vote", { id: pair.id, choice });
    tally(said);
    reveal(said.vote);
  } catch (error) {
    enter("failed");
    say(error.message, "trouble");
  }
}

function reveal({ choice, first, second }) {
  const sides = [first, second];
  panels.forEach((panel, at) => {
    const name = make("b", "", sides[at].name);
    panel.querySelector(".who").replaceChildren(name, ` · ${Math.round(sides[at].ms)} ms`);
    panel.classList.toggle("won", choice === panel.id);
  });
  enter("voted");
  const names = `First was ${first.name}; second was ${second.name}.`;
  say(`${VERDICTS[choice]} ${names}`, "verdict");
  by("#next").focus({ preventScroll: true });
}

async function skip() {
  if (state !== "open") return;
  enter("voting");
  try {
    await ask("/api/vote", { id: pair.id, skip: true });
  } catch (error) {
    enter("failed");
    say(error.message, "trouble");
    return;
  }
  await next();
}

/** The interval as a bar among all intervals; the words beside it say the same. */
function interval({ elo }, low, wide) {
  const at = (value) => 4 + ((value - low) / wide) * 136;
  const shape = (tag, attributes) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const svg = shape("svg", { class: "interval", viewBox: "0 0 144 18", "aria-hidden": "true" });
  const width = Math.max(2, at(elo.high) - at(elo.low));
  svg.append(
    shape("rect", { x: at(elo.low), y: 6, width, height: 6, rx: 3 }),
    shape("circle", { cx: at(elo.value), cy: 9, r: 4 }),
  );
  return svg;
}

async function showRanking() {
  const dialog = by("#ranking");
  if (dialog.open || state !== "voted") return;
  let ranking;
  try {
    ranking = await ask("/api/ranking");
  } catch (error) {
    say(error.message, "trouble");
    return;
  }
  const low = Math.min(...ranking.standings.map((one) => one.elo.low));
  const wide = Math.max(1, ...ranking.standings.map((one) => one.elo.high - low));
  const rows = ranking.standings.map((one) => {
    const row = make("tr");
    const cells = [one.rank ?? "", one.name, Math.round(one.elo.value)];
    row.append(...cells.map((cell) => make("td", "", cell)));
    const bar = make("td", "range");
    const words = `${Math.round(one.elo.low)} to ${Math.round(one.elo.high)}`;
    bar.append(interval(one, low, wide), make("span", "", words));
    row.append(bar, ...[one.votes, one.wins, one.losses, one.ties].map((n) => make("td", "", n)));
    return row;
  });
  dialog.querySelector("table").hidden = rows.length === 0;
  dialog.querySelector("tbody").replaceChildren(...rows);
  dialog.querySelector(".notes").replaceChildren(...ranking.notes.map((n) => make("li", "", n)));
  by("#next").focus({ preventScroll: true }); // what a closing dialog gives the focus back to, at once
  dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (by("#ranking").open) return;
  const key = event.key.toLowerCase();
  const onButton = event.target instanceof HTMLButtonElement; // it handles Enter and Space itself
  if (key in CHOICES) choose(CHOICES[key]);
  else if (key === "s") skip();
  else if (key === "r") showRanking();
  else if ((key === "enter" || key === " ") && !onButton && !by("#next").hidden) next();
  else return;
  event.preventDefault();
});
for (const button of all("[data-choice]")) {
  button.addEventListener("click", () => choose(button.dataset.choice));
}
window.addEventListener("resize", centre);
by("#skip").addEventListener("click", skip);
by("#next").addEventListener("click", next);
by("#open-ranking").addEventListener("click", showRanking);
by("#close-ranking").addEventListener("click", () => by("#ranking").close());
next();

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
  row.append(make("span", "number", number), text);
  return row;
}

function draw(panel, lines, language) {
  const code = panel.querySelector(".code");
  const rows = make("div", "rows");
  rows.append(...lines.map(rowOf));
  code.replaceChildren(rows);
  code.scrollTo(0, 0);
  const answers = code.querySelectorAll(".row.answer");
  if (answers.length) {
    const height = answers[answers.length - 1].offsetTop - answers[0].offsetTop;
    const room = Math.max(24, (code.clientHeight - height) / 2);
    code.scrollTop = answers[0].offsetTop - room;
  }
  panel.classList.remove("won", "lost");
  panel.querySelector(".who").replaceChildren(language);
}

function bones() {
  for (const panel of panels) {
    panel.classList.remove("won", "lost");
    panel.querySelector(".who").replaceChildren();
    panel.querySelector(".code").replaceChildren(
      ...Array.from({ length: 9 }, () => make("div", "bone")),
    );
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
  panels.forEach((panel, at) => draw(panel, pair.sides[at], pair.language));
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
    const won = choice === panel.id;
    panel.classList.toggle("won", won);
    panel.classList.toggle("lost", !won && choice !== "tie");
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

function interval(standing, low, wide) {
  const at = (value) => 4 + ((value - low) / wide) * 136;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "interval");
  svg.setAttribute("viewBox", "0 0 144 18");
  const { value, low: from, high: to } = standing.elo;
  const words = `${Math.round(from)} to ${Math.round(to)}`;
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", words);
  const title = document.createElementNS(SVG, "title");
  title.textContent = words;
  const bar = document.createElementNS(SVG, "rect");
  const sizes = { x: at(from), y: 6, width: Math.max(2, at(to) - at(from)), height: 6, rx: 3 };
  for (const [name, size] of Object.entries(sizes)) bar.setAttribute(name, size);
  const dot = document.createElementNS(SVG, "circle");
  for (const [name, size] of Object.entries({ cx: at(value), cy: 9, r: 4 })) {
    dot.setAttribute(name, size);
  }
  svg.append(title, bar, dot);
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
    const bar = make("td");
    bar.append(interval(one, low, wide));
    row.append(bar, ...[one.votes, one.wins, one.losses, one.ties].map((n) => make("td", "", n)));
    return row;
  });
  dialog.querySelector("table").hidden = rows.length === 0;
  dialog.querySelector("tbody").replaceChildren(...rows);
  dialog.querySelector(".notes").replaceChildren(...ranking.notes.map((n) => make("li", "", n)));
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
by("#skip").addEventListener("click", skip);
by("#next").addEventListener("click", next);
by("#open-ranking").addEventListener("click", showRanking);
next();

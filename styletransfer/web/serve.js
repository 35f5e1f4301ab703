// The page of `automix serve`: drops sounds, follows the work, turns knobs, takes away.
// It knows its workspace by a token that lives as long as the tab.
"use strict";

const POLL_MS = 400;
const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

let token = null;
let state = { sounds: [], desk: false, job: null, download: null };
const weights = new Map(); // reference → 0 to 1
const parts = new Map(); // reference → the stem that follows it; the others are for the whole song
const uploading = new Set();

class Refused extends Error {}

async function ask(path, { method = "GET", wish } = {}) {
  const options = { method };
  if (wish !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(wish);
  }
  let answer;
  try {
    answer = await fetch(token === null ? "work" : `work/${token}${path}`, options);
  } catch {
    throw new Refused("automix doesn't answer; is `automix serve` still running?");
  }
  if (!answer.ok) {
    const type = answer.headers.get("Content-Type") ?? "";
    const told = type.startsWith("application/json") ? (await answer.json()).error : await answer.text();
    if (answer.status === 410) sessionStorage.removeItem("automix");
    throw new Refused(told || `automix answered ${answer.status}`);
  }
  const type = answer.headers.get("Content-Type") ?? "";
  return type.startsWith("application/json") ? answer.json() : type.startsWith("text/html") ? answer.text() : answer.arrayBuffer();
}

function complain(error) {
  const place = one("#error");
  place.hidden = error === null;
  place.textContent = error === null ? "" : sentence(error.message ?? String(error));
  if (error !== null && !(error instanceof Refused)) console.error(error);
}

// "out of memory" begins like a sentence; the name of a file stays as it is.
const sentence = (text) => text.replace(/^[a-z]+(?=[ ,;])/, (word) => word[0].toUpperCase() + word.slice(1)) + (/[.?!]$/.test(text) ? "" : ".");

function attempt(action) {
  return async (...told) => {
    complain(null);
    try {
      await action(...told);
    } catch (error) {
      complain(error);
    }
  };
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const length = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

// What is dropped

function listenToDrops() {
  for (const drop of all(".drop")) {
    const role = drop.dataset.role;
    const input = one("input", drop);
    input.addEventListener("change", () => {
      take(role, [...input.files]);
      input.value = "";
    });
    for (const name of ["dragenter", "dragover"])
      drop.addEventListener(name, (event) => (event.preventDefault(), drop.classList.add("over")));
    for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => (event.preventDefault(), take(role, [...event.dataTransfer.files])));
  }
  // A file that misses its place must not replace the page.
  for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
}

const take = attempt(async (role, files) => {
  const most = Number(document.body.dataset.uploadMb);
  const room = role === "input" ? 1 : Number(document.body.dataset.references);
  if (files.length > room) throw new Refused(role === "input" ? "drop one song here" : `drop at most ${room} references`);
  for (const file of files) {
    if (file.size > most * 1e6) throw new Refused(`${file.name} is larger than ${most} MB, which is the most that the page takes`);
    if (file.size === 0) throw new Refused(`${file.name} is empty; choose another file`);
  }
  for (const file of files) await send(role, file);
});

function send(role, file) {
  const bar = make("progress", { max: 1, value: 0 });
  const row = make("li", {}, make("span", { className: "name", textContent: file.name }), bar);
  one(`.sounds[data-role=${role}]`).append(row);
  const request = new XMLHttpRequest();
  request.open("POST", `work/${token}/sounds?${new URLSearchParams({ role, name: file.name })}`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.upload.addEventListener("progress", (event) => (bar.value = event.loaded / (event.total || 1)));
  uploading.add(request);
  show();
  return new Promise((resolve, reject) => {
    request.addEventListener("loadend", async () => {
      uploading.delete(request);
      row.remove();
      try {
        if (request.status !== 200) {
          const told = request.status ? JSON.parse(request.responseText).error : "the file couldn't be sent";
          throw new Refused(told);
        }
        await refresh();
        resolve();
      } catch (error) {
        show();
        reject(error instanceof SyntaxError ? new Refused(request.responseText) : error);
      }
    });
    request.send(file);
  });
}

function showSounds() {
  for (const list of all(".sounds")) {
    const role = list.dataset.role;
    const sounds = state.sounds.filter((sound) => sound.role === role);
    all("li[data-key]", list).forEach((row) => row.remove());
    const rows = sounds.map((sound) => {
      const gone = make("button", { type: "button", textContent: "Remove", ariaLabel: `Remove ${sound.name}` });
      gone.addEventListener("click", attempt(async () => update(await ask(`/sounds/${sound.key}`, { method: "DELETE" }))));
      const row = make("li", {}, make("span", { className: "name", textContent: sound.name }), make("span", { className: "length", textContent: sound.style ? "style" : length(sound.duration_s) }), gone);
      row.dataset.key = sound.key;
      if (role === "reference" && sounds.length > 1) row.append(partOf(sound), ...(parts.get(sound.key) ? [] : [weightOf(sound)]));
      return row;
    });
    list.prepend(...rows);
  }
}

// Which part of the song follows a reference: all of it, or a stem.
function partOf(sound) {
  const select = make("select", {}, make("option", { value: "", textContent: "the whole song" }));
  for (const { value } of all("input[name=change]"))
    if (value !== "master") select.append(make("option", { value, textContent: value }));
  select.value = parts.get(sound.key) ?? "";
  select.addEventListener("change", () => {
    for (const [key, stem] of parts) if (stem === select.value) parts.delete(key); // one reference for a stem
    if (select.value) parts.set(sound.key, select.value);
    else parts.delete(sound.key);
    showSounds();
    one(`li[data-key="${sound.key}"] select`).focus();
  });
  return make("label", { className: "part" }, "For ", select);
}

async function offerStyles() {
  const styles = await ask("/styles");
  one("#kept").hidden = styles.length === 0;
  one("#styles").append(...styles.map(({ number, title }) => make("option", { value: number, textContent: title })));
}

function weightOf(sound) {
  const id = `weight-${sound.key}`;
  const range = make("input", { type: "range", id, min: 0, max: 1, step: 0.05, value: weights.get(sound.key) ?? 0.5 });
  const label = make("label", { textContent: "Weight", htmlFor: id });
  const output = make("output");
  range.addEventListener("input", () => (weights.set(sound.key, Number(range.value)), speak(range)));
  const row = make("p", { className: "slider" }, label, range, output);
  speak(range);
  return row;
}

// What is done

const wished = () => {
  const checked = (name) => all(`input[name=${name}]:checked`).map((box) => box.value);
  const unchecked = (name) => all(`input[name=${name}]:not(:checked)`).map((box) => box.value);
  const only = checked("only");
  if (!only.length) throw new Refused("choose something to match");
  const amount = Number(one("#amount").value);
  const own = all("[data-stem]").map((range) => [range.dataset.stem, Number(range.value)]);
  const references = state.sounds.filter((sound) => sound.role === "reference");
  if (references.length === 1) parts.delete(references[0].key); // there is nothing to choose from
  return {
    weights: Object.fromEntries(references.filter((s) => !parts.get(s.key)).map((s) => [s.key, weights.get(s.key) ?? 0.5])),
    stems: Object.fromEntries(references.filter((s) => parts.get(s.key)).map((s) => [parts.get(s.key), s.key])),
    amount,
    stem_amounts: Object.fromEntries(own.filter(([, share]) => share !== 1).map(([stem, share]) => [stem, share * amount])),
    only: unchecked("only").length ? only : [],
    lock: unchecked("change"),
    lufs: one("#lufs").value,
  };
};

async function refresh() {
  update(await ask(""));
}

function update(told) {
  const before = state;
  state = told;
  show();
  const job = state.job;
  const working = job && ["waiting", "running"].includes(job.state);
  if (working) return void (update.timer ??= setTimeout(poll, POLL_MS));
  const ended = before.job && ["waiting", "running"].includes(before.job.state);
  if (!ended || !job) return;
  if (job.error) complain(new Refused(job.error));
  else if (job.state === "done") done(job.what);
}

async function poll() {
  update.timer = undefined;
  try {
    await refresh();
  } catch (error) {
    complain(error);
    show();
  }
}

const done = attempt(async (what) => {
  if (what === "transfer") await openDesk();
  else if (what === "way") {
    one("#find-way")?.closest(".actions").remove();
    one("#way").disabled = false;
    one("#way").focus();
  } else if (what === "download") make("a", { href: `work/${token}/files/${state.download}`, download: "" }).click();
});

function show() {
  showSounds();
  const job = state.job;
  const working = Boolean(job && ["waiting", "running"].includes(job.state));
  const has = (role) => state.sounds.some((sound) => sound.role === role);
  one("#wishes button[type=submit]").disabled = working || uploading.size > 0 || !has("input") || !has("reference");
  all(".download, #find-way").forEach((button) => (button.disabled = working));
  one("#work").hidden = !working;
  if (!working) return;
  one("#work-title").textContent = { transfer: "Transferring", way: "Finding the way", download: "Rendering the whole song" }[job.what];
  one("#place").textContent = job.state === "waiting" ? `In line: ${job.position} before you.` : "";
  showStages(job.stages);
}

function showStages(stages) {
  const place = one("#stages");
  const labels = new Map(all("label", place).map((label) => [label.dataset.stage, label]));
  for (const [stage, fraction] of stages) {
    let label = labels.get(stage);
    if (!label) {
      label = make("label", {}, make("span", { textContent: stage }), make("progress", { max: 1 }));
      label.dataset.stage = stage;
      place.append(label);
    }
    labels.delete(stage);
    const bar = one("progress", label);
    if (fraction > 0) bar.value = fraction;
    else bar.removeAttribute("value"); // under way, with no telling how far
  }
  labels.forEach((label) => label.remove());
}

// The desk

function closeDesk() {
  Player.all.forEach((player) => player.pause());
  Player.all.length = 0;
  Player.current = null;
  one("#desk").replaceChildren();
}

async function openDesk() {
  const html = await ask("/desk");
  closeDesk();
  const desk = one("#desk");
  desk.innerHTML = html; // written by the server's templates, which escape what people named
  startPlayers(desk);
  all("input[type=range]", desk).forEach(speak);
  all(".strip", desk).forEach(listenToStrip);
  all(".download", desk).forEach((button) =>
    button.addEventListener("click", attempt(async () => {
      await settled();
      update(await ask("/download", { method: "POST", wish: { kind: button.dataset.kind } }));
    })),
  );
  one("#find-way", desk)?.addEventListener("click", attempt(async () => update(await ask("/way", { method: "POST" }))));
  one("#way", desk)?.addEventListener("input", (event) => turn("way", "/between", () => ({ at: Number(event.target.value) })));
  one("#listen").scrollIntoView({ behavior: "smooth" });
}

function listenToStrip(strip) {
  const name = strip.dataset.strip;
  const moved = new Map(); // stage → knobs that moved since the last request
  strip.addEventListener("input", ({ target }) => {
    if (!target.dataset.knob) return;
    const { stage, knob } = target.dataset;
    moved.set(stage, { ...moved.get(stage), [knob]: valueOf(target) });
    turn(name, "/turn", () => {
      const settings = Object.fromEntries(moved);
      moved.clear();
      return { strip: name, settings };
    });
  });
  one(".reset", strip).addEventListener("click", () => {
    moved.clear();
    turn(name, "/turn", () => ({ strip: name, settings: {} }));
  });
  one(".hear", strip)?.addEventListener("click", attempt(async (event) => {
    event.target.disabled = true;
    await settled();
    const place = one(".stem-player", strip);
    try {
      place.innerHTML = await ask(`/players/${name}`);
      startPlayers(place);
      Player.current = Player.all.at(-1);
    } finally {
      event.target.disabled = false;
    }
  }));
}

// One request at a time; of what moves meanwhile, only the latest is asked for.
const turning = new Map();
let rendering = null;

function turn(key, path, wish) {
  turning.set(key, [path, wish]);
  rendering ??= render();
}

const settled = () => rendering ?? Promise.resolve();

async function render() {
  const place = one("#rendered");
  try {
    while (turning.size) {
      const [key, [path, wish]] = turning.entries().next().value;
      turning.delete(key);
      const began = performance.now();
      place.textContent = "Rendering …";
      const told = await ask(path, { method: "POST", wish: wish() });
      for (const exchanged of told.players) await exchange(exchanged);
      showSettings(told.settings);
      place.textContent = `Rendered in ${((performance.now() - began) / 1000).toFixed(1)} s.`;
      complain(null);
    }
  } catch (error) {
    place.textContent = "";
    complain(error);
  } finally {
    rendering = null;
  }
}

async function exchange({ player: key, index, sound, levels, outline }) {
  const player = Player.all.find((each) => each.element.dataset.key === key);
  if (!player) return;
  const bytes = await ask(`/heard/${sound}`);
  await player.exchange(index, bytes, levels);
  if (outline) one("svg", player.lanes[index]).outerHTML = outline;
}

function showSettings(settings) {
  for (const [strip, stages] of Object.entries(settings))
    for (const range of all(`.strip[data-strip=${strip}] input[data-knob]`)) {
      if (turning.has(strip) || range.matches(":active")) continue; // it is moving on
      const value = stages[range.dataset.stage][range.dataset.knob];
      const position = range.dataset.scale === "log" ? Math.log2(value) : value;
      range.min = Math.min(range.min, position);
      range.max = Math.max(range.max, position);
      range.value = position;
      speak(range);
    }
}

const valueOf = (range) => (range.dataset.scale === "log" ? 2 ** Number(range.value) : Number(range.value));

function speak(range) {
  const { unit = "", knob } = range.dataset;
  const value = valueOf(range);
  const text = unit.startsWith("dB")
    ? `${value > 0 ? "+" : ""}${value.toFixed(1)} dB`
    : unit === ":1" ? `${value.toFixed(2)} : 1` : unit === "x" ? `× ${value.toFixed(2)}` : knob === undefined ? `${Math.round(100 * value)} %` : `${value.toFixed(2)} ${unit}`;
  const output = range.parentElement.querySelector("output");
  if (output) output.textContent = text.trim();
  range.setAttribute("aria-valuetext", text.trim());
}

// The page's life

const begin = attempt(async () => {
  token = sessionStorage.getItem("automix");
  if (token !== null) {
    try {
      await refresh();
      await offerStyles();
      if (state.desk) await openDesk();
      return;
    } catch {
      token = null; // it has ended
    }
  }
  token = (await ask("", { method: "POST" })).token;
  sessionStorage.setItem("automix", token);
  await refresh();
  await offerStyles();
});

one("#styles").addEventListener("change", attempt(async ({ target }) => {
  const number = Number(target.value);
  target.value = "";
  update(await ask("/styles", { method: "POST", wish: { number } }));
}));
one("#wishes").addEventListener("submit", attempt(async (event) => {
  event.preventDefault();
  const wish = wished();
  const told = await ask("/transfer", { method: "POST", wish });
  closeDesk();
  update(told);
  one("#work").scrollIntoView({ behavior: "smooth", block: "nearest" });
}));
one("#stop").addEventListener("click", attempt(async () => update(await ask("/stop", { method: "POST" }))));
one("#end").addEventListener("click", attempt(async () => {
  await ask("/end", { method: "POST" });
  sessionStorage.removeItem("automix");
  location.reload();
}));
addEventListener("input", (event) => event.target.type === "range" && speak(event.target));
addEventListener("pagehide", () => token !== null && navigator.sendBeacon(`work/${token}/leave`));
all("#wishes input[type=range]").forEach(speak);
listenToDrops();
begin();

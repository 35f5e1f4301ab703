// Players: several versions of one passage in one <section class="player">, heard in turn.
// All versions run together through one AudioContext; switching only moves gains, so the
// position is the same to the sample. Keys: 1 to 9 a version, space play, [ and ] a loop.
"use strict";

const SWITCH_S = 0.008; // fade between versions: instant, without a click
const DRAG_PX = 6;

class Player {
  static current = null;
  static context = null;

  constructor(element) {
    const all = (selector) => [...element.querySelectorAll(selector)];
    const one = (selector) => element.querySelector(selector);
    this.element = element;
    this.duration = Number(element.dataset.duration);
    this.tracks = all(".player-track");
    this.lanes = all(".player-lane");
    this.sounds = all("audio");
    this.waves = one(".player-waves");
    this.head = one(".player-head");
    this.shade = one(".player-loop");
    this.playButton = one(".player-play");
    this.unloopButton = one(".player-unloop");
    this.equal = one(".player-equal");
    this.time = one(".player-time");
    this.error = one(".player-error");
    this.chosen = 0;
    this.position = 0; // seconds, while paused
    this.loop = null; // [from, to] in seconds
    this.running = null; // {sources, gains, from, at}: started at context time `at` from position `from`
    this.tracks.forEach((track, i) => track.addEventListener("click", () => this.choose(i)));
    this.playButton.addEventListener("click", () => this.toggle());
    this.unloopButton.addEventListener("click", () => this.setLoop(null));
    this.equal.addEventListener("change", () => this.level());
    this.listenToWaves();
    element.addEventListener("focusin", () => (Player.current = this));
    element.addEventListener("pointerdown", () => (Player.current = this));
    element.classList.add("ready");
    for (const part of [".player-tracks", ".player-controls", ".player-head"]) one(part).hidden = false;
    one(".player-sounds").hidden = true;
    this.choose(0);
    this.show();
  }

  async decode() {
    Player.context ??= new AudioContext();
    const bytes = (address) => Uint8Array.from(atob(address.slice(address.indexOf(",") + 1)), (c) => c.charCodeAt(0));
    return Promise.all(this.sounds.map((sound) => Player.context.decodeAudioData(bytes(sound.src).buffer)));
  }

  async play() {
    if (this.running) return;
    Player.all.forEach((other) => other !== this && other.pause());
    Player.current = this;
    try {
      this.buffers = await (this.buffers ?? (this.buffers = this.decode()));
      await Player.context.resume();
    } catch (error) {
      this.buffers = undefined;
      this.error.textContent = "This browser can't play Opus in Ogg; Firefox, Chrome, Edge and Safari from 18.4 on can.";
      this.error.hidden = false;
      return;
    }
    if (!this.running) this.start(this.position);
  }

  start(from) {
    const context = Player.context;
    const [begin, end] = this.loop ?? [0, this.duration];
    const at = context.currentTime + 0.02;
    if (from < begin || from >= end) from = begin;
    const gains = this.buffers.map(() => new GainNode(context, { gain: 0 }));
    const sources = this.buffers.map((buffer, i) => {
      const source = new AudioBufferSourceNode(context, { buffer, loop: true, loopStart: begin, loopEnd: end });
      source.connect(gains[i]).connect(context.destination);
      source.start(at, from);
      return source;
    });
    this.running = { sources, gains, from, at };
    this.level();
    this.playButton.textContent = "Pause";
    requestAnimationFrame(() => this.follow());
  }

  stop() {
    const { sources, gains } = this.running;
    const now = Player.context.currentTime;
    gains.forEach((gain) => gain.gain.setTargetAtTime(0, now, SWITCH_S / 3));
    sources.forEach((source) => source.stop(now + 0.05));
    this.running = null;
  }

  pause() {
    if (!this.running) return;
    this.position = this.now();
    this.stop();
    this.playButton.textContent = "Play";
    this.show();
  }

  toggle() {
    this.running ? this.pause() : this.play();
  }

  now() {
    if (!this.running) return this.position;
    const { from, at } = this.running;
    const [begin, end] = this.loop ?? [0, this.duration];
    const position = from + Math.max(0, Player.context.currentTime - at);
    return position < end ? position : begin + ((position - begin) % (end - begin));
  }

  seek(seconds) {
    this.position = Math.min(Math.max(seconds, 0), this.duration);
    if (this.loop && (this.position < this.loop[0] || this.position > this.loop[1])) this.setLoop(null, false);
    this.restart(this.position);
  }

  restart(position) {
    if (this.running) {
      this.stop();
      this.start(position);
    }
    this.show();
  }

  setLoop(loop, restart = true) {
    const position = this.now();
    this.loop = loop && loop[1] - loop[0] >= 0.05 ? loop : null;
    this.unloopButton.disabled = !this.loop;
    this.shade.hidden = !this.loop;
    if (this.loop) {
      this.shade.style.left = `${(100 * this.loop[0]) / this.duration}%`;
      this.shade.style.width = `${(100 * (this.loop[1] - this.loop[0])) / this.duration}%`;
    }
    const inside = !this.loop || (position >= this.loop[0] && position < this.loop[1]);
    this.position = inside ? position : this.loop[0];
    if (restart) this.restart(this.position);
  }

  // Another sound in the place of one, from a file's bytes; `levels` has the gains of all then.
  async exchange(index, bytes, levels) {
    Player.context ??= new AudioContext();
    const [buffer, others] = await Promise.all([Player.context.decodeAudioData(bytes), this.buffers ?? this.decode()]);
    this.buffers = others.map((other, i) => (i === index ? buffer : other));
    levels.forEach(({ equal_db, unmatched_db }, i) => {
      this.sounds[i].dataset.equalDb = equal_db;
      this.sounds[i].dataset.unmatchedDb = unmatched_db;
    });
    if (this.running) this.restart(this.now());
  }

  choose(index) {
    if (index >= this.tracks.length) return;
    this.chosen = index;
    this.tracks.forEach((track, i) => track.setAttribute("aria-pressed", i === index));
    this.lanes.forEach((lane, i) => lane.classList.toggle("chosen", i === index));
    this.level();
  }

  level() {
    if (!this.running) return;
    const now = Player.context.currentTime;
    this.running.gains.forEach((gain, i) => {
      const { equalDb = 0, unmatchedDb } = this.sounds[i].dataset;
      const decibels = Number(this.equal.checked ? equalDb : unmatchedDb);
      gain.gain.cancelScheduledValues(now);
      gain.gain.setTargetAtTime(i === this.chosen ? 10 ** (decibels / 20) : 0, now, SWITCH_S / 3);
    });
  }

  follow() {
    if (!this.running) return;
    this.show();
    requestAnimationFrame(() => this.follow());
  }

  show() {
    const position = this.now();
    const text = (seconds, digits) =>
      `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0")}`;
    this.head.style.left = `${(100 * position) / (this.duration || 1)}%`;
    this.time.textContent = `${text(Math.floor(10 * position) / 10, 1)} / ${text(this.duration, 1)}`;
    this.waves.setAttribute("aria-valuenow", position.toFixed(1));
    this.waves.setAttribute("aria-valuetext", `${text(Math.floor(position), 0)} of ${text(Math.floor(this.duration), 0)}`);
  }

  listenToWaves() {
    let from = null; // where a drag began, in pixels
    const seconds = (x) => {
      const box = this.waves.getBoundingClientRect();
      return (Math.min(Math.max(x - box.left, 0), box.width) / box.width) * this.duration;
    };
    this.waves.addEventListener("pointerdown", (event) => {
      if (event.button === 0) from = event.clientX;
    });
    addEventListener("pointermove", (event) => {
      if (from !== null && Math.abs(event.clientX - from) > DRAG_PX)
        this.setLoop([seconds(from), seconds(event.clientX)].sort((a, b) => a - b), false);
    });
    addEventListener("pointerup", (event) => {
      if (from === null) return;
      const dragged = Math.abs(event.clientX - from) > DRAG_PX;
      from = null;
      dragged ? this.restart(this.position) : this.seek(seconds(event.clientX));
    });
    addEventListener("pointercancel", () => (from = null));
    this.waves.addEventListener("keydown", (event) => {
      const places = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5, Home: -Infinity, End: Infinity };
      if (!(event.key in places)) return;
      event.preventDefault();
      this.seek(this.now() + places[event.key]);
    });
  }

  key(event) {
    const number = Number(/^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1] ?? event.key); // French digits need Shift
    if (number >= 1 && number <= this.tracks.length) this.choose(number - 1);
    else if (event.key === "[") this.setLoop([this.now(), this.loop?.[1] ?? this.duration]);
    else if (event.key === "]") this.setLoop([this.loop?.[0] ?? 0, this.now()]);
    else if (event.key === " ") this.toggle();
    else return;
    event.preventDefault();
  }
}

Player.all = [];

function startPlayers(root = document) {
  for (const element of root.querySelectorAll(".player:not(.ready)")) Player.all.push(new Player(element));
  Player.current ??= Player.all[0] ?? null;
}

document.addEventListener("keydown", (event) => {
  // Brackets are typed with AltGr or Alt on many keyboards, which counts as Ctrl and Alt on some systems.
  if (!Player.current || event.metaKey || ((event.ctrlKey || event.altKey) && !"[]".includes(event.key))) return;
  const at = event.target;
  if (at.closest("input:not([type=checkbox]), select, textarea, [contenteditable]")) return;
  // Space belongs to what it would press, unless that is a version which is chosen already.
  const presses = at.closest("button, a, summary, input");
  if (event.key === " " && presses && presses.getAttribute("aria-pressed") !== "true") return;
  Player.current.key(event);
});

startPlayers();

"use strict";
(() => {
  const drawing = document.getElementById("drawing"), card = document.getElementById("card");
  const map = document.getElementById("map"), stop = document.getElementById("stop"), find = document.getElementById("find");
  const spots = [...drawing.querySelectorAll(".spot")];
  const rows = [...document.querySelectorAll("tbody tr")];
  const sounds = JSON.parse(document.getElementById("sounds").textContent);
  const width = +drawing.dataset.width, height = +drawing.dataset.height;
  const place = spots.map((spot) => [+spot.dataset.x, +spot.dataset.y]);
  const text = rows.map((row) => row.textContent.toLowerCase());
  const view = { x: 0, y: 0, scale: 1 };
  let player = null, playing = -1, shown = -1;

  const shownSpot = (n) => !spots[n].classList.contains("off");

  function look() {
    view.scale = Math.min(Math.max(view.scale, 1), 40);
    const w = width / view.scale, h = height / view.scale;
    view.x = Math.min(Math.max(view.x, 0), width - w);
    view.y = Math.min(Math.max(view.y, 0), height - h);
    drawing.setAttribute("viewBox", `${view.x} ${view.y} ${w} ${h}`);
    const small = Math.min(2.2, Math.max(1, 700 / drawing.clientWidth));  // on a phone, spots stay large enough to touch
    drawing.style.setProperty("--shrink", small / Math.sqrt(view.scale) / Math.sqrt(Math.max(1, view.scale / 8)));
    if (shown >= 0) put(shown);
  }

  function zoom(factor, x, y) {
    const before = view.scale;
    view.scale = Math.min(Math.max(before * factor, 1), 40);
    view.x += x * (1 / before - 1 / view.scale) * width;
    view.y += y * (1 / before - 1 / view.scale) * height;
    look();
  }

  function put(n) {
    const box = spots[n].getBoundingClientRect(), frame = map.getBoundingClientRect();
    const left = box.right - frame.left + 10, top = box.top - frame.top + 6;
    const most = frame.width - card.offsetWidth - 4, lowest = frame.height - card.offsetHeight - 4;
    card.style.left = `${Math.max(4, left <= most ? left : box.left - frame.left - card.offsetWidth - 10)}px`;
    card.style.top = `${Math.max(4, Math.min(top, lowest))}px`;
  }

  function tell(n) {
    shown = n;
    for (const spot of drawing.querySelectorAll(".current")) spot.classList.remove("current");
    card.hidden = n < 0;
    if (n < 0) return;
    spots[n].classList.add("current");
    const cells = rows[n].cells;
    const title = cells[0].textContent.replace("▶", "").trim();
    const facts = [cells[1].textContent, cells[2].textContent, cells[3].textContent];
    card.children[0].textContent = title;
    card.children[1].textContent = [...new Set(facts.filter(Boolean))].join(" · ");
    card.children[2].textContent = cells[4].textContent;
    card.children[3].textContent = !sounds[n] ? "no sound here" : n === playing ? "playing" : "";
    put(n);
  }

  function silence() {
    if (player) { player.pause(); player.removeAttribute("src"); }
    if (playing >= 0) spots[playing].classList.remove("playing");
    player = null; playing = -1; stop.disabled = true;
    if (shown >= 0) tell(shown);
  }

  function play(n) {
    const again = n === playing;
    silence();
    if (again || !sounds[n]) { tell(n); return; }
    const own = player = new Audio(sounds[n]);
    player.addEventListener("ended", silence);
    playing = n; stop.disabled = false;
    spots[n].classList.add("playing");
    player.play().catch(() => {
      if (player !== own) return;  // another spot was chosen before this one began
      silence();
      tell(n);
      card.children[3].textContent = "this browser can't play it";
    });
    tell(n);
  }

  function focus(n) {
    for (const spot of spots) spot.setAttribute("tabindex", "-1");
    spots[n].setAttribute("tabindex", "0");
    spots[n].focus({ preventScroll: true });
    const [x, y] = place[n], w = width / view.scale, h = height / view.scale;
    if (x < view.x || x > view.x + w || y < view.y || y > view.y + h) { view.x = x - w / 2; view.y = y - h / 2; look(); }
  }

  function neighbour(n, dx, dy) {
    let best = -1, least = Infinity;
    place.forEach(([x, y], other) => {
      const along = (x - place[n][0]) * dx + (y - place[n][1]) * dy;
      const across = Math.abs((x - place[n][0]) * dy) + Math.abs((y - place[n][1]) * dx);
      if (other !== n && shownSpot(other) && along > 0 && along + 2 * across < least) { least = along + 2 * across; best = other; }
    });
    return best;
  }

  const steps = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  spots.forEach((spot, n) => {
    spot.addEventListener("pointerenter", () => tell(n));
    spot.addEventListener("pointerleave", () => { if (document.activeElement !== spot) tell(playing); });
    spot.addEventListener("focus", () => tell(n));
    spot.addEventListener("blur", () => tell(playing));
    spot.addEventListener("click", () => { if (!moved) { focus(n); play(n); } });
    spot.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); play(n); }
      if (event.key in steps) {
        event.preventDefault();
        const next = neighbour(n, ...steps[event.key]);
        if (next >= 0) focus(next);
      }
      if (event.key === "+") zoom(1.5, (place[n][0] - view.x) * view.scale / width, (place[n][1] - view.y) * view.scale / height);
      if (event.key === "-") zoom(1 / 1.5, .5, .5);
    });
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") silence(); });
  stop.addEventListener("click", silence);
  for (const button of document.querySelectorAll("button[data-spot]")) button.addEventListener("click", () => play(+button.dataset.spot));

  document.getElementById("closer").addEventListener("click", () => zoom(1.5, .5, .5));
  document.getElementById("farther").addEventListener("click", () => zoom(1 / 1.5, .5, .5));
  document.getElementById("whole").addEventListener("click", () => { Object.assign(view, { x: 0, y: 0, scale: 1 }); look(); });
  drawing.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && view.scale === 1 && event.deltaY > 0) return;
    event.preventDefault();
    const box = drawing.getBoundingClientRect();
    zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  }, { passive: false });

  let grip = null, moved = false;
  drawing.addEventListener("pointerdown", (event) => { moved = false; grip = { x: event.clientX, y: event.clientY, at: { ...view } }; });
  window.addEventListener("pointermove", (event) => {
    if (!grip || view.scale === 1) return;
    const box = drawing.getBoundingClientRect();
    if (Math.hypot(event.clientX - grip.x, event.clientY - grip.y) > 4) { moved = true; drawing.classList.add("dragged"); }
    if (!moved) return;
    view.x = grip.at.x - (event.clientX - grip.x) / box.width * width / view.scale;
    view.y = grip.at.y - (event.clientY - grip.y) / box.height * height / view.scale;
    look();
  });
  window.addEventListener("pointerup", () => { grip = null; drawing.classList.remove("dragged"); });

  function choose() {
    const off = new Set([...document.querySelectorAll(".legend input:not(:checked)")].map((box) => box.dataset.group));
    const wanted = find.value.trim().toLowerCase();
    let first = -1;
    spots.forEach((spot, n) => {
      const hidden = off.has(spot.dataset.group), other = wanted && !text[n].includes(wanted);
      spot.classList.toggle("off", hidden);
      spot.classList.toggle("dim", !hidden && Boolean(other));
      rows[n].classList.toggle("off", hidden || Boolean(other));
      if (first < 0 && !hidden && !other) first = n;
    });
    if (first >= 0) spots.forEach((spot, n) => spot.setAttribute("tabindex", n === first ? "0" : "-1"));
    if (shown >= 0 && !shownSpot(shown)) tell(-1);
  }
  for (const box of document.querySelectorAll(".legend input")) box.addEventListener("change", choose);
  find.addEventListener("input", choose);
  window.addEventListener("resize", look);
  look();
})();

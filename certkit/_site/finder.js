// What is compared, and how, is in certkit/explanation: _pasted, _scanning, _measured, _weighing. Change both.
const known = JSON.parse(document.getElementById("known").textContent);
for (const say of [...known.says, ...known.measured])
  for (const side of ["client", "server"]) if (side in say) say[side] = known.shares[say[side]];
const most = 200000, shown = 0.03;
const entities = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'", nbsp: " " };
function clean(text) {
  return text.replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, "")
    .replace(/&(?:#(\d{1,6})|#x([0-9a-f]{1,5})|([a-z]{2,5}));/gi, (all, ten, hex, name) =>
      ten ? String.fromCodePoint(Math.min(ten, 0x10ffff)) : hex ? String.fromCodePoint(parseInt(hex, 16)) : entities[name.toLowerCase()] ?? all)
    .replace(/<\/?(?:br|b|i|u|p|pre|code|span|div|center|h[1-6]|hr|html|body|head|title|td|tr|th|table|a|strong|em|font|li|ul)(?:\s[^<>]{0,300})?\/?>/gi, " ")
    .replace(/\\u00([2-7][0-9a-f])/gi, (all, hex) => String.fromCharCode(parseInt(hex, 16)))
    .replace(/\\[ntr"]/g, "  ").normalize("NFKC").replace(/\p{Cf}/gu, "");
}
const fold = (text) => ` ${text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim()} `;
const loose = (phrase) => /[\u2e81-\u{10ffff}]/u.test(phrase);
const parsed = (phrase) => phrase.split("*").map((part) => (loose(phrase) ? part : ` ${part} `));
const within = (phrase, vocabulary) => loose(phrase) || phrase.split(/[* ]/).every((word) => !word || vocabulary.has(word));
function* places(parts, words) {
  let at = 0;
  for (let tries = 0; tries < 40; tries++) {
    const start = words.indexOf(parts[0], at);
    if (start < 0) return;
    let end = start + parts[0].length - 1;
    for (const part of parts.slice(1)) {
      const next = words.indexOf(part, end);
      end = next < 0 || next > end + 160 ? -1 : next + part.length - 1;
      if (end < 0) break;
    }
    if (end >= 0) yield [start, end];
    at = start + parts[0].length - 1;
  }
}
function near(phrases, words, start, end, window) {
  const around = words.slice(Math.max(0, start - window), end + window);
  return phrases.some((phrase) => parsed(phrase).every((part) => around.includes(part)));
}
function counts(say, words, start, end) {
  if (say.unless && near(say.unless, words, start, end, 120)) return false;
  return !say.needs || near(known.flags[say.needs] ?? [], words, start, end, { https: 400, proxy: 600 }[say.needs] ?? 2500);
}
function first(say, words, vocabulary, sent) {
  let best = null;
  for (const phrase of say.match) {
    if (!within(phrase, vocabulary)) continue;
    for (const [start, end] of places(parsed(phrase), words)) {
      if (best && start >= best[0]) break;
      if (say.received && sent.some(([a, b]) => a <= start && end <= b)) continue;
      if (counts(say, words, start, end)) { best = [start, end]; break; }
    }
  }
  return best;
}
function scan(words) {
  const vocabulary = new Set(words.split(" ")), sent = [], hits = [];
  for (const say of known.says) {
    const place = first(say, words, vocabulary, sent);
    if (!place) continue;
    if (say.received === false)
      for (const phrase of say.match) sent.push(...places(parsed(phrase), words));
    hits.push({ say, start: place[0], words: words.slice(...place).trim() });
  }
  return hits.sort((a, b) => a.start - b.start);
}
function serverShare(hits) {
  let balance = 0;
  for (const { say } of hits) balance += say.role === "server" ? 1 : say.role === "client" ? -1 : 0;
  return 1 / (1 + Math.exp(1.7 - 2.8 * Math.max(-3, Math.min(3, balance))));
}
function measured(words, server) {
  const vocabulary = new Set(words.split(" ")), taken = [], hits = [];
  for (const say of known.measured) {
    if ((say.role === "server") !== (server > 0.5)) continue;
    const phrase = say.match[0];
    if (!within(phrase, vocabulary)) continue;
    const [place] = places(parsed(phrase), words);
    if (!place || taken.some(([a, b]) => a <= place[0] && place[1] <= b)) continue;
    taken.push(place);
    hits.push({ say, start: place[0], words: words.slice(...place).trim() });
  }
  return hits;
}
function shares(say, server) {
  const other = say.server ?? say.client;
  let share = say.received === undefined || say.received === null ? server : { server: 1, client: 0 }[say.role] ?? server;
  if ((say.received === undefined || say.received === null) && server < 0.5) share /= 3;
  const found = {};
  for (const id of new Set([...Object.keys(say.client), ...Object.keys(other)]))
    found[id] = (1 - share) * (say.client[id] ?? 0) + share * (other[id] ?? 0);
  return found;
}
function explain(text) {
  const words = fold(clean(text.slice(0, most)));
  let hits = scan(words);
  const server = serverShare(hits);
  if (hits.some(({ say }) => say.client || say.tls)) hits = hits.concat(measured(words, server));
  const telling = hits.filter(({ say }) => say.client);
  if (!telling.length) return [];
  const mixed = telling.map(({ say }) => shares(say, server));
  const total = telling.reduce((sum, { say }) => sum + say.weight, 0) || 1;
  const ids = new Set(mixed.flatMap((share) => Object.keys(share)));
  const logs = [...ids].map((id) => {
    let log = 0;
    telling.forEach(({ say }, at) => { log += say.weight * Math.log(Math.max(mixed[at][id] ?? 0, say.floor)); });
    log /= total;
    for (const { say } of hits) if (say.boost?.[id]) log += Math.log(say.boost[id]);
    const why = telling.filter((hit, at) => (mixed[at][id] ?? 0) > hit.say.floor)
      .sort((a, b) => b.say.weight * shares(b.say, server)[id] - a.say.weight * shares(a.say, server)[id]);
    return { id, log, why: why.slice(0, 2) };
  });
  const top = Math.max(...logs.map(({ log }) => log));
  const sum = logs.reduce((all, { log }) => all + Math.exp(log - top), 0);
  return logs.map(({ id, log, why }) => ({ id, why, score: Math.exp(log - top) / sum }))
    .filter(({ score }) => score >= shown).sort((a, b) => b.score - a.score).slice(0, 5);
}
const part = document.querySelector(".ck-finder"), field = part.querySelector("textarea");
const list = part.querySelector("ol"), told = part.querySelector("[role=status]");
const element = (name, text, more = {}) => Object.assign(document.createElement(name), { textContent: text }, more);
function show() {
  const found = field.value.trim() ? explain(field.value) : [];
  list.replaceChildren(...found.map(({ id, score, why }) => {
    const { title, fix } = known.causes[id], item = document.createElement("li");
    const percent = score > 0.99 ? "over 99 %" : `${Math.round(score * 100)} %`;
    item.append(element("a", title, { href: `causes/${id}.html` }), ` (${percent})`);
    if (why.length) item.append(element("p", why.map((hit) => `“${hit.words}”: ${hit.say.means}`).join("; ") + "."));
    const line = element("p", "");
    line.append(element("b", "Fix: "), fix, " ", element("a", "all of it, and how to confirm", { href: `causes/${id}.html#fix` }));
    item.append(line);
    return item;
  }));
  told.textContent = !field.value.trim() ? "" : !found.length
    ? "Nothing in it is known to speak of TLS or certificates. Paste more of it: the lines before and after."
    : found.length === 1 ? "One cause:" : `${found.length} causes, the likeliest first:`;
}
part.hidden = false;
field.addEventListener("input", show);
show();

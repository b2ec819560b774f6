// Keeps the parts of a page up to date. Without it everything can be read and sent as well: by loading the page again.
'use strict';

const clockOffset = Date.now() - Date.parse(document.documentElement.dataset.now);
const parts = [...document.querySelectorAll('[data-from]')];

/** Makes `from` like `to` and touches only what differs: nothing flickers, focus and opened details stay. */
function morph(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
    from.replaceWith(to);
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  for (const name of from.getAttributeNames()) if (!to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  const wanted = [...to.childNodes];
  const have = [...from.childNodes];
  wanted.forEach((node, index) => (have[index] ? morph(have[index], node) : from.append(node)));
  for (const node of have.slice(wanted.length)) node.remove();
}

function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  if (whole < 7200) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

function tick() {
  const now = Date.now() - clockOffset;
  for (const time of document.querySelectorAll('time[data-age]')) {
    const text = `${span((now - Date.parse(time.dateTime)) / 1000)} ago`;
    if (time.textContent !== text) time.textContent = text;
  }
}

function show(part, text) {
  const fresh = new DOMParser().parseFromString(text, 'text/html').querySelector('section');
  if (fresh === null || fresh.id !== part.id) throw new Error('this is no part of the page');
  const before = part.dataset.news;
  morph(part, document.importNode(fresh, true));
  part.classList.remove('unreachable');
  if (part.dataset.news !== before) document.getElementById('news').textContent = part.dataset.news;
  tick();
}

const seenAt = new Map(parts.map((part) => [part, Date.now() - clockOffset]));

/** What was seen last stays, greyed, with its age. */
function unreached(part, why) {
  const note = part.querySelector('.unreached');
  const time = document.createElement('time');
  time.dateTime = new Date(seenAt.get(part)).toISOString();
  time.dataset.age = '';
  note.replaceChildren(`▲ ${why} What is below was loaded `, time, '; the page tries again by itself.');
  note.hidden = false;
  part.classList.add('unreachable');
  tick();
}

async function load(part) {
  try {
    const answer = await fetch(part.dataset.from, {
      headers: { accept: 'text/html' },
      redirect: 'manual',
      signal: AbortSignal.timeout(15_000),
    });
    if (answer.type === 'opaqueredirect' || answer.status === 401) {
      unreached(part, 'The session has ended: load the page to sign in.');
    } else if (!answer.ok) {
      unreached(part, `The front door refused (${answer.status}).`);
    } else {
      show(part, await answer.text());
      seenAt.set(part, Date.now() - clockOffset);
    }
  } catch {
    unreached(part, 'The front door can’t be reached.');
  }
}

/** True while events come: then nobody needs to ask. */
function listen(part) {
  const url = part.dataset.events;
  if (!url || !('EventSource' in window)) return () => false;
  let source;
  const open = () => {
    source = new EventSource(url);
    source.addEventListener('part', ({ data }) => {
      show(part, data);
      seenAt.set(part, Date.now() - clockOffset);
      // What has ended is told no more.
      if (!part.dataset.events) source.close();
    });
    // Refused (too many listen): it does not try again by itself.
    source.addEventListener('error', () => source.readyState === EventSource.CLOSED && setTimeout(open, 60_000));
  };
  open();
  addEventListener('pagehide', () => source.close());
  return () => source.readyState === EventSource.OPEN;
}

for (const part of parts) {
  const told = listen(part);
  const again = async () => {
    // Nobody looks at a hidden page.
    if (!document.hidden && !told()) await load(part);
    setTimeout(() => void again(), Number(part.dataset.every) * 1000);
  };
  setTimeout(() => void again(), Number(part.dataset.every) * 1000);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && !told()) void load(part);
  });
}
setInterval(tick, 1000);

// A second click on a form that is under way; its key makes sure of it without this script.
for (const form of document.forms) {
  form.addEventListener('submit', () => {
    for (const button of form.querySelectorAll('button')) button.setAttribute('aria-disabled', 'true');
  });
}

// What makes the pages pleasant; they are whole without it. Times in the reader's zone, time left counting down, and parts of a page
// (`data-live`) that are fetched again every so many seconds from `data-from`, so that they show what others do.
'use strict';

const SECOND = 1000;
const main = document.getElementById('main');
const news = document.getElementById('news');

// The service's clock decides, not the reader's: all counting starts from the time that came with the page.
let served = Date.parse(main.dataset.now);
let arrived = performance.now();
const now = () => served + performance.now() - arrived;

const tell = (text) => {
  news.textContent = text;
};

// ---- times

const language = navigator.language.startsWith('en') ? navigator.language : 'en-GB';
const clock = new Intl.DateTimeFormat(language, { timeStyle: 'short' });
const calendar = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });

function localise(root) {
  for (const element of root.querySelectorAll('time')) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    const isToday = moment.toDateString() === new Date(now()).toDateString();
    element.title = element.textContent;
    element.textContent = (isToday ? clock : calendar).format(moment);
  }
}

// ---- time left

const TOLD_AT = [300, 60];

function left(seconds) {
  const two = (count) => String(count).padStart(2, '0');
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days > 0) return `${days} d ${hours} h left`;
  if (hours > 0) return `${hours} h ${two(minutes)} min left`;
  if (minutes > 0) return `${minutes} min ${two(seconds % 60)} s left`;
  return `${seconds} s left`;
}

function count() {
  for (const timer of document.querySelectorAll('[data-until]')) {
    const seconds = Math.max(0, Math.ceil((Date.parse(timer.dataset.until) - now()) / SECOND));
    timer.textContent = seconds > 0 ? left(seconds) : 'over';
    const bar = timer.closest('.left').nextElementSibling;
    bar.value = seconds;
    bar.classList.toggle('short', seconds < bar.max / 10);
    if (TOLD_AT.includes(seconds) && seconds < bar.max) tell(`${timer.dataset.name}: ${left(seconds)}`);
    if (seconds === 0 && !timer.dataset.over) {
      timer.dataset.over = 'yes';
      tell(`${timer.dataset.name}: access is over.`);
      refresh();
    }
  }
}

// ---- what others do

// What a section says, apart from what time alone changes.
function essence(section) {
  const copy = section.cloneNode(true);
  for (const timer of copy.querySelectorAll('[data-until]')) timer.textContent = '';
  for (const bar of copy.querySelectorAll('progress')) bar.removeAttribute('value');
  return copy.outerHTML;
}

// How to find an element again in the same section made anew.
function handle(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  const details = element.closest('details');
  if (element.tagName === 'SUMMARY') return `#${CSS.escape(details.id)} > summary`;
  const form = element.closest('form');
  if (form) return `form[action="${CSS.escape(form.getAttribute('action'))}"] ${element.tagName}`;
  return element.tagName === 'A' ? `a[href="${CSS.escape(element.getAttribute('href'))}"]` : null;
}

// Puts the new section into the old one's place, and leaves the reader where they were: what is open, what is typed, where the focus is.
function replace(section, fresh) {
  const open = [...section.querySelectorAll('details[open]')].map((details) => details.id);
  const typed = [...section.querySelectorAll('input:not([type=hidden]), textarea')].map((input) => [input.id, input.value]);
  const focused = section.contains(document.activeElement) ? handle(document.activeElement) : undefined;
  const isNews = section.dataset.summary !== fresh.dataset.summary;
  localise(fresh);
  section.replaceWith(fresh);
  for (const id of open) document.getElementById(id)?.setAttribute('open', '');
  for (const [id, value] of typed) {
    const input = id && document.getElementById(id);
    if (input) input.value = value;
  }
  if (focused !== undefined) ((focused && fresh.querySelector(focused)) || main).focus({ preventScroll: true });
  if (isNews) tell(fresh.dataset.summary);
  count();
}

const known = new Map();
const due = new Map();
let busy = false;

function learn(section) {
  known.set(section.id, essence(section));
  due.set(section.id, performance.now() + section.dataset.live * SECOND);
}

async function refresh(ids = [...known.keys()]) {
  if (busy || ids.length === 0) return;
  busy = true;
  const from = document.getElementById(ids[0])?.dataset.from;
  try {
    const answer = await fetch(from, { headers: { accept: 'text/html' }, cache: 'no-store' });
    if (answer.status === 401) {
      tell('You are signed out. Reload the page to sign in again.');
      known.clear();
      return;
    }
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    served = Date.parse(page.getElementById('main').dataset.now) || served;
    arrived = performance.now();
    for (const id of known.keys()) {
      const [section, fresh] = [document.getElementById(id), page.getElementById(id)];
      if (!section || !fresh) continue;
      const before = known.get(id);
      learn(fresh);
      if (known.get(id) !== before) replace(section, fresh);
    }
  } catch {
    // The network is away for a moment; the next time will tell.
  } finally {
    for (const id of known.keys()) {
      const section = document.getElementById(id);
      if (section) due.set(id, performance.now() + section.dataset.live * SECOND);
    }
    busy = false;
  }
}

function tick() {
  count();
  if (document.hidden) return;
  const ripe = [...due].filter(([id, at]) => known.has(id) && at <= performance.now()).map(([id]) => id);
  if (ripe.length > 0) refresh(ripe);
}

// ---- forms and keys

// A second press while the first is on its way is no second wish.
document.addEventListener('submit', (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  else if (event.target.method === 'post') event.target.dataset.sent = 'yes';
});
window.addEventListener('pageshow', () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// Escape closes what a press on "Deny…" or "Revoke…" opened, and a press opens it ready to type.
document.addEventListener('keydown', (event) => {
  const details = event.key === 'Escape' && event.target.closest?.('details[open]');
  if (!details) return;
  details.removeAttribute('open');
  details.querySelector('summary').focus();
});
document.addEventListener('click', (event) => {
  const details = event.target.closest('summary')?.parentElement;
  if (details && !details.open) setTimeout(() => details.querySelector('input:not([type=hidden])')?.focus());
});

for (const section of document.querySelectorAll('[data-live]')) learn(section);
localise(document);
count();
setInterval(tick, SECOND);

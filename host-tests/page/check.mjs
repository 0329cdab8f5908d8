// Looks at the page of each refusal as a person's browser does, and leaves pictures.
//
//   node check.mjs FOLDER WORLD   WORLD is JSON: { origin, scenes: [{ name, path, token, status, reason, link }] }
//
// Each scene is opened light and dark, on a phone and on a desk. CHROMIUM names the browser (`chromium` unless set).

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { chromium } from 'playwright-core';

const [folder, world] = process.argv.slice(2);
const { origin, scenes } = JSON.parse(world);
const SIZES = { narrow: [320, 640], phone: [390, 780], desk: [1100, 680] };
const TITLES = {
  400: 'The request has no certain meaning',
  401: /^(Sign-in required|The identity token is not accepted)$/,
  403: 'Access denied',
  503: 'Access cannot be checked right now',
};

// What the page itself cannot suppress: it is there before anything of the page is read.
function watch() {
  window.violations = [];
  document.addEventListener('securitypolicyviolation', (event) => window.violations.push(event.violatedDirective));
}

// Runs in the page: what a person sees of it.
function look() {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color).slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return channels(color)[3] === 0 && element.parentElement ? ground(element.parentElement) : color;
  };
  const texts = [...document.querySelectorAll('h1, p, a, span, dt, dd')];
  const contrasts = texts.map((element) => {
    const [light, dark] = [getComputedStyle(element).color, ground(element)].map(luminance).sort((a, b) => b - a);
    return [element.textContent, (light + 0.05) / (dark + 0.05)];
  });
  const facts = [...document.querySelectorAll('dl div')];
  const link = document.querySelector('a');
  return {
    title: document.title,
    lang: document.documentElement.lang,
    mains: document.querySelectorAll('main').length,
    headings: document.querySelectorAll('h1').length,
    strangers: document.querySelectorAll('script, img, link, iframe, body style, form').length,
    ran: 'ran' in window,
    violations: window.violations,
    background: getComputedStyle(document.body).backgroundColor,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    dim: contrasts.filter(([, contrast]) => contrast < 4.5),
    facts: Object.fromEntries(facts.map((row) => [...row.children].map((cell) => cell.textContent))),
    link: link && { href: link.getAttribute('href'), rel: link.rel, text: link.textContent },
  };
}

async function open(browser, scene, size, colorScheme) {
  const [width, height] = SIZES[size];
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    extraHTTPHeaders: scene.token ? { authorization: `Bearer ${scene.token}` } : {},
  });
  const page = await context.newPage();
  const requests = [];
  const complaints = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (fault) => complaints.push(String(fault)));
  page.on('dialog', (dialog) => complaints.push(`a dialog: ${dialog.message()}`));
  page.on('console', (message) => {
    // That the page's own status is no success is said there too.
    if (!message.text().startsWith('Failed to load resource')) complaints.push(message.text());
  });
  await page.addInitScript(watch);
  const answer = await page.goto(origin + scene.path);
  return { context, page, answer, requests, complaints };
}

async function checkAnswer(scene, answer) {
  const headers = answer.headers();
  assert.equal(answer.status(), scene.status);
  assert.equal(headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['referrer-policy'], 'no-referrer');
  assert.match(headers['content-security-policy'], /^default-src 'none'; style-src 'sha256-/);
  assert.doesNotMatch(headers['content-security-policy'], /unsafe/);
  assert.ok((await answer.body()).length < 8192, 'the page is small');
}

function checkSight(scene, seen, answer) {
  const expected = TITLES[scene.status];
  if (expected instanceof RegExp) assert.match(seen.title, expected);
  else assert.equal(seen.title, expected);
  assert.deepEqual([seen.lang, seen.mains, seen.headings], ['en', 1, 1]);
  assert.equal(seen.strangers, 0, 'nothing broke out of its text');
  assert.equal(seen.ran, false, 'no script ran');
  assert.deepEqual(seen.violations, []);
  assert.equal(seen.overflow, 0, 'nothing is wider than the window');
  assert.deepEqual(seen.dim, [], 'every text has the contrast of WCAG 2, level AA');
  assert.equal(seen.facts.Reason, scene.reason);
  assert.equal(seen.facts['Request ID'], answer.headers()['x-request-id']);
  if (scene.link) assert.deepEqual(seen.link, { href: scene.link, rel: 'noopener noreferrer', text: 'Request access' });
  if (seen.link?.text === 'Request access') assert.ok(seen.link.href.startsWith('https://grants.example/request?'));
}

// The browser would say so if the page broke its policy: it does for a style and a script that are not the page's.
async function checkPolicyIsInForce(page) {
  const directives = await page.evaluate(async () => {
    for (const [name, text] of [['style', 'body{color:red}'], ['script', 'window.ran = 1']]) {
      const element = document.createElement(name);
      element.textContent = text;
      document.body.append(element);
    }
    await new Promise((resolve) => setTimeout(resolve));
    return { violations: window.violations, ran: 'ran' in window };
  });
  assert.deepEqual(directives, { violations: ['style-src-elem', 'script-src-elem'], ran: false });
}

async function checkKeyboard(page) {
  await page.keyboard.press('Tab');
  const focused = await page.evaluate(() => {
    const style = getComputedStyle(document.activeElement);
    return [document.activeElement.tagName, style.outlineStyle, parseFloat(style.outlineWidth) >= 2];
  });
  assert.deepEqual(focused, ['A', 'solid', true]);
}

async function check(browser, scene) {
  const backgrounds = {};
  for (const size of Object.keys(SIZES)) {
    for (const scheme of ['light', 'dark']) {
      const { context, page, answer, requests, complaints } = await open(browser, scene, size, scheme);
      const seen = await page.evaluate(look);
      await checkAnswer(scene, answer);
      checkSight(scene, seen, answer);
      assert.equal(requests.length, 1, `it asks for nothing else: ${requests}`);
      assert.deepEqual(complaints, []);
      backgrounds[scheme] = seen.background;
      await page.screenshot({ path: `${folder}/${scene.name}-${size}-${scheme}.png` });
      if (seen.link) await checkKeyboard(page);
      await checkPolicyIsInForce(page);
      await context.close();
    }
  }
  assert.notEqual(backgrounds.light, backgrounds.dark, 'the dark page is another');
}

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // The pages are this test's own, and who runs it as root has no sandbox.
  args: ['--no-sandbox'],
});
let failed = 0;
for (const scene of scenes) {
  try {
    await check(browser, scene);
    console.log(`ok: ${scene.name}`);
  } catch (fault) {
    failed += 1;
    console.error(`FAILED: ${scene.name}: ${fault.message}`);
  }
}
await browser.close();
console.log(`the pictures are in ${resolve(folder)}`);
process.exitCode = failed ? 1 : 0;

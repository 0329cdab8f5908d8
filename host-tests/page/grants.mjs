// Uses the pages of the grant service as people do, and leaves pictures of each.
//
//   node grants.mjs ORIGIN FOLDER PEOPLE   PEOPLE is JSON: { name: headers that say who it is }
//
// It needs the rules and people of grant-service/tests/pages: alice and bob may request, lena and otto approve, ada administers, nina may nothing.
// CHROMIUM names the browser (`chromium` unless set).

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import axe from 'axe-core';
import { approve, browserOf, deny, launch, request, revoke, revokeEverything, SIZES, told } from './deeds.mjs';

const [base, folder] = process.argv.slice(2);
const people = JSON.parse(process.argv[4]);
const READ = '/request?resource=orders&action=read';

const browser = await launch();
const as = (name, look) => browserOf(browser, base, people[name] ?? {}, look);

// Pictures of a page as it is now, in every look; and that it is sound in each.
async function look(page, name) {
  for (const [size, [width, height]] of Object.entries(SIZES)) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.screenshot({ path: `${folder}/${name}-${size}-${colorScheme}.png`, fullPage: true });
      await sound(page, `${name}, ${size}, ${colorScheme}`);
      // Each scheme and each size once: that finds what one of them alone brings in, in half the time.
      if ((size === 'desk') === (colorScheme === 'light')) await accessible(page, `${name}, ${size}, ${colorScheme}`);
    }
  }
}

async function sound(page, name) {
  const seen = await page.evaluate(() => ({
    violations: window.violations,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    // An empty one is what taking a picture leaves behind.
    inline: document.querySelectorAll('[style]:not([style=""]), style, script:not([src])').length,
    headings: document.querySelectorAll('h1').length,
  }));
  assert.deepEqual(seen, { violations: [], overflow: 0, inline: 0, headings: 1 }, name);
  assert.deepEqual(page.complaints, [], name);
}

async function accessible(page, name) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  const faults = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join('; ')}`);
  assert.deepEqual(faults, [], name);
}

async function strangers() {
  const page = await as('nobody');
  const answer = await page.goto('/grants');
  assert.equal(answer.status(), 401);
  await look(page, 'sign-in');
  const nina = await as('nina');
  for (const path of ['/approvals', '/grants/all', '/record']) assert.equal((await nina.goto(path)).status(), 403, path);
  await look(nina, 'not-for-you');
  await nina.goto('/grants');
  await look(nina, 'grants-empty');
  await nina.goto('/request');
  await look(nina, 'pick-empty');
}

async function asking() {
  const alice = await as('alice');
  await alice.goto('/request');
  await look(alice, 'pick');
  await alice.goto(`${READ}&return_to=${encodeURIComponent(`${base}/orders/7`)}`);
  await look(alice, 'ask');
  // What is not right is told, announced and kept.
  await alice.getByLabel('Why', { exact: true }).fill('because');
  await alice.getByRole('radio', { name: '15 minutes' }).check();
  await alice.getByRole('button', { name: 'Send request' }).click();
  await alice.getByRole('alert').waitFor();
  assert.equal(await alice.getByLabel('Why', { exact: true }).inputValue(), 'because');
  assert.ok(await alice.getByRole('radio', { name: '15 minutes' }).isChecked());
  assert.ok(await alice.getByLabel('Why', { exact: true }).evaluate((field) => field === document.activeElement));
  await look(alice, 'ask-wrong');
  await request(alice, { reason: 'OPS-7 the export is stuck' });
  await told(alice, 'Waiting for approval');
  await look(alice, 'pending');
  return alice;
}

async function deciding(alice) {
  const bob = await as('bob');
  await request(bob, { path: READ.replace('read', 'write'), duration: '1 hour', reason: 'OPS-8 correct the totals of order 4711 <script>ran=1</script>' });
  const lena = await as('lena');
  await lena.goto('/approvals');
  await look(lena, 'approvals');
  await lena.locator('summary').first().click();
  await look(lena, 'approvals-deny');
  await approve(lena, { action: 'read', resource: 'orders', who: 'alice' });
  await look(lena, 'approvals-done');
  // Nobody touches Alice's page: it tells by itself.
  await told(alice, 'You are in');
  assert.match(await alice.locator('#news').textContent(), /You are in/);
  await look(alice, 'live');
  const before = await alice.getByRole('timer').textContent();
  await alice.waitForFunction((text) => document.querySelector('[role=timer]').textContent !== text, before);
  assert.equal(await alice.locator('#back').getAttribute('href'), `${base}/orders/7`);

  await approve(lena, { action: 'write', resource: 'orders', who: 'bob' });
  await lena.getByRole('link', { name: 'See the request' }).click();
  await look(lena, 'seconded');
  const otto = await as('otto');
  await deny(otto, { action: 'write', resource: 'orders', who: 'bob', reason: 'The totals are corrected already.' });
  await told(bob, 'Denied');
  await look(bob, 'denied');
  await look(otto, 'approvals-empty');
}

async function watchingItEnd() {
  const alice = await as('alice');
  await request(alice, { path: '/request?resource=short&action=read', reason: 'OPS-9 a short visit' });
  await approve(await as('lena'), { action: 'read', resource: 'short', who: 'alice' });
  await alice.goto('/grants');
  const cards = alice.locator('#live-grants li');
  assert.equal(await cards.count(), 2);
  await look(alice, 'grants');
  await cards.filter({ hasText: 'short' }).waitFor({ state: 'detached', timeout: 20_000 });
  assert.equal(await cards.count(), 1);
}

async function breakingTheGlass() {
  const alice = await as('alice');
  await alice.goto(READ.replace('read', 'write'));
  await alice.getByRole('checkbox', { name: /emergency/ }).check();
  await look(alice, 'ask-emergency');
  await request(alice, { duration: '15 minutes', reason: 'OPS-10 customers cannot order', emergency: true });
  await told(alice, 'You are in');
  await look(alice, 'live-emergency');
}

async function takingBack() {
  const [ada, alice] = [await as('ada'), await as('alice')];
  await alice.goto('/grants');
  await ada.goto('/grants/all');
  await ada.locator('summary').first().click();
  await look(ada, 'everyone');
  await revoke(ada, { action: 'read', resource: 'orders', who: 'alice', reason: 'no longer needed' });
  await alice.locator('#live-grants li').filter({ hasText: 'read' }).waitFor({ state: 'detached', timeout: 20_000 });
  await revokeEverything(ada, 'incident 12');
  await look(ada, 'everyone-revoked');
  await ada.goto('/record');
  await look(ada, 'record');
  await ada.getByLabel('What').selectOption('Glass broken');
  await ada.getByRole('button', { name: 'Show' }).click();
  assert.equal(await ada.locator('tbody tr').count(), 1);
  assert.match(await ada.locator('#ndjson').getAttribute('href'), /^\/audit\?event=glass_broken/);
}

// Steps of the focus until it is on this, as Tab takes it.
async function tabTo(page, target) {
  for (let step = 0; step < 40; step += 1) {
    await page.keyboard.press('Tab');
    if (await target.evaluate((element) => element === document.activeElement)) {
      const outline = await page.evaluate(() => {
        const element = document.activeElement;
        const style = getComputedStyle(element.type === 'radio' ? element.nextElementSibling : element);
        return [style.outlineStyle, parseFloat(style.outlineWidth) >= 2];
      });
      assert.deepEqual(outline, ['solid', true], 'the focus is seen');
      return;
    }
  }
  assert.fail('Tab does not come there');
}

async function keyboardOnly() {
  const [bob, lena] = [await as('bob'), await as('lena')];
  await bob.goto(READ);
  await bob.keyboard.press('Tab');
  await bob.keyboard.press('Enter');
  assert.equal(await bob.evaluate(() => location.hash), '#main', 'the ways to other pages can be skipped');
  await tabTo(bob, bob.getByRole('radio', { name: '30 minutes' }));
  await bob.keyboard.press('ArrowLeft');
  assert.ok(await bob.getByRole('radio', { name: '15 minutes' }).isChecked());
  await tabTo(bob, bob.getByLabel('Why', { exact: true }));
  await bob.keyboard.type('OPS-11 by keyboard');
  await tabTo(bob, bob.getByRole('button', { name: 'Send request' }));
  await bob.keyboard.press('Enter');
  await bob.waitForURL(/\/requests\//);
  await lena.goto('/approvals');
  const summary = lena.locator('summary').first();
  await tabTo(lena, summary);
  await lena.keyboard.press('Enter');
  const why = lena.getByLabel('Why, for bob and the record');
  await lena.waitForFunction(() => document.activeElement.name === 'reason');
  await lena.keyboard.type('half a reason');
  // A look at what others did in between takes away neither what is typed nor the focus.
  await request(await as('alice'), { path: READ, reason: 'OPS-12 meanwhile' });
  await lena.getByRole('heading', { name: '2 requests wait for you.' }).waitFor();
  assert.equal(await why.inputValue(), 'half a reason');
  assert.ok(await why.evaluate((field) => field === document.activeElement), 'the focus stayed');
  await lena.keyboard.press('Escape');
  assert.ok(await summary.evaluate((element) => element === document.activeElement && !element.parentElement.open));
  await lena.keyboard.press('Shift+Tab');
  await lena.keyboard.press('Enter');
  await lena.getByRole('status').filter({ hasText: 'You approved' }).waitFor();
  await told(bob, 'You are in');
}

async function withoutScript() {
  const plain = { javaScriptEnabled: false };
  const [bob, lena, ada] = [await as('bob', plain), await as('lena', plain), await as('ada', plain)];
  await revokeEverything(ada, 'a clean table');
  await request(bob, { path: READ, duration: '5 minutes', reason: 'OPS-13 without script' });
  await told(bob, 'Waiting for approval');
  await approve(lena, { action: 'read', resource: 'orders', who: 'bob' });
  await bob.reload();
  await told(bob, 'You are in');
  assert.match(await bob.locator('main').textContent(), /until \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
  await bob.goto('/grants');
  await bob.locator('summary').click();
  await bob.getByRole('button', { name: 'Give up this access' }).click();
  await bob.getByRole('status').filter({ hasText: 'given up' }).waitFor();
}

async function step(name, run) {
  const value = await run();
  console.log(`ok: ${name}`);
  return value;
}

mkdirSync(folder, { recursive: true });
try {
  await step('whoever has not signed in, or may nothing, sees nothing', strangers);
  const alice = await step('access is asked for, and what is wrong is told where it is', asking);
  await step('others decide, and the page that waits tells it', () => deciding(alice));
  await step('a grant is watched to its end', watchingItEnd);
  await step('the glass is broken', breakingTheGlass);
  await step('one is taken back, then everything, and all of it is on record', takingBack);
  await step('it goes by keyboard alone', keyboardOnly);
  await step('it goes without script', withoutScript);
} catch (fault) {
  console.error(`FAILED: ${fault.stack}`);
  process.exitCode = 1;
}
await browser.close();
console.log(`the pictures are in ${resolve(folder)}`);

// Walks the loop of just-in-time access as people do, each in a browser of their own, and leaves pictures.
//
//   node walk.mjs FOLDER WORLD   WORLD is JSON: { proxy, idp, grants, interval }, origins and how soon a revocation is to be felt, in seconds
//
// CHROMIUM names the browser (`chromium` unless set). Nothing is slept for: what is to come is waited for, and comes in time or is missed.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { chromium } from 'playwright-core';

const [folder, world] = process.argv.slice(2);
const { proxy, idp, grants, interval } = JSON.parse(world);
const ORDER = `${proxy}/orders/7`;
const FORM = `${grants}/request?resource=orders&action=read`;
// What is remembered of a refusal, and what a busy machine takes.
const PATIENCE = 15_000;
// What asking and answering takes beyond the interval, on a busy machine.
const SLACK = 1_000;

let pictures = 0;

/** Someone with a browser of their own. What the browser complains of is kept. */
async function person(browser, name, colorScheme = 'light', viewport = { width: 1100, height: 780 }) {
  const context = await browser.newContext({ colorScheme, viewport });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (fault) => complaints.push(String(fault)));
  page.on('console', (message) => {
    // That a refusal is no success is said there too.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
  });
  return { name, page, complaints };
}

async function picture({ name, page }, what) {
  pictures += 1;
  await page.screenshot({ path: `${folder}/walk-${String(pictures).padStart(2, '0')}-${name}-${what}.png`, fullPage: true });
}

/** Chooses who one is on the sign-in page, which leads back to where one came from. */
async function signIn({ name, page }) {
  assert.equal(new URL(page.url()).origin, idp, 'this is the page to sign in on');
  await page.getByRole('button', { name: new RegExp(`^${name}`) }).click();
  await page.waitForURL((url) => url.origin !== idp);
}

/** The same from a page of the grant service that wants to know who looks. */
async function signInThere(someone) {
  await someone.page.getByRole('link', { name: 'Sign in' }).click();
  await signIn(someone);
}

/** Opens the order again and again until the answer has this status. Returns when the last one was asked for that had not. */
async function openUntil({ page }, status) {
  const deadline = Date.now() + PATIENCE;
  let before;
  for (;;) {
    const asked = Date.now();
    const answer = await page.goto(ORDER);
    if (answer.status() === status) return before;
    assert.ok(asked < deadline, `${ORDER} is not answered with ${status}, but with ${answer.status()}`);
    before = asked;
  }
}

/** Asks for the order by the form that is open. Returns the request's own page. */
async function request({ page }, why, duration) {
  if (duration) await page.getByRole('radio', { name: duration, exact: true }).check();
  await page.getByLabel('Why').fill(why);
  await page.getByRole('button', { name: 'Send request' }).click();
  await page.waitForURL(`${grants}/requests/**`);
  await page.getByRole('button', { name: 'Withdraw' }).waitFor();
  return page.url();
}

async function approve({ page }) {
  await page.getByRole('button', { name: 'Approve read on orders for alice' }).click();
  await page.getByText('0 requests wait for you.').waitFor();
}

async function revoke({ page }) {
  await page.locator('summary[aria-label="Revoke read on orders of alice"]').click();
  const form = page.locator('details[open]');
  await form.getByLabel('Why, for the record').fill('The laptop was stolen');
  await form.getByRole('button', { name: 'Revoke this grant' }).click();
  await page.getByText('Nobody holds a live grant').waitFor();
}

async function walk(browser) {
  const alice = await person(browser, 'alice');
  const lena = await person(browser, 'lena', 'dark');
  const ada = await person(browser, 'ada');

  // Nobody passes unnamed.
  assert.equal((await alice.page.goto(ORDER)).status(), 401);
  await picture(alice, 'unnamed');

  // Alice signs in, is refused, and follows the refusal's link.
  await alice.page.goto(`${idp}/sign-in?return_to=${encodeURIComponent(ORDER)}`);
  await picture(alice, 'sign-in');
  await signIn(alice);
  assert.equal(alice.page.url(), ORDER);
  assert.equal(await alice.page.getByRole('heading', { level: 1 }).textContent(), 'Access denied');
  await picture(alice, 'refused');
  await alice.page.getByRole('link', { name: 'Request access' }).click();
  await alice.page.waitForURL(FORM);
  await picture(alice, 'form');
  const asked = await request(alice, 'A customer asks where order 7 is');
  await picture(alice, 'waiting');

  // Lena was not signed in: the page for approvals sends her to the sign-in page, and that one back.
  await lena.page.goto(`${grants}/approvals`);
  await signInThere(lena);
  assert.equal(lena.page.url(), `${grants}/approvals`);
  await picture(lena, 'approvals');
  await approve(lena);
  await picture(lena, 'approved');

  // Alice's page shows it by itself, and she is in.
  await alice.page.getByRole('heading', { name: 'You are in' }).waitFor();
  await picture(alice, 'granted');
  await openUntil(alice, 200);
  const echoed = JSON.parse(await alice.page.locator('pre').textContent());
  assert.equal(echoed.headers['x-hallpass-subject'], 'alice');
  assert.ok(echoed.headers['x-hallpass-grant-id']);
  await picture(alice, 'in');

  // The time that is left counts down to nothing, and she is out.
  await alice.page.goto(asked);
  await alice.page.getByRole('heading', { name: 'The access is over' }).waitFor({ timeout: 2 * PATIENCE });
  await picture(alice, 'over');
  assert.equal((await alice.page.goto(ORDER)).status(), 403);
  await picture(alice, 'out');

  // Once more, for longer.
  await alice.page.getByRole('link', { name: 'Request access' }).click();
  await request(alice, 'The customer called again', '1 hour');
  await approve(lena);
  await openUntil(alice, 200);

  // Ada revokes it while alice is in: she is out within the interval.
  await ada.page.goto(`${grants}/grants/all`);
  await signInThere(ada);
  await picture(ada, 'everyone');
  await revoke(ada);
  const revoked = Date.now();
  await picture(ada, 'revoked');
  const last = (await openUntil(alice, 403)) ?? revoked;
  assert.ok(last - revoked <= interval * 1000 + SLACK, `alice was in ${last - revoked} ms after the revocation`);
  await picture(alice, 'revoked');

  // And all of it is on record.
  await ada.page.goto(`${grants}/record`);
  await picture(ada, 'record');

  for (const { name, complaints } of [alice, lena, ada]) assert.deepEqual(complaints, [], `${name}'s browser complains of nothing`);
}

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // The pages are this test's own, and who runs it as root has no sandbox.
  args: ['--no-sandbox'],
});
try {
  await walk(browser);
  console.log(`ok: the whole loop; the pictures are in ${resolve(folder)}`);
} catch (fault) {
  console.error(`FAILED: ${fault.stack}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}

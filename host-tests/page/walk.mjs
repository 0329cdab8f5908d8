// Walks the loop of just-in-time access as people do, each in a browser of their own, and leaves pictures.
//
//   node walk.mjs FOLDER WORLD   WORLD is JSON: { proxy, idp, grants, interval }, origins and how soon a revocation is to be felt, in seconds
//
// Nothing is slept for: what is to come is waited for, and comes in time or is missed.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { approve, browserOf, launch, request, revoke, told } from './deeds.mjs';

const [folder, world] = process.argv.slice(2);
const { proxy, idp, grants, interval } = JSON.parse(world);
const ORDER = `${proxy}/orders/7`;
const READ = { action: 'read', resource: 'orders', who: 'alice' };
// How long anything may take on a busy machine, and what asking and answering takes beyond the interval there, in milliseconds.
const PATIENCE = 15_000;
const SLACK = 1_000;

let pictures = 0;

async function picture(page, name) {
  pictures += 1;
  await page.screenshot({ path: `${folder}/walk-${String(pictures).padStart(2, '0')}-${name}.png`, fullPage: true });
}

// Chooses who one is on the sign-in page, which leads back to where one came from.
async function signIn(page, name) {
  assert.equal(new URL(page.url()).origin, idp, 'this is the page to sign in on');
  await page.getByRole('button', { name: new RegExp(`^${name}`) }).click();
  await page.waitForURL((url) => url.origin !== idp);
}

// The same from a page of the grant service that wants to know who looks.
async function signInFrom(page, path, name) {
  await page.goto(path);
  await page.getByRole('link', { name: 'Sign in' }).click();
  await page.waitForURL(`${idp}/**`);
  await signIn(page, name);
  assert.equal(page.url(), grants + path, 'signing in leads back');
}

// Opens the order again and again until the answer has this status. Returns when it was last asked for in vain, if it was.
async function openUntil(page, status) {
  const deadline = Date.now() + PATIENCE;
  for (let before; ; ) {
    const asked = Date.now();
    const answer = await page.goto(ORDER);
    if (answer.status() === status) return before;
    assert.ok(asked < deadline, `the order is answered with ${answer.status()}, and never with ${status}`);
    before = asked;
  }
}

async function walk(browser) {
  const [alice, ada] = await Promise.all([browserOf(browser, grants, {}), browserOf(browser, grants, {})]);
  const lena = await browserOf(browser, grants, {}, { colorScheme: 'dark' });
  for (const page of [alice, lena, ada]) page.setDefaultTimeout(PATIENCE);

  // Nobody passes unnamed.
  assert.equal((await alice.goto(ORDER)).status(), 401);
  await picture(alice, 'alice-unnamed');

  // Alice signs in, is refused, and follows the refusal's link.
  await alice.goto(`${idp}/sign-in?return_to=${encodeURIComponent(ORDER)}`);
  await picture(alice, 'alice-signs-in');
  await signIn(alice, 'alice');
  assert.equal(alice.url(), ORDER);
  await told(alice, 'Access denied');
  await picture(alice, 'alice-refused');
  await alice.getByRole('link', { name: 'Request access' }).click();
  await alice.waitForURL(`${grants}/request?resource=orders&action=read`);
  await picture(alice, 'alice-asks');
  await request(alice, { reason: 'A customer asks where order 7 is' });
  await told(alice, 'Waiting for approval');
  const asked = alice.url();
  await picture(alice, 'alice-waits');

  // Lena was not signed in; she finds the request waiting.
  await signInFrom(lena, '/approvals', 'lena');
  await picture(lena, 'lena-decides');
  await approve(lena, READ);
  await picture(lena, 'lena-approved');

  // Alice's page shows it by itself, and she is in.
  await told(alice, 'You are in');
  await picture(alice, 'alice-granted');
  await openUntil(alice, 200);
  const { headers } = JSON.parse(await alice.locator('pre').textContent());
  assert.equal(headers['x-hallpass-subject'], 'alice');
  assert.match(headers['x-hallpass-grant-id'], /^g-/);
  await picture(alice, 'alice-in');

  // The time that is left counts down to nothing, and she is out.
  await alice.goto(asked);
  await alice.getByText(/\b[1-3] s left/).waitFor();
  await picture(alice, 'alice-last-seconds');
  await told(alice, 'The access is over');
  await picture(alice, 'alice-over');
  assert.equal((await alice.goto(ORDER)).status(), 403);
  await picture(alice, 'alice-out');

  // Once more, for longer.
  await alice.getByRole('link', { name: 'Request access' }).click();
  await request(alice, { duration: '1 hour', reason: 'The customer called again' });
  await approve(lena, READ);
  await openUntil(alice, 200);

  // Ada revokes it while alice is in: she is out within the interval.
  await signInFrom(ada, '/grants/all', 'ada');
  await picture(ada, 'ada-sees-everyone');
  await revoke(ada, { ...READ, reason: 'The laptop was stolen' });
  const revoked = Date.now();
  const last = (await openUntil(alice, 403)) ?? revoked;
  assert.ok(last - revoked <= interval * 1000 + SLACK, `alice was in ${last - revoked} ms after the revocation`);
  await picture(ada, 'ada-revoked');
  await picture(alice, 'alice-revoked');

  // And all of it is on record.
  await ada.goto('/record');
  await picture(ada, 'ada-reads-the-record');

  for (const page of [alice, lena, ada]) assert.deepEqual(page.complaints, [], 'no browser complains of anything');
}

mkdirSync(folder, { recursive: true });
const browser = await launch();
try {
  await walk(browser);
  console.log(`ok: the whole loop; the pictures are in ${resolve(folder)}`);
} catch (fault) {
  console.error(`FAILED: ${fault.stack}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}

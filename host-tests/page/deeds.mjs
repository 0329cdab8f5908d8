// What people do in the pages of the grant service, found as a person finds it: by roles, labels and names.

import { chromium } from 'playwright-core';

export const SIZES = { phone: [390, 780], desk: [1200, 800] };

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // The pages are this test's own, and who runs it as root has no sandbox.
    args: ['--no-sandbox'],
  });
}

// What a page itself cannot suppress: it is there before anything of the page is read.
function watch() {
  window.violations = [];
  document.addEventListener('securitypolicyviolation', (event) => window.violations.push(event.violatedDirective));
}

// A browser of one person, who is told apart by headers: those of a trusted proxy, or a token for one.
export async function browserOf(browser, base, headers, { size = 'desk', colorScheme = 'light', ...more } = {}) {
  const [width, height] = SIZES[size];
  const context = await browser.newContext({
    baseURL: base,
    viewport: { width, height },
    colorScheme,
    extraHTTPHeaders: headers,
    ...more,
  });
  const page = await context.newPage();
  page.complaints = [];
  page.on('pageerror', (fault) => page.complaints.push(String(fault)));
  page.on('dialog', (dialog) => page.complaints.push(`a dialog: ${dialog.message()}`));
  page.on('console', (message) => {
    // That a page's own status is no success is said there too.
    if (!message.text().startsWith('Failed to load resource')) page.complaints.push(message.text());
  });
  await page.addInitScript(watch);
  return page;
}

// From a refusal's link to the request that waits: says how long (one of the offered durations, as it is written), why, and sends it.
export async function request(page, { path, duration, reason, emergency = false }) {
  if (path) await page.goto(path);
  if (duration) await page.getByRole('radio', { name: duration, exact: true }).check();
  await page.getByLabel('Why', { exact: true }).fill(reason);
  if (emergency) await page.getByRole('checkbox', { name: /emergency/ }).check();
  await page.getByRole('button', { name: 'Send request' }).click();
  await page.waitForURL(/\/requests\//);
}

// Says yes to what someone asks for.
export async function approve(page, { action, resource, who }) {
  await page.goto('/approvals');
  await page.getByRole('button', { name: `Approve ${action} on ${resource} for ${who}` }).click();
  await page.getByRole('status').filter({ hasText: 'You approved' }).waitFor();
}

// Says no, and why.
export async function deny(page, { action, resource, who, reason }) {
  await page.goto('/approvals');
  await page.locator('summary', { hasText: 'Deny' }).and(page.getByLabel(`Deny ${action} on ${resource} for ${who}`)).click();
  await page.getByLabel(`Why, for ${who} and the record`).fill(reason);
  await page.getByRole('button', { name: 'Deny the request' }).click();
  await page.getByRole('status').filter({ hasText: 'You denied' }).waitFor();
}

// Waits until an open page of a request tells this, by itself.
export async function told(page, title) {
  await page.getByRole('heading', { name: title }).waitFor();
}

// An administrator takes back one grant.
export async function revoke(page, { action, resource, who, reason }) {
  await page.goto('/grants/all');
  const row = page.getByRole('row').filter({ has: page.getByLabel(`Revoke ${action} on ${resource} of ${who}`) });
  await row.locator('summary').click();
  await row.getByLabel('Why, for the record').fill(reason);
  await row.getByRole('button', { name: 'Revoke this grant' }).click();
  await page.getByRole('status').filter({ hasText: 'revoked' }).waitFor();
}

// The switch for an incident.
export async function revokeEverything(page, reason) {
  await page.goto('/grants/all');
  const form = page.getByRole('form', { name: 'Everything' });
  await form.getByLabel(/^Type/).fill('everything');
  await form.getByLabel('Why, for the record').fill(reason);
  await form.getByRole('button', { name: 'Revoke everything' }).click();
  await page.getByRole('status').filter({ hasText: 'Everything is revoked' }).waitFor();
}

import type { Browser, Page } from 'playwright-core';
import { asOperator } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import { request } from '../support/request.ts';

/** A link that is good once, as `fig open --print` prints it. */
export async function linkOf(system: System): Promise<string> {
  const admin = system.urls['admin'] ?? '';
  const headers = asOperator(system);
  const { body } = await request<{ path: string }>('POST', `${admin}/links`, { headers });
  return admin + body.path;
}

/** A browser that an operator has let in, at the console's overview. */
export async function openConsole(
  system: System,
  browser: Browser,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  await page.goto(await linkOf(system));
  await page.getByRole('heading', { name: 'inventory' }).waitFor();
  return page;
}

/** Has the page give an order: looks at its dry run, asks, and waits until it is answered. */
export async function giveOrder(page: Page, label: string): Promise<void> {
  const offer = page.locator('.offer');
  await offer.getByRole('button', { name: `${label} …` }).click({ timeout: 20_000 });
  await offer.getByRole('button', { name: `Yes: ${label}` }).click();
}

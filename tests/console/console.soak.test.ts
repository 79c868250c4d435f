import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import type { Locator, Page, Route } from 'playwright-core';
import type { System } from '../../system/index.ts';
import { startChromium } from '../browser/chromium.ts';
import { eventually, withSystem } from '../support/index.ts';
import { fig } from '../system/fig-commands.ts';
import { withCustomers } from './customers.ts';
import { giveOrder, linkOf, openConsole } from './open-console.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SLOW = { timeout: 60_000 };

/** A whole system with a page of the console; whatever the page logs as an error fails the test. */
function withConsole(
  use: (page: Page, system: System) => Promise<void>,
  options: Parameters<typeof openConsole>[2] = {},
): Promise<void> {
  // The last step may be taken at once.
  const variables = { FIG_SOAK_MS: '0', FIG_QUIET_MS: '0' };
  return withSystem({ variables }, async (system) => {
    const browser = await startChromium([]);
    const broken: string[] = [];
    try {
      const page = await openConsole(system, browser, options);
      page.on('pageerror', ({ message }) => broken.push(message));
      page.on('console', (message) => {
        if (/Content Security Policy|Content-Security-Policy/.test(message.text())) {
          broken.push(message.text());
        }
      });
      await use(page, system);
    } finally {
      await browser.close();
    }
    expect(broken).toEqual([]);
  });
}

async function open(page: Page, path: string): Promise<void> {
  await page.goto(new URL(`/console/${path}`, page.url()).href);
  await page.locator('h1').waitFor();
}

/** Chooses an action, and gives its order. */
async function order(page: Page, label: string): Promise<void> {
  const other = page.locator('.others').getByRole('button', { name: label, exact: true });
  const heading = page.locator('.offer h3', { hasText: label });
  await eventually(async () => expect((await other.count()) + (await heading.count())).toBe(1));
  if ((await other.count()) > 0) await other.click();
  await giveOrder(page, label);
}

interface StatusDocument {
  readonly capabilities: readonly {
    readonly capability: string;
    readonly owner: string;
    readonly epoch: number;
    readonly stage: string;
    readonly lag: { readonly changes: number };
    readonly backfill: { readonly rows: number };
  }[];
  readonly facades: readonly {
    readonly traffic: readonly {
      readonly capability: string;
      readonly side: string;
      readonly requests: number;
    }[];
  }[];
}

async function statusOf(system: System): Promise<StatusDocument> {
  return JSON.parse((await fig(system, 'status --json')).stdout) as StatusDocument;
}

function factOf(page: Page, name: string): Promise<string> {
  return page
    .locator('.facts div', { has: page.locator(`dt:text-is("${name}")`) })
    .locator('dd')
    .innerText();
}

/** What axe finds of weight: serious and critical. */
async function seriousIn(page: Page): Promise<readonly string[]> {
  // By the debugger, not by a script of the page: its content policy stays as it is.
  await page.evaluate(AXE);
  return page.evaluate<string[]>(`axe.run().then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html.slice(0, 120) + ' ' + failureSummary).join(' | ')))`);
}

/** A dry run that fails meanwhile takes the "Yes" away; one that fails after a newer one answered does not. */
async function expectNoYesWhileRefused(page: Page, sure: Locator): Promise<void> {
  const orders = '**/engine/completions';
  const again = page.locator('.offer').getByRole('button', { name: 'look again' });
  await sure.and(page.locator(':enabled')).waitFor();
  await page.route(orders, (asked) => asked.abort());
  await again.click();
  await sure.and(page.locator(':disabled')).waitFor();
  await page.unroute(orders);
  const held = new Promise<Route>((resolve) => {
    void page.route(orders, (asked) => resolve(asked), { times: 1 });
  });
  await again.click();
  const older = await held;
  await again.click();
  await sure.and(page.locator(':enabled')).waitFor();
  const failed = page.waitForEvent('requestfailed');
  await older.abort();
  await failed;
  await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))');
  expect(await sure.isEnabled()).toBe(true);
}

describe('the console, in Chromium', () => {
  it(
    'moves a capability out, back, and out for good by the page alone, while orders run',
    () =>
      withConsole(async (page, system) => {
        const offer = page.locator('.offer');
        const customers = await withCustomers(system, { customers: 3, thinkMs: 50 }, async () => {
          await page.getByRole('link', { name: 'inventory' }).click();
          // Too early: it says why, and what mends it.
          await page
            .locator('.others')
            .getByRole('button', { name: 'Switch to extracted' })
            .click();
          await offer.getByText('extracted has no complete copy of the data').first().waitFor(SLOW);
          expect(
            await offer.getByRole('button', { name: 'Switch to extracted …' }).isDisabled(),
          ).toBe(true);
          await offer.getByRole('button', { name: 'Copy', exact: true }).first().click();
          await offer.locator('.steps').getByText('keep it one').waitFor();
          await giveOrder(page, 'Copy');
          await page.locator('.facts').getByText('whole').waitFor(SLOW);
          await order(page, 'Compare answers: 100 %');
          await page.locator('.path .done', { hasText: 'shadow' }).waitFor(SLOW);
          await page
            .locator('.others')
            .getByRole('button', { name: /^Read from extracted/ })
            .or(page.locator('.offer h3', { hasText: 'Read from extracted' }))
            .first()
            .waitFor();
          const ramp = page
            .locator('.others')
            .getByRole('button', { name: /^Read from extracted/ });
          if ((await ramp.count()) > 0) await ramp.click();
          await page.locator('.shares').getByRole('button', { name: '100 %' }).click();
          await giveOrder(page, 'Read from extracted: 100 %');
          await page.locator('.path .done', { hasText: 'ramp' }).waitFor(SLOW);
          await order(page, 'Compare all rows');
          await page.locator('.path .done', { hasText: 'compare' }).waitFor(SLOW);
          await order(page, 'Switch to extracted');
          await page.locator('.stage', { hasText: 'switched' }).waitFor(SLOW);
          expect((await statusOf(system)).capabilities[0]).toMatchObject({
            owner: 'extracted',
            epoch: 2,
          });
          await eventually(async () =>
            expect(await factOf(page, 'owner')).toMatch(/^extracted epoch 2/),
          );
          await order(page, 'Reverse to legacy');
          await page.locator('.stage', { hasText: 'reading' }).waitFor(SLOW);
          await order(page, 'Compare all rows');
          await page.locator('.path .done', { hasText: 'compare' }).waitFor(SLOW);
          await order(page, 'Switch to extracted');
          await page.locator('.stage', { hasText: 'switched' }).waitFor(SLOW);
        });
        expect(customers.unanswered).toEqual([]);
        expect([...customers.answers.keys()].filter((status) => status >= 500)).toEqual([]);
        // A gate of the last step is closed, and its remedy is a button.
        await page
          .locator('.others')
          .getByRole('button', { name: 'Complete', exact: true })
          .click();
        await offer
          .locator('.closed')
          .getByRole('button', { name: 'Stop comparing answers' })
          .click();
        await giveOrder(page, 'Stop comparing answers');
        await page.locator('.facts').getByText('shadow 0 %').waitFor(SLOW);
        // What can't be undone asks for the name.
        await page
          .locator('.others')
          .getByRole('button', { name: 'Complete', exact: true })
          .click();
        await eventually(
          async () => {
            await offer.getByRole('button', { name: 'look again' }).click();
            expect(await offer.locator('.gates .closed').allInnerTexts()).toEqual([]);
            expect(await offer.getByRole('button', { name: 'Complete …' }).isEnabled()).toBe(true);
          },
          { timeoutMs: 60_000, intervalMs: 1_000 },
        );
        await offer.getByRole('button', { name: 'Complete …' }).click();
        const sure = offer.getByRole('button', { name: 'Yes: Complete' });
        expect(await sure.isDisabled()).toBe(true);
        await offer.getByRole('textbox', { name: /undone/ }).fill('payment');
        expect(await sure.isDisabled()).toBe(true);
        await offer.getByRole('textbox', { name: /undone/ }).fill('inventory');
        await expectNoYesWhileRefused(page, sure);
        await sure.click();
        await page.locator('.stage', { hasText: 'complete' }).waitFor(SLOW);
        await open(page, 'handovers');
        expect(await page.locator('tbody tr').count()).toBe(3);
        expect(await page.locator('.timeline .lane .bar').count()).toBeGreaterThan(3);
      }),
    600_000,
  );

  it(
    'shows the figures of fig status, and says how old they are once it hears nothing',
    () =>
      withConsole(async (page, system) => {
        await withCustomers(system, { customers: 2, thinkMs: 20 }, async ({ answers }) => {
          await fig(system, 'backfill inventory');
          await eventually(() => expect(answers.get(200) ?? 0).toBeGreaterThan(100), {
            timeoutMs: 60_000,
          });
        });
        await open(page, 'capabilities/inventory');
        await eventually(async () => {
          const { capabilities, facades } = await statusOf(system);
          const [status] = capabilities;
          const requests = facades[0]?.traffic.find(
            ({ capability, side }) => capability === 'inventory' && side === 'legacy',
          )?.requests;
          const said = (value: number | undefined): string =>
            String(value?.toLocaleString('en')).replaceAll(',', ' ');
          expect(await factOf(page, 'owner')).toBe(`${status?.owner} epoch ${status?.epoch}`);
          expect(await factOf(page, 'legacy so far')).toContain(`${said(requests)} requests`);
          expect(await factOf(page, 'copy')).toBe(`whole, ${said(status?.backfill.rows)} rows`);
          expect(await factOf(page, 'lag')).toMatch(new RegExp(`^${status?.lag.changes} row`));
        });
        // The engine alone: traffic stays live.
        system.pause('engine');
        await page.getByText('The engine does not answer').waitFor(SLOW);
        expect(await page.locator('.offer button.main').isDisabled()).toBe(true);
        system.resume('engine');
        await page.getByText('The engine does not answer').waitFor({ ...SLOW, state: 'hidden' });
        // The facade: it is started again, and knows no sessions any more.
        system.pause('facade');
        await page.locator('.page.stale').waitFor(SLOW);
        await page.getByText(/Figures are those of .*, \d+(\.\d)? s old/).waitFor();
        system.resume('facade');
        await page.locator('.page:not(.stale)').waitFor(SLOW);
        await system.kill('facade');
        await page.getByText('This browser is not let in any more').waitFor(SLOW);
        expect(await page.locator('.page.stale').count()).toBe(1);
        const again = await page.context().newPage();
        await again.goto(await linkOf(system));
        await page.locator('.page:not(.stale)').waitFor(SLOW);
        await page.locator('.connection.live').waitFor(SLOW);
      }),
    400_000,
  );

  it(
    'can be used by keys alone, and by those who hear it',
    () =>
      withConsole(async (page, system) => {
        await fig(system, 'backfill inventory');
        for (const [keys, heading] of [
          ['h', 'Handovers'],
          ['d', 'Differences'],
          ['e', 'Explain'],
          ['a', 'Audit'],
          ['1', 'inventory'],
        ] as const) {
          await page.keyboard.press('g');
          await page.keyboard.press(keys);
          await page.locator('h1', { hasText: heading }).waitFor();
          // The stream of events keeps the network busy for good: what the view reads itself is waited for.
          await page.locator('p', { hasText: /^reading .*…$/ }).waitFor({ state: 'hidden' });
          expect([heading, await seriousIn(page)]).toEqual([heading, []]);
        }
        await page.keyboard.press('/');
        await page.keyboard.type('pay');
        await page.keyboard.press('Enter');
        await page.locator('h1', { hasText: 'payment' }).waitFor();
        await page.keyboard.press('?');
        await page.getByRole('dialog', { name: 'keys' }).waitFor();
        expect(await seriousIn(page)).toEqual([]);
        await page.keyboard.press('Escape');
        await page.keyboard.press('g');
        await page.keyboard.press('o');
        await page.locator('.row').first().waitFor();
        expect(await seriousIn(page)).toEqual([]);
        await page.emulateMedia({ colorScheme: 'dark' });
        expect(await seriousIn(page)).toEqual([]);
        await open(page, 'capabilities/inventory');
        expect(await seriousIn(page)).toEqual([]);
        // An order by keys alone.
        await page.locator('.offer button.main:enabled').focus();
        await page.keyboard.press('Enter');
        await page.locator('.ask').waitFor();
        expect(await page.evaluate('document.activeElement.textContent')).toMatch(
          /^Yes: Compare answers/,
        );
        await page.keyboard.press('Enter');
        await page.locator('.path .done', { hasText: 'shadow' }).waitFor(SLOW);
      }),
    300_000,
  );

  it(
    'fits a phone',
    () =>
      withConsole(
        async (page, system) => {
          await fig(system, 'backfill inventory');
          for (const path of [
            '',
            'capabilities/inventory',
            'handovers',
            'differences',
            'explain',
            'audit',
          ]) {
            await page.goto(`${system.urls['admin']}/console/${path}`);
            await page.locator('h1, .row').first().waitFor();
            const width = await page.evaluate<number>('document.documentElement.scrollWidth');
            expect([path, width]).toEqual([path, 390]);
          }
          await page.goto(`${system.urls['admin']}/console/capabilities/inventory`);
          await giveOrder(page, 'Compare answers: 100 %');
          await page.locator('.path .done', { hasText: 'shadow' }).waitFor(SLOW);
        },
        { viewport: { width: 390, height: 844 } },
      ),
    300_000,
  );
});

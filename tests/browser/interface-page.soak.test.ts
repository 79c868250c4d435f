import { expect, it } from '@jest/globals';
import { withSystem } from '../support/index.ts';
import { startChromium } from './chromium.ts';

it(
  'shows both versions of the interface and tries them, with nothing from elsewhere',
  () =>
    withSystem({}, async ({ urls }) => {
      const browser = await startChromium([]);
      try {
        const page = await browser.newPage();
        const faults: string[] = [];
        const asked: string[] = [];
        page.on('console', (message) => {
          if (message.type() === 'error') faults.push(message.text());
        });
        page.on('pageerror', (error) => faults.push(error.message));
        page.on('request', (request) => asked.push(request.url()));
        const facade = urls['facade'] ?? '';
        await page.goto(`${facade}/docs`);
        await page.getByText('/inventory/{sku}', { exact: true }).first().waitFor();
        await page.locator('#select').selectOption('/openapi/v2.json');
        await page.getByText('2.0.0').waitFor();
        await page.locator('#operations-inventory-listInventory').click();
        await page.getByRole('button', { name: 'Try it out' }).click();
        const answered = page.waitForResponse((answer) => answer.url().includes('/api/v2/'));
        await page.getByRole('button', { name: 'Execute' }).click();
        const answer = await answered;
        expect(answer.status()).toBe(200);
        const { items } = (await answer.json()) as { items: readonly object[] };
        expect(items[0]).toHaveProperty('level.onHand');
        expect(faults).toEqual([]);
        expect(
          asked.filter((url) => !url.startsWith(facade) && !/^(data|blob):/.test(url)),
        ).toEqual([]);
      } finally {
        await browser.close();
      }
    }),
  180_000,
);

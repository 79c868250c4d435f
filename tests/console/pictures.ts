import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import type { Page } from 'playwright-core';
import { sqliteFile } from '../../chassis/index.ts';
import { projectRoot, startSystem, withoutSystem } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import { request } from '../support/request.ts';
import { startChromium } from '../browser/chromium.ts';
import { withCustomers } from './customers.ts';
import { openConsole } from './open-console.ts';

const HELP = `Usage: npm run pictures

Takes docs/pictures/*.png anew: starts a system with customers who order, moves a capability, and
photographs the console in Debian's Chromium, which it installs with apt-get where it is missing.

It takes 2 minutes on two cores.

Exit: 0 when all were taken, 1 when something failed.
`;
if (process.argv.includes('--help') || process.argv.includes('-h')) {
  process.stdout.write(HELP);
  process.exit(0);
}

const FOLDER = join(projectRoot, 'docs', 'pictures');
const DESK = { width: 1280, height: 640 };
const PHONE = { width: 390, height: 844 };
/** So long a page shows what happens before its picture is taken: a few steps of its stream. */
const SETTLED_MS = 4_000;
const run = promisify(execFile);

const dataDir = await mkdtemp(join(tmpdir(), 'fig-pictures-'));
const env = { ...withoutSystem(process.env), FIG_CONTRACT: 'off' };
const system = await startSystem({ dataDir, ports: 'free', env });
const browser = await startChromium([]);
try {
  const page = await openConsole(system, browser, { viewport: DESK });
  await withCustomers(system, { customers: 4, thinkMs: 40 }, async () => {
    await fig('backfill inventory');
    await fig('shadow inventory 100');
    await fig('ramp inventory 50');
    await fig('reconcile inventory');
    await page.waitForTimeout(30_000);
    await take(page, 'overview', '', 'light');
    await take(page, 'overview-dark', '', 'dark');
    await take(page, 'overview-390', '', 'light', PHONE);
    await fig('ramp inventory 100');
    await fig('reconcile inventory');
    await page.waitForTimeout(10_000);
    await take(page, 'capability', 'capabilities/inventory', 'light');
    await take(page, 'capability-dark', 'capabilities/inventory', 'dark');
    await fig('switch inventory');
    await fig('reverse inventory');
    await take(page, 'handover', 'handovers', 'light');
  });
  await differ(system);
  for (let count = 0; count < 12; count += 1) {
    const headers = { 'x-customer-id': 'CORK' };
    await request('GET', `${system.urls['facade']}/api/inventory/SHIP-002`, { headers });
  }
  // It ends with 1, since the sides differ.
  await fig('reconcile inventory').catch(() => undefined);
  await take(page, 'differences', 'differences', 'light');
  for (const name of (await readdir(FOLDER)).filter((file) => file.endsWith('.png'))) {
    console.log(`${name}: ${Math.round((await stat(join(FOLDER, name))).size / 1_000)} KB`);
  }
} finally {
  await browser.close();
  await system.stop();
  await rm(dataDir, { recursive: true, force: true });
}

async function fig(line: string): Promise<void> {
  await run(process.execPath, [join(projectRoot, 'bin', 'fig'), ...line.split(' ')], {
    env: { PATH: process.env['PATH'], FIG_DATA_DIR: dataDir, FIG_YES: '1' },
  });
}

async function take(
  page: Page,
  name: string,
  path: string,
  colorScheme: 'light' | 'dark',
  size: { readonly width: number; readonly height: number } = DESK,
): Promise<void> {
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme });
  await page.goto(`${system.urls['admin']}/console/${path}`);
  await page.waitForTimeout(SETTLED_MS);
  await page.screenshot({ path: join(FOLDER, `${name}.png`), fullPage: size === PHONE });
}

/** Changes rows of the side that follows behind Fig's back, so that answers and rows differ. */
async function differ({ env: variables }: System): Promise<void> {
  const database = new Database(sqliteFile(variables['INVENTORY_DATABASE_URL'] ?? ''));
  try {
    const triggers = database
      .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?")
      .all('stock_levels') as { readonly name: string; readonly sql: string }[];
    database.transaction(() => {
      for (const { name } of triggers) database.exec(`DROP TRIGGER "${name}"`);
      database.exec("UPDATE stock_levels SET on_hand = on_hand + 3 WHERE sku = 'SHIP-002'");
      for (const { sql } of triggers) database.exec(sql);
    })();
  } finally {
    database.close();
  }
}

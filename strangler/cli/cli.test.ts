import { describe, expect, it } from '@jest/globals';
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, withTempDir } from '../../tests/support/index.ts';
import { flagsFileOf, withEngine } from '../testing/engine.ts';
import { figFor, terminal, withFig } from '../testing/fig.ts';
import { withSides } from '../testing/sides.ts';
import type { Prompt } from '../testing/sides.ts';

const TIME = '2026-01-01 00:00:00.000';

function objects(prompt: Prompt): unknown[] {
  return prompt.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name').all();
}

describe('fig', () => {
  it('takes a capability out and back, naming the next command each time', () =>
    withFig(async (fig, _running, sides) => {
      expect((await fig('status')).stdout).toMatch(/shop {2}legacy {2}owner legacy, epoch 1\n/);
      expect((await fig('status shop')).stdout).toMatch(/next +fig backfill shop\n$/);
      expect(await fig('status shopp')).toMatchObject({ code: 2 });
      expect(await fig('backfill shop')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^shop: 4 rows copied in .+\nnext: fig shadow shop 100\n$/),
      });
      expect(await fig('flags set shop.shadow 100')).toMatchObject({
        code: 0,
        stdout: 'shop.shadow is 100 %\n',
      });
      await fig('flags set shop.reads 25');
      expect((await fig('flags')).stdout).toBe(
        'shop.shadow  100 %\nshop.reads   25 %\nshop.writes  off\n',
      );
      await eventually(async () => {
        expect((await fig('status')).stdout).toContain('shadow 100 %, reads 25 %, writes off');
      });
      expect((await fig('reconcile shop')).stdout).toMatch(/levels +2 rows +equal\n/);
      expect((await fig('switch shop --dry-run')).stdout).toMatch(/5\. .*the commit point\n/);
      expect(await fig('switch shop')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(
          /hold +at .+\n +close +at(.+\n)+shop now belongs to extracted \(epoch 2\); writes were held for [\d.]+ ms\nway back: fig reverse shop\n$/,
        ),
      });
      expect((await fig('switch shop')).stdout).toContain('already belongs to extracted');
      expect((await fig('flags')).stdout).toContain('shop.writes  on');
      expect(() => sides.legacy.exec('UPDATE STOCK SET QTY = 1')).toThrow(/FENCED/);
      expect(await fig('reverse shop')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('shop now belongs to legacy (epoch 3)'),
      });
      const told = (await fig('journal shop')).stdout;
      expect(told).toMatch(/shop {2}legacy -> extracted {2}epoch 2, position \d+ .+ done, hold/);
      expect(told).toMatch(/cede +closed 2 -> ceded 2\n/);
      expect(told).toMatch(/extracted -> legacy {2}epoch 3/);
    }));

  it('prints JSON with a version for scripts, and only that', () =>
    withFig(async (fig) => {
      const json = async (line: string): Promise<unknown> => JSON.parse((await fig(line)).stdout);
      expect(await json('status --json')).toMatchObject({
        schemaVersion: 1,
        source: 'engine',
        capabilities: [
          { capability: 'shop', stage: 'legacy', lag: { changes: expect.any(Number) } },
        ],
      });
      expect(await json('switch shop --json')).toMatchObject({
        schemaVersion: 1,
        error: { code: 'gate_refused', gate: 'backfill' },
        next_steps: [
          {
            command: 'fig backfill shop',
            reason: 'extracted has no complete copy of the data',
          },
        ],
      });
      expect(await json('backfill shop --json')).toMatchObject({ state: 'done', rows: 4 });
      expect(await json('reconcile shop --json')).toMatchObject({ clean: true, rows: [] });
      expect(await json('flags --json')).toMatchObject({ flags: { 'shop.reads': 0 } });
      expect(await json('flags set shop.reads 5 --json')).toMatchObject({ share: 5 });
      expect(await json('switch shop --json')).toMatchObject({
        outcome: 'done',
        epoch: 2,
        holdMs: expect.any(Number),
        next_steps: [{ command: 'fig reverse shop', reason: 'the way back' }],
      });
      expect(await json('journal --json')).toMatchObject({
        handovers: [{ outcome: 'done', steps: expect.any(Array) }],
      });
    }));

  it('shows rows that differ, and fails', () =>
    withFig(async (fig, _running, sides) => {
      await fig('backfill shop');
      // By hand, past the fence: what no feed has seen.
      sides.extracted.exec('UPDATE fig_clock SET applying = 1');
      sides.extracted.exec("UPDATE levels SET on_hand = 99 WHERE sku = 'b'");
      sides.extracted.exec('UPDATE fig_clock SET applying = 0');
      const { code, stdout, stderr } = await fig('reconcile shop');
      expect(code).toBe(1);
      expect(stdout).toMatch(/levels .+1 different/);
      expect(stdout).toMatch(/different in levels: \["b"\] \(on_hand\)/);
      expect(stderr).toContain('the sides of shop differ');
      expect(stderr).toContain('next: fig reconcile shop --repair');
      expect(await fig('switch shop')).toMatchObject({ code: 3 });
      expect(await fig('reconcile shop --repair')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(
          /1 row of the owner brought over once more\nnext: fig reconcile shop\n$/,
        ),
      });
      expect(await fig('reconcile shop --sample 10')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('a sample of 10 %, which is no proof'),
      });
      expect(await fig('switch shop')).toMatchObject({ code: 3 });
      expect(await fig('reconcile shop')).toMatchObject({ code: 0 });
      expect(await fig('switch shop')).toMatchObject({ code: 0 });
    }));

  it('checks a mapping against the databases, without an engine, and refuses it with a row', () =>
    withSides(async (sides) => {
      const fig = await figFor(sides, 'http://127.0.0.1:9');
      sides.legacy.exec("INSERT INTO STOCK (SKU, QTY, RSV) VALUES ('a', 5, 0)");
      expect(await fig('check')).toMatchObject({
        code: 0,
        stdout:
          'shop  fits\n  1 row of legacy and 0 rows of extracted go there and back unchanged\n',
        stderr: expect.stringContaining('shop: 1 of 1 row of legacy STOCK\n'),
      });
      sides.legacy.exec(`INSERT INTO PAY VALUES ('p1', '7', 'P', '${TIME}', '${TIME}')`);
      expect(await fig('check shop')).toMatchObject({
        code: 3,
        stdout: expect.stringContaining(
          "no_way: legacy PAY.AMT: AMT: '7' is not a decimal such as '12.33' (row PAY_NO 'p1')",
        ),
        stderr: expect.stringContaining('the mapping of shop can'),
      });
      expect(JSON.parse((await fig('check --json')).stdout)).toMatchObject({
        schemaVersion: 1,
        capabilities: [
          {
            capability: 'shop',
            ok: false,
            findings: [{ code: 'no_way', column: 'PAY.AMT', counterexample: "PAY_NO 'p1'" }],
          },
        ],
      });
    }));

  it('prints beforehand exactly what the engine will create', () =>
    withSides(async (sides) => {
      const { stdout } = await (await figFor(sides, 'http://127.0.0.1:9'))('check shop --ddl');
      expect(stdout).toContain(`-- needs: read and write ${sides.legacy.name}`);
      // What is printed is SQL that can be run as it is.
      const [legacy = '', extracted = ''] = stdout.split(/^-- shop, extracted.*$/m);
      await withSides(async (others) => {
        others.legacy.exec(legacy);
        others.extracted.exec(extracted);
        await withEngine(sides, {}, async ({ status }) => {
          await eventually(async () => expect((await status()).standing.as).toBe('leader'));
          expect(objects(sides.legacy)).toEqual(objects(others.legacy));
          expect(objects(sides.extracted)).toEqual(objects(others.extracted));
        });
      });
    }));

  it('tells the state without an engine, from the databases', () =>
    withSides(async (sides) => {
      const fig = await withEngine(sides, {}, async ({ status, url }) => {
        await eventually(async () => expect((await status()).standing.as).toBe('leader'));
        return figFor(sides, url);
      });
      expect(await fig('status')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(
          /^no engine answers at .+ databases say\n\nshop {2}legacy {2}owner/,
        ),
      });
      expect(await fig('switch shop')).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/no engine answers at .+\nnext: npm start\n$/),
      });
      expect((await fig('journal')).stdout).toBe('no handovers yet\n');
    }));

  it('gives up in time when the engine can not act', () =>
    withSides((sides) => {
      const urls = { ...sides.urls, extracted: `${sides.urls.extracted}.missing` };
      return withEngine({ ...sides, urls }, {}, async ({ url }) => {
        const fig = await figFor({ ...sides, urls }, url);
        expect(await fig('backfill shop --timeout 0.3')).toMatchObject({
          code: 4,
          stderr: expect.stringContaining("the extracted database can't be opened"),
        });
      });
    }));

  it('parks a change that can not be applied, and takes it back up when its row was mended', () =>
    withFig(async (fig, running, sides) => {
      await fig('backfill shop');
      await fig('reconcile shop');
      expect((await fig('parked')).stdout).toBe('nothing is parked\n');
      sides.legacy.exec(`INSERT INTO PAY VALUES ('p1', '7', 'S', '${TIME}', '${TIME}');
        INSERT INTO RFND VALUES ('r1', 'p1', '1.00', 'P', '${TIME}', '${TIME}');
        UPDATE STOCK SET QTY = 99 WHERE SKU = 'b'`);
      await eventually(() =>
        expect(sides.extracted.prepare('SELECT max(on_hand) FROM levels').pluck().get()).toBe(99),
      );
      // What the other side has not got is no answer to whoever wrote it.
      expect(await running.call('GET', '/barrier/shop')).toMatchObject({
        status: 503,
        body: { code: 'changes_parked' },
      });
      await eventually(async () => {
        const { body } = await running.call('GET', '/routing');
        expect(body).toMatchObject({ capabilities: [{ replicaReady: false }] });
      });
      expect((await fig('status')).stdout).toMatch(
        /parked +2 changes, the first .+: AMT: '7' is not a decimal[^]+next +fig parked list shop/,
      );
      expect(running.lines.join('')).toContain("a change can't be applied and is parked");
      expect(await fig('switch shop')).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(/could not take.+\nnext: fig parked list shop\n$/),
      });
      expect((await fig('parked list shop')).stdout).toMatch(
        /^shop +1 +payments \["p1"\] +2 changes +just now +AMT: '7' .+\nmend the owner's row, then: fig parked retry shop\n$/,
      );
      expect((await fig('parked show shop 1')).stdout).toMatch(
        /payments \["p1"\] {2}tried 1 time: AMT.+\n +\d+ +upsert +PAY +\{"PAY_NO":"p1","AMT":"7".+\n +\d+ +upsert +RFND/,
      );
      expect(await fig('parked retry shop')).toMatchObject({
        code: 1,
        stdout: expect.stringContaining('0 aggregates of 1 applied'),
      });
      expect(await fig('parked skip shop 1')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('next: fig parked skip shop 1 --yes'),
      });
      expect(await fig('parked skip shop 7 --yes')).toMatchObject({ code: 2 });
      sides.legacy.exec(`UPDATE PAY SET AMT = '7.00' WHERE PAY_NO = 'p1'`);
      expect(await fig('parked retry shop 1')).toMatchObject({
        code: 0,
        stdout: '1 aggregate of 1 applied\n',
      });
      expect(await fig('switch shop')).toMatchObject({ code: 0 });
      expect(sides.extracted.prepare('SELECT count(*) FROM entries').pluck().get()).toBe(2);
    }));

  it('skips what is parked when that is meant, and the comparison then says so', () =>
    withFig(async (fig, _running, sides) => {
      await fig('backfill shop');
      sides.legacy.exec(`INSERT INTO PAY VALUES ('p1', '7', 'S', '${TIME}', '${TIME}')`);
      await eventually(async () => expect((await fig('parked')).stdout).toContain('p1'));
      expect(await fig('parked skip shop 1 --yes')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(
          /^1 change of payments \["p1"\] skipped; .+\nnext: fig reconcile shop\n$/,
        ),
      });
      expect((await fig('reconcile shop')).stdout).toContain('different in payments: ["p1"]');
    }));

  it('takes a handover back when its last changes can not be applied', () =>
    withFig(async (fig, { engine }, sides) => {
      await fig('backfill shop');
      await fig('reconcile shop');
      const { plane } = engine.stewards.get('shop') ?? {};
      // Committed after the gates have been looked at, before the fence closes.
      const fence = plane?.sides.legacy.store;
      const step = fence?.beginHandover.bind(fence);
      Object.assign(fence ?? {}, {
        beginHandover: async (...given: Parameters<NonNullable<typeof step>>) => {
          sides.legacy.exec(`INSERT INTO PAY VALUES ('p1', '7', 'S', '${TIME}', '${TIME}')`);
          return step?.(...given);
        },
      });
      expect(await fig('switch shop')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('changes that extracted could not take are parked there'),
      });
      expect((await fig('status')).stdout).toContain('owner legacy, epoch 3');
      sides.legacy.exec(`UPDATE PAY SET AMT = '7.00'`);
      expect(await fig('parked retry shop')).toMatchObject({ code: 0 });
    }));

  it('removes every trace from both databases, and leaves the schemas as they were', () =>
    withSides(async (sides) => {
      const schemas = (): unknown =>
        [sides.legacy, sides.extracted].map((prompt) =>
          prompt.prepare('SELECT * FROM sqlite_schema').all(),
        );
      sides.legacy.exec("INSERT INTO STOCK (SKU, QTY, RSV) VALUES ('a', 5, 0)");
      const before = schemas();
      const fig = await withEngine(sides, {}, async ({ status, url }) => {
        await eventually(async () => expect((await status()).standing.as).toBe('leader'));
        const running = await figFor(sides, url);
        for (const line of ['backfill shop', 'reconcile shop', 'switch shop']) {
          expect(await running(line)).toMatchObject({ code: 0 });
        }
        expect(await running('uninstall --yes')).toMatchObject({
          code: 3,
          stderr: expect.stringMatching(
            /an engine answers at .+; stop it first .+\nnext: fig uninstall\n/,
          ),
        });
        return running;
      });
      expect(await fig('uninstall')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('next: fig uninstall --yes'),
      });
      expect(await fig('uninstall shop --yes')).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(/legacy does not own shop: .+\nnext: fig reverse shop\n$/),
      });
      expect(schemas()).not.toEqual(before);
      // As a crash within a handover leaves it.
      sides.extracted.exec(`INSERT INTO fig_handover
        (id, capability, from_side, to_side, epoch, deadline, started_at)
        VALUES ('h', 'shop', 'extracted', 'legacy', 3, 0, 0)`);
      expect(await fig('uninstall --yes --strand-data')).toMatchObject({
        code: 3,
        stderr: expect.stringContaining('handover of shop from extracted to legacy is unfinished'),
      });
      sides.extracted.exec('DELETE FROM fig_handover');
      // Another engine, which the command does not know of.
      sides.legacy.exec(`UPDATE fig_lease SET holder = 'x', expires_at = 99999999999999`);
      expect(await fig('uninstall --yes --strand-data --json')).toMatchObject({ code: 3 });
      sides.legacy.exec('UPDATE fig_lease SET expires_at = 0');
      expect(await fig('uninstall --yes --strand-data')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('shop: removed from legacy and extracted'),
      });
      expect(schemas()).toEqual(before);
      expect((await fig('uninstall --yes')).stdout).toBe('shop: nothing of Fig was there\n');
      sides.legacy.exec('UPDATE STOCK SET QTY = 6');
    }));

  it('asks before it removes anything, where somebody is there to answer', () =>
    withSides(async (sides) => {
      const fig = await withEngine(sides, {}, async ({ status, url }) => {
        await eventually(async () => expect((await status()).standing.as).toBe('leader'));
        return figFor(sides, url);
      });
      expect(await fig('uninstall', {}, terminal('n'))).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/databases of shop\? \[y\/N\] .*nothing was changed/),
      });
      expect(await fig('uninstall', {}, terminal('y'))).toMatchObject({ code: 0 });
    }));

  it.each([
    ['stauts', /unknown command 'stauts'\n\(Did you mean status\?\)/],
    ['switch shopp', /there is no capability "shopp"; did you mean shop\?/],
    ['switch', /missing required argument 'capability'/],
    ['flags set shop.reeds 5', /there is no flag "shop.reeds"; did you mean shop.reads\?/],
    ['flags set shop.reads 101', /"101" is no value of shop.reads; give a whole share/],
    ['flags set shop.writes 50', /give on or off/],
    ['switch shop --timeout never', /Give a number of seconds/],
    ['', /Usage: fig/],
  ])('says what is wrong with "%s"', (line, message) =>
    withSides(async (sides) => {
      const fig = await figFor(sides, 'http://127.0.0.1:9');
      const { code, stderr } = await fig(line);
      expect(stderr).toMatch(message);
      expect(code).toBe(2);
    }),
  );

  it('has examples in its help', () =>
    withSides(async (sides) => {
      const fig = await figFor(sides, 'http://127.0.0.1:9');
      expect(await fig('--help')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/Examples:\n {2}fig status[^]+Exit codes: 0 done/),
      });
      expect((await fig('switch --help')).stdout).toContain('fig switch inventory --dry-run');
    }));

  it('leaves a damaged flag file alone', () =>
    withSides(async (sides) => {
      const fig = await figFor(sides, 'http://127.0.0.1:9');
      await writeFile(flagsFileOf(sides), '{');
      expect(await fig('flags set shop.reads 5')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('the flag file is damaged: it is not JSON'),
      });
      expect(await readFile(flagsFileOf(sides), 'utf8')).toBe('{');
    }));

  it('ends with 130 when it is interrupted', () =>
    withSides(async (sides) => {
      await figFor(sides, 'http://127.0.0.1:9');
      const main = fileURLToPath(new URL('main.ts', import.meta.url));
      const watching = fork(main, ['status', '-w'], {
        execArgv: ['--import', 'tsx'],
        env: { ...process.env, FIG_DATA_DIR: dirname(sides.legacy.name) },
        silent: true,
      });
      await once(watching.stdout as NodeJS.ReadableStream, 'data');
      watching.kill('SIGINT');
      expect(await once(watching, 'exit')).toEqual([130, null]);
    }));

  it('says so when nothing is built', () =>
    withTempDir(async (folder) => {
      await mkdir(join(folder, 'bin'));
      await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
      const copy = join(folder, 'bin', 'fig');
      await copyFile(fileURLToPath(new URL('../../bin/fig', import.meta.url)), copy);
      const ran = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
        execFile(process.execPath, [copy, 'status'], (error, _stdout, stderr) =>
          resolve({ code: error?.code, stderr }),
        );
      });
      expect(ran).toEqual({
        code: 1,
        stderr: 'fig is not built yet; run `npm run build` (or `npm start`) first\n',
      });
    }));
});

import { describe, expect, it } from '@jest/globals';
import { execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { built, eventually, inSoak, withTempDir } from '../../tests/support/index.ts';
import { flagsFileOf, withEngine } from '../../tests/strangler/support/engine.ts';
import { figFor, withFig } from '../../tests/strangler/support/fig.ts';
import { shopSchema } from '../../tests/strangler/support/shop.ts';
import { withSides } from '../../tests/strangler/support/sides.ts';
import type { Prompt } from '../../tests/strangler/support/sides.ts';

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
      expect(await fig('reconcile shop')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('next: fig backfill shop\n'),
      });
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
      // A row that the owner does not have is told from one that it has.
      sides.extracted.exec('UPDATE fig_clock SET applying = 1');
      sides.extracted.exec("INSERT INTO levels (sku, on_hand) VALUES ('nobodys', 1)");
      sides.extracted.exec('UPDATE fig_clock SET applying = 0');
      expect((await fig('reconcile shop --repair')).stdout).toContain(
        '\n1 row that the owner does not have removed from the other side\n',
      );
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

  it('waits for a copy that the engine goes on with after it lost its lease in the middle', () =>
    withFig(async (fig, { engine, status }, sides) => {
      sides.legacy.exec("INSERT INTO STOCK (SKU, QTY, RSV) VALUES ('c', 5, 0), ('d', 7, 1)");
      const copied = fig('backfill shop --rate 4');
      await eventually(async () => {
        const { backfill, backfillRun } = await status();
        expect([backfill.state, backfillRun?.running]).toEqual(['running', true]);
      });
      engine.controllers.get('shop')?.startOver();
      await eventually(async () => expect((await status()).standing.as).toBe('leader'));
      expect(await copied).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^shop: 8 rows/),
      });
      expect(await fig('reconcile shop')).toMatchObject({ code: 0 });
      expect((await fig('doctor')).stdout).not.toContain('reconcile_demanded');
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

  it.each([
    ['stauts', /unknown command 'stauts'\n\(Did you mean status\?\)/],
    ['switch shopp', /there is no capability "shopp"; did you mean shop\?/],
    ['switch', /missing required argument 'capability'/],
    ['flags set shop.reeds 5', /there is no flag "shop.reeds"; did you mean shop.reads\?/],
    ['flags set shop.reads 101', /invalid value "101" for shop.reads: expected a whole number/],
    ['flags set shop.writes 50', /expected on or off/],
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

  it('ends soon, in the words of the engine, where the mapping can not be used with a database', () =>
    withSides(
      (sides) =>
        withEngine(sides, {}, async ({ url }) => {
          const fig = await figFor(sides, url);
          for (const line of inSoak(
            ['backfill shop', 'switch shop', 'reconcile shop'],
            ['switch shop'],
          )) {
            const started = performance.now();
            const ran = await fig(line);
            expect({ line, ...ran }).toMatchObject({
              code: 3,
              stderr: expect.stringMatching(
                /no_table: legacy table STOCK: does not exist[^]+next: fig check shop\n$/,
              ),
            });
            expect(performance.now() - started).toBeLessThan(20_000);
          }
          // One whose tables are made a moment later is waited for.
          sides.legacy.exec(shopSchema.legacy);
          expect(await fig('backfill shop')).toMatchObject({ code: 0 });
        }),
      { ...shopSchema, legacy: 'CREATE TABLE other (k INT)' },
    ));

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
      const main = built(new URL('main.ts', import.meta.url));
      const watching = fork(main, ['status', '-w'], {
        env: { ...process.env, FIG_DATA_DIR: dirname(sides.legacy.name) },
        silent: true,
      });
      await once(watching.stdout as NodeJS.ReadableStream, 'data');
      watching.kill('SIGINT');
      expect(await once(watching, 'exit')).toEqual([130, null]);
    }));

  it('fails when its output can not be written, and quietly when nobody reads it', () =>
    withFig(async (_fig, _running, sides) => {
      const main = built(new URL('main.ts', import.meta.url));
      const run = (
        words: string,
        program = `"${process.execPath}" "${main}"`,
      ): Promise<{ code: number | null; stderr: string }> =>
        new Promise((resolve) => {
          const command = `${program} ${words}`;
          const env = { ...process.env, FIG_DATA_DIR: dirname(sides.legacy.name) };
          const shell = spawn('bash', ['-c', command], { env });
          let stderr = '';
          shell.stderr.on('data', (text) => (stderr += text));
          shell.once('close', (code) => resolve({ code, stderr }));
        });
      expect(await run('status > /dev/full')).toEqual({
        code: 1,
        stderr: expect.stringMatching(/^error: the output could not be written: .*ENOSPC/),
      });
      expect(
        await run('status >&-', `"${fileURLToPath(new URL('../../bin/fig', import.meta.url))}"`),
      ).toEqual({
        code: 1,
        stderr: 'fig: the standard output is closed, and nothing could be shown\n',
      });
      expect(await run('status | true; exit ${PIPESTATUS[0]}')).toEqual({ code: 141, stderr: '' });
    }));

  it('asks for the folder of a system that is there, and for the engine where it is', () =>
    withFig(async (fig, _running, sides) => {
      const folder = join(dirname(sides.legacy.name), 'mistyped');
      expect(await fig('status', { FIG_DATA_DIR: folder })).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`${folder}; give the one that npm start uses`),
      });
      expect(existsSync(folder)).toBe(false);
      await rm(join(dirname(sides.legacy.name), 'system.json'));
      const config = join(dirname(sides.legacy.name), 'fig.config.mjs');
      const stopped = { FIG_CONFIG: config, ENGINE_PORT: '1', FIG_FLAGS_FILE: flagsFileOf(sides) };
      expect(await fig('backfill shop', stopped)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('no engine answers at http://127.0.0.1:1'),
      });
    }));

  it('tells its version, and how long it waits in seconds', () =>
    withFig(async (fig) => {
      expect(await fig('--version')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^fig \d+\.\d+\.\d+\n$/),
      });
      const { stdout } = await fig('switch --help');
      expect(stdout.replace(/\s+/g, ' ')).toContain('may still be done (default: 30)');
    }));

  it('tells one length of a hold, in the command, the status and the journal', () =>
    withFig(async (fig) => {
      await fig('backfill shop');
      await fig('reconcile shop');
      const done = JSON.parse((await fig('switch shop --json')).stdout);
      const status = JSON.parse((await fig('status --json')).stdout);
      expect(done.holdMs).toBe(status.capabilities[0].lastHandover.holdMs);
    }));

  it('says so when nothing is built', () =>
    withTempDir(async (folder) => {
      const root = fileURLToPath(new URL('../..', import.meta.url));
      for (const part of ['package.json', 'bin', 'scripts']) {
        await cp(join(root, part), join(folder, part), { recursive: true });
      }
      const ran = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
        execFile(
          process.execPath,
          [join(folder, 'bin', 'fig'), 'status'],
          (error, _stdout, stderr) => resolve({ code: error?.code, stderr }),
        );
      });
      expect(ran).toEqual({
        code: 1,
        stderr: 'fig is not built yet; run `npm run build` (or `npm start`) first\n',
      });
    }));
});

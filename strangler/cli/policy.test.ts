import { afterAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import type { Command } from 'commander';
import { readFile, rm } from 'node:fs/promises';
import { eventually, temporaryPostgresDatabase } from '../../tests/support/index.ts';
import { AT_ONCE } from '../../tests/strangler/support/completion.ts';
import { flagsFileOf, withEngine } from '../../tests/strangler/support/engine.ts';
import { figFor, terminal, withFig } from '../../tests/strangler/support/fig.ts';
import type { Fig } from '../../tests/strangler/support/fig.ts';
import { shop } from '../../tests/strangler/support/shop.ts';
import { withSides } from '../../tests/strangler/support/sides.ts';
import {
  prepareTill,
  withPreparedTill,
  withTillEngine,
} from '../../tests/strangler/support/till-desk.ts';
import type { Prompt, Sides } from '../../tests/strangler/support/sides.ts';
import { createProgram } from './program.ts';

const TIME = '2026-01-01 00:00:00.000';
const monolith = await temporaryPostgresDatabase();
afterAll(() => monolith.drop());
/** Runs fig without a terminal, and without FIG_YES to answer for one. */
const NOBODY = { FIG_YES: '', MONOLITH_DATABASE_URL: monolith.url };

/** Each command that changes something, in a way in which it would act. */
const CHANGING: Readonly<Record<string, readonly string[]>> = {
  backfill: ['backfill shop', 'backfill shop --restart', 'backfill shop --rate 500'],
  reconcile: ['reconcile shop --repair'],
  'shadow-fence': ['shadow-fence shop on', 'shadow-fence shop off'],
  switch: ['switch shop', 'switch till --customers A', 'switch till --share 50'],
  reverse: ['reverse shop', 'reverse shop --without-flags', 'reverse till --customers A'],
  abort: ['abort shop'],
  complete: ['complete shop'],
  shadow: ['shadow shop 10'],
  ramp: ['ramp shop 10'],
  'flags init': ['flags init', 'flags init --new', 'flags init --keep'],
  'flags set': ['flags set shop.reads 5', 'flags set shop.writes on'],
  check: ['check shop --accept'],
  doctor: ['doctor --repair', 'doctor shop --repair --trust legacy'],
  'parked retry': ['parked retry shop', 'parked retry shop 1'],
  'parked skip': ['parked skip shop 1'],
  'dead-letters retry': ['dead-letters retry --kind change shop'],
  'dead-letters drop': ['dead-letters drop --kind change shop 1'],
  uninstall: ['uninstall', 'uninstall shop'],
  init: ['init', 'init --name orders'],
};

/** Each command that only looks; `reconcile`, `check` and `doctor` do, too, without the words above. */
const LOOKING: Readonly<Record<string, string>> = {
  status: 'status',
  assess: 'assess --window 0',
  // With --test-system it writes to a test system, which is said in as many words: FIG_YES is not enough for it.
  conformance: 'conformance',
  explain: 'explain GET /shop',
  journal: 'journal',
  audit: 'audit',
  logs: 'logs',
  // Makes a link for one use, by which a browser may look.
  open: 'open --print',
  services: 'services',
  token: 'token --customer A',
  'config print': 'config print',
  'config schema': 'config schema',
  'flags show': 'flags',
  'flags doctor': 'flags doctor',
  'parked list': 'parked list',
  'parked show': 'parked show shop 1',
  'dead-letters list': 'dead-letters list',
  'dead-letters show': 'dead-letters show --kind change shop 1',
};

/** Each command that runs processes of Fig until it is stopped; tests/package runs them. */
const RUNNING = ['up', 'engine', 'facade'];

function leavesOf(command: Command, before = ''): readonly (readonly [string, Command])[] {
  return command.commands.flatMap((each) => {
    const name = `${before}${each.name()}`;
    return each.commands.length > 0 ? leavesOf(each, `${name} `) : [[name, each] as const];
  });
}

const commands = new Map(leavesOf(await createProgram(() => Promise.resolve())));
const untried = new Set(Object.values(CHANGING).flat());

/** What must be the same where nothing was answered. */
async function stateOf(sides: Sides): Promise<unknown> {
  const dump = (prompt: Prompt): unknown => {
    const tables = prompt
      .prepare(
        `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN
           ('fig_clock', 'fig_lease', 'fig_applied', 'fig_peer', 'sqlite_sequence')
           AND name NOT LIKE 'fig_feed%' AND name NOT LIKE 'fig_reconcile%' ORDER BY name`,
      )
      .pluck()
      .all() as string[];
    return [
      prompt.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all(),
      ...tables.map((table) => [table, prompt.prepare(`SELECT * FROM "${table}"`).all()]),
    ];
  };
  const flags = await readFile(flagsFileOf(sides), 'utf8').catch(() => 'none');
  return [dump(sides.legacy), dump(sides.extracted), flags];
}

/** Of changes, both families of commands are the same. */
function asParked(line: string): string {
  return line
    .replace('dead-letters retry --kind change', 'parked retry')
    .replace('dead-letters drop --kind change', 'parked skip');
}

/** Runs lines as a script without an answer does: each is refused, says what it would do, and does nothing. */
async function asks(fig: Fig, sides: Sides, lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    untried.delete(line);
    const before = await stateOf(sides);
    const { code, stdout, stderr } = await fig(line, NOBODY);
    expect([line, code, stdout, stderr]).toEqual([
      line,
      2,
      '',
      expect.stringMatching(
        /not a terminal, so fig could not ask ".+"; nothing was changed\nnext: fig .+ --yes\n$/,
      ),
    ]);
    const [again = ''] = /(?<=next: fig ).+(?= --yes)/.exec(stderr) ?? [];
    expect(again.split(' ').sort()).toEqual(asParked(line).split(' ').sort());
    const declined = await fig(line, NOBODY, terminal('n'));
    expect([line, declined.code, declined.stderr]).toEqual([
      line,
      1,
      expect.stringMatching(/\?.* \[y\/N\] .*error: nothing was changed\n$/),
    ]);
    expect([line, await stateOf(sides)]).toEqual([line, before]);
  }
}

const parked = (sides: Sides): void =>
  void sides.legacy.exec(`INSERT INTO PAY VALUES ('p1', '7', 'S', '${TIME}', '${TIME}')`);

describe('every command of fig', () => {
  it('is known to change something, or to look only', () => {
    expect([...Object.keys(CHANGING), ...Object.keys(LOOKING), ...RUNNING].sort()).toEqual(
      [...commands.keys()].sort(),
    );
    const takesYes = (name: string): boolean =>
      commands.get(name)?.options.some(({ long }) => long === '--yes') === true;
    expect(Object.keys(CHANGING).filter((name) => !takesYes(name))).toEqual([]);
    expect([...Object.keys(LOOKING), ...RUNNING].filter(takesYes)).toEqual([]);
  });

  it('that changes something does not without an answer, beside an engine', () =>
    withFig(
      async (fig, { status }, sides) => {
        await asks(fig, sides, ['backfill shop', 'backfill shop --rate 500']);
        await fig('backfill shop --yes');
        await fig('reconcile shop');
        await asks(fig, sides, [
          'backfill shop --restart',
          'reconcile shop --repair',
          'shadow-fence shop on',
          'switch shop',
          'shadow shop 10',
          'ramp shop 10',
          'flags set shop.reads 5',
          'flags set shop.writes on',
          'check shop --accept',
        ]);
        await fig('shadow-fence shop on --yes');
        await asks(fig, sides, ['shadow-fence shop off']);
        parked(sides);
        await eventually(async () => expect((await status()).parked).not.toBe(null));
        await asks(fig, sides, [
          'parked retry shop',
          'parked retry shop 1',
          'parked skip shop 1',
          'dead-letters retry --kind change shop',
          'dead-letters drop --kind change shop 1',
        ]);
        for (const line of Object.values(LOOKING)) {
          const before = await stateOf(sides);
          const { stderr } = await fig(line, NOBODY);
          expect([line, stderr]).toEqual([line, expect.not.stringContaining('not a terminal')]);
          expect([line, await stateOf(sides)]).toEqual([line, before]);
        }
        sides.legacy.exec(`UPDATE PAY SET AMT = '7.00'`);
        await fig('parked retry shop --yes');
        await fig('reconcile shop');
        await fig('ramp shop 100 --yes');
        expect(await fig('switch shop --yes')).toMatchObject({ code: 0 });
        await asks(fig, sides, ['reverse shop', 'reverse shop --without-flags']);
        await eventually(async () => asks(fig, sides, ['complete shop']));
      },
      ({ urls }) => ({ declarations: { shop: { urls, mapping: shop, completion: AT_ONCE } } }),
    ));

  it('that changes something does not without an answer, where no engine is', () =>
    withSides(async (sides) => {
      const fig = await withEngine(sides, {}, async ({ status, url }) => {
        await eventually(async () => expect((await status()).standing.as).toBe('leader'));
        return figFor(sides, url);
      });
      await asks(fig, sides, ['uninstall', 'uninstall shop']);
      await rm(flagsFileOf(sides));
      await asks(fig, sides, ['flags init', 'flags init --new', 'flags init --keep']);
      sides.legacy.exec(`INSERT INTO fig_handover
        (id, capability, from_side, to_side, epoch, deadline, started_at)
        VALUES ('h', 'shop', 'legacy', 'extracted', 2, 0, 0)`);
      await asks(fig, sides, ['abort shop']);
      sides.legacy.exec('DELETE FROM fig_handover; DROP TRIGGER fig_shop_capture_update_STOCK');
      await asks(fig, sides, ['doctor --repair']);
      sides.legacy.exec(`UPDATE fig_fence SET state = 'ceded', epoch = 2`);
      await asks(fig, sides, ['doctor shop --repair --trust legacy']);
    }));

  it('that moves single customers does not without an answer', () =>
    withPreparedTill((sides) =>
      withTillEngine(sides, async (running) => {
        await prepareTill(running);
        const fig = await figFor(sides, running.url, 'till');
        await asks(fig, sides, ['switch till --customers A', 'switch till --share 50']);
        expect(await fig('switch till --customers A --yes')).toMatchObject({ code: 0 });
        await asks(fig, sides, ['reverse till --customers A']);
      }),
    ));

  it('that writes a configuration does not without an answer', () =>
    withSides(async (sides) => {
      const client = new Client({ connectionString: monolith.url });
      await client.connect();
      await client.query('CREATE TABLE orders (id integer PRIMARY KEY)');
      await client.end();
      await asks(await figFor(sides, 'http://127.0.0.1:9'), sides, ['init', 'init --name orders']);
    }));

  it('was tried above, in each way in which it changes something', () => {
    expect([...untried]).toEqual([]);
  });
});

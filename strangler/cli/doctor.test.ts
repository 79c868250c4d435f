import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Database from 'better-sqlite3';
import { eventually, inSoak } from '../../tests/support/index.ts';
import { itInSoak } from '../../tests/support/it-in-soak.ts';
import type { StepKind } from '../ownership/handover/switcher.ts';
import type { SideName } from '../../routing/side.ts';
import { setFlags } from '../../routing/index.ts';
import { sessionsOf } from '../../tests/strangler/support/dialects.ts';
import { endOf, startDoomedEngine } from '../../tests/strangler/support/doomed-engine.ts';
import { flagsFileOf, withEngine } from '../../tests/strangler/support/engine.ts';
import { figFor } from '../../tests/strangler/support/fig.ts';
import type { Fig, Ran } from '../../tests/strangler/support/fig.ts';
import { withSides } from '../../tests/strangler/support/sides.ts';
import type { Prompt, Sides } from '../../tests/strangler/support/sides.ts';
import { keepWriting, levelAt } from '../../tests/strangler/support/writer.ts';
import { STEPS } from '../../tests/strangler/support/steps.ts';

const NOBODY = 'http://127.0.0.1:9';
const leaseMs = 300;

interface Told {
  readonly healthy: boolean;
  readonly mended: readonly string[];
  readonly findings: readonly { readonly code: string; readonly level: string }[];
}

function told({ stdout }: Ran): Told {
  return JSON.parse(stdout) as Told;
}

function codes(ran: Ran): readonly string[] {
  return told(ran).findings.map(({ code }) => code);
}

/** Whatever it says: where it has failed, that is what a reader needs. */
const done = (line: string) => ({
  line,
  code: 0,
  stdout: expect.any(String),
  stderr: expect.any(String),
});

/** Runs an engine until the given commands are done. */
async function doWithEngine(sides: Sides, lines: readonly string[]): Promise<void> {
  await withEngine(sides, { leaseMs }, async ({ url }) => {
    const fig = await figFor(sides, url);
    for (const line of lines) expect({ line, ...(await fig(line)) }).toEqual(done(line));
  });
}

async function withShop(use: (fig: Fig, sides: Sides) => Promise<void>): Promise<void> {
  await withSides(async (sides) => {
    sides.legacy.exec("INSERT INTO STOCK (SKU, QTY, RSV) VALUES ('hot', 0, 0), ('a', 5, 0)");
    await doWithEngine(sides, ['backfill shop', 'reconcile shop']);
    await use(await figFor(sides, NOBODY), sides);
  });
}

/** A copy of a database as it is, to be put back later. */
function backUp(prompt: Prompt): string {
  const file = `${prompt.name}.${performance.now()}.backup`;
  prompt.prepare('VACUUM INTO ?').run(file);
  return file;
}

async function restore(prompt: Prompt, backup: string): Promise<void> {
  const source = new Database(backup, { readonly: true });
  await source.backup(prompt.name);
  source.close();
}

describe('fig doctor, after an engine was killed in a handover', () => {
  it(
    'between any two steps, forward and back: explains it, and finishes it',
    () =>
      withShop(async (fig, sides) => {
        const sessions = sessionsOf(sides);
        let written = 0;
        for (const step of inSoak(STEPS, ['open'] as const)) {
          for (const to of ['extracted', 'legacy'] as const) {
            const engine = startDoomedEngine(sides, step, 'SIGKILL');
            const writer = keepWriting(sessions);
            try {
              await setFlags(flagsFileOf(sides), { 'shop.writes': to === 'extracted' ? 100 : 0 });
              expect(await endOf(engine)).toEqual([null, 'SIGKILL']);
              const ill = await fig('doctor --json');
              expect({ step, to, code: ill.code, codes: codes(ill) }).toMatchObject({
                code: 1,
                codes: expect.arrayContaining(['handover_interrupted']),
              });
              const mended = await fig('doctor --repair --json');
              expect({ step, to, mended: told(mended).mended }).toMatchObject({
                mended: [expect.stringMatching(`the handover is finished: ${to} is the owner`)],
              });
              expect(codes(mended)).toEqual(['engine_dead']);
            } finally {
              written += await writer.stop();
              engine.kill('SIGKILL');
            }
            const level = await levelAt(sessions, to);
            expect({ step, to, level }).toEqual({ step, to, level: written });
          }
        }
      }),
    240_000,
  );

  it.each<StepKind>(inSoak(['close', 'cede'], ['cede']))(
    'before %s and long ago: says that it is taken back, and takes it back',
    (step) =>
      withShop(async (fig, sides) => {
        const engine = startDoomedEngine(sides, step, 'SIGKILL');
        await setFlags(flagsFileOf(sides), { 'shop.writes': 100 });
        await endOf(engine);
        sides.legacy.exec('UPDATE fig_handover SET deadline = 0');
        const { stdout } = await fig('doctor');
        expect(stdout).toMatch(/it is taken back, since its deadline has passed: legacy is opened/);
        expect(await fig('doctor --repair --dry-run')).toMatchObject({
          code: 0,
          stdout: expect.stringMatching(/^ 1\. shop: finish the handover, or take it back/),
        });
        expect((await fig('doctor --repair')).stdout).toMatch(
          /mended {2}the handover is taken back \(its deadline has passed\): legacy stays the owner/,
        );
        sides.legacy.exec('UPDATE STOCK SET QTY = 6');
      }),
    240_000,
  );
});

describe('fig doctor, after a backup was restored', () => {
  it('closes the older of two owners, and wants everything compared before the next handover', () =>
    withShop(async (fig, sides) => {
      const backup = backUp(sides.legacy);
      await doWithEngine(sides, ['switch shop']);
      sides.extracted.exec("UPDATE levels SET on_hand = 7 WHERE sku = 'a'");
      await restore(sides.legacy, backup);
      const ill = await fig('doctor');
      expect(ill.code).toBe(1);
      expect(ill.stdout).toMatch(
        /two_owners: legacy is open \(1\), extracted is open \(2\): both take writes/,
      );
      expect(ill.stdout).toMatch(/older_self: legacy was restored from a backup/);
      await withEngine(sides, { leaseMs }, async (running) => {
        const live = await figFor(sides, running.url);
        await eventually(() => expect(running.lines.join('')).toContain('restored from a backup'));
        // At once, and without anybody's word.
        await eventually(() =>
          expect(() => sides.legacy.exec('UPDATE STOCK SET QTY = 1')).toThrow(/FENCED/),
        );
        expect((await running.status()).stage).toBe('switched');
        expect(await live('reverse shop')).toMatchObject({
          code: 3,
          stderr: expect.stringMatching(/compared as a whole.+\nnext: fig reconcile shop\n$/),
        });
        await eventually(async () => {
          await live('reconcile shop --repair');
          expect(await live('reconcile shop')).toMatchObject({ code: 0 });
        });
        await eventually(async () => expect(await live('doctor')).toMatchObject({ code: 0 }));
        expect(await live('reverse shop')).toMatchObject({ code: 0 });
        expect(sides.legacy.prepare("SELECT QTY FROM STOCK WHERE SKU = 'a'").pluck().get()).toBe(7);
      });
    }));

  it.each([
    ['greeted since', ''],
    ...inSoak(
      [
        ['not greeted since, as far as anybody knows', 'UPDATE fig_peer SET other_pulse = 0'],
        ['greeted since, by a build that kept no marks', 'UPDATE fig_applied SET mark = NULL'],
      ],
      [],
    ),
  ])(
    'leaves what its owner had acknowledged on the other side, though its feed has outgrown that: %s',
    (_how, forget) =>
      withShop(async (fig, sides) => {
        await doWithEngine(sides, ['switch shop', 'reconcile shop']);
        const backup = backUp(sides.extracted);
        await withEngine(sides, { leaseMs }, async ({ call, status }) => {
          sides.extracted.exec("UPDATE levels SET on_hand = 7 WHERE sku = 'a'");
          sides.extracted.exec("INSERT INTO levels (sku, on_hand) VALUES ('ack', 1)");
          await eventually(async () => expect((await status()).standing.as).toBe('leader'));
          await eventually(async () =>
            expect((await call('GET', '/barrier/shop')).status).toBe(200),
          );
          const seen = new Database(backup).prepare('SELECT pulse FROM fig_peer').pluck().get();
          const known = sides.legacy.prepare('SELECT other_pulse FROM fig_peer').pluck();
          await eventually(() => expect(known.get()).toBeGreaterThan(Number(seen)));
        });
        await restore(sides.extracted, backup);
        if (forget !== '') sides.legacy.exec(forget);
        const applied = sides.legacy.prepare('SELECT position FROM fig_applied').pluck().get();
        const ends = sides.extracted.prepare('SELECT max(position) FROM fig_feed_shop').pluck();
        for (let extra = 0; extra < 20; extra += Number(ends.get()) > Number(applied) ? 1 : 0) {
          sides.extracted.exec("UPDATE levels SET on_hand = on_hand + 1 WHERE sku = 'hot'");
        }
        sides.extracted.exec("UPDATE levels SET on_hand = 9 WHERE sku = 'a'");
        sides.extracted.exec("INSERT INTO levels (sku, on_hand) VALUES ('after', 3)");
        const ill = await fig('doctor shop');
        expect(ill.stdout).toContain('2 rows only on legacy (levels ack, holds ack)');
        // Deciding comes before anything else.
        expect(ill.stdout).not.toContain('npm start');
        expect(ill.stderr).toMatch(/next: fig doctor shop --repair --trust/);
        await withEngine(sides, { leaseMs }, async (running) => {
          const live = await figFor(sides, running.url);
          await eventually(() =>
            expect(running.lines.join('')).toContain('restored from a backup'),
          );
          await eventually(() =>
            expect(() => sides.extracted.exec('UPDATE levels SET on_hand = 1')).toThrow(/FENCED/),
          );
          expect((await live('doctor shop')).stdout).toContain(
            '2 rows only on legacy (levels ack, holds ack)',
          );
          const stock = sides.legacy.prepare('SELECT SKU, QTY FROM STOCK ORDER BY SKU').raw();
          expect(stock.all()).toEqual([
            ['a', 7],
            ['ack', 1],
            ['hot', 0],
          ]);
          const kept = await live('doctor shop --repair --trust legacy --keep --yes');
          expect(kept.stdout).toContain('legacy has taken over 1 row that only extracted had');
          await eventually(async () => {
            await live('reconcile shop --repair');
            expect(await live('reconcile shop')).toMatchObject({ code: 0 });
          });
          const settled = [
            ['a', 7],
            ['ack', 1],
            ['after', 3],
            ['hot', 0],
          ];
          expect(stock.all()).toEqual(settled);
          // What the restored feed holds beyond is not applied after the next handover, either.
          await eventually(async () =>
            expect(await live('switch shop')).toMatchObject({ code: 0 }),
          );
          await eventually(async () =>
            expect((await running.call('GET', '/barrier/shop')).status).toBe(200),
          );
          expect(await live('reconcile shop')).toMatchObject({ code: 0 });
          expect(stock.all()).toEqual(settled);
        });
      }),
    60_000,
  );

  it.each(inSoak<readonly SideName[]>(['legacy', 'extracted'], ['extracted']))(
    'advises what follows from the decision for %s, and not the opposite',
    (right) =>
      withShop(async (fig, sides) => {
        await doWithEngine(sides, ['switch shop', 'reconcile shop']);
        const backup = backUp(sides.extracted);
        await withEngine(sides, { leaseMs }, async ({ call, status }) => {
          await eventually(async () => expect((await status()).standing.as).toBe('leader'));
          sides.extracted.exec("INSERT INTO levels (sku, on_hand) VALUES ('ack', 1)");
          await eventually(async () =>
            expect((await call('GET', '/barrier/shop')).status).toBe(200),
          );
          const seen = new Database(backup).prepare('SELECT pulse FROM fig_peer').pluck().get();
          const known = sides.legacy.prepare('SELECT other_pulse FROM fig_peer').pluck();
          await eventually(() => expect(known.get()).toBeGreaterThan(Number(seen)));
        });
        await restore(sides.extracted, backup);
        sides.extracted.exec("INSERT INTO levels (sku, on_hand) VALUES ('after', 3)");
        sides.extracted.exec("UPDATE levels SET on_hand = 9 WHERE sku = 'a'");
        await withEngine(sides, { leaseMs }, async ({ url, lines }) => {
          const live = await figFor(sides, url);
          await eventually(() => expect(lines.join('')).toContain('restored from a backup'));
          const mended = await live(`doctor shop --repair --trust ${right} --keep --yes`);
          expect(mended.stdout).toContain(`${right} is the only owner`);
          const later = await live('doctor shop');
          for (const { stdout, stderr } of [mended, later]) {
            expect(stdout).toContain(`a person has decided that ${right} is right`);
            expect(`${stdout}${stderr}`).not.toMatch(/--trust|are missing|decision of a person/);
            expect(stderr).toContain('next: fig reconcile shop --repair');
          }
          await eventually(async () => {
            await live('reconcile shop --repair');
            expect(await live('reconcile shop')).toMatchObject({ code: 0 });
          });
          await eventually(async () => expect(await live('doctor')).toMatchObject({ code: 0 }));
          const { on_hand: level } = sides.extracted
            .prepare("SELECT on_hand FROM levels WHERE sku = 'a'")
            .get() as { on_hand: number };
          expect(level).toBe(right === 'legacy' ? 5 : 9);
        });
      }),
  );

  it('asks a person when it was the owner, and does what they say', () =>
    withShop(async (fig, sides) => {
      await doWithEngine(sides, ['switch shop', 'reconcile shop']);
      const backup = backUp(sides.extracted);
      await withEngine(sides, { leaseMs }, async ({ call }) => {
        sides.extracted.exec("UPDATE levels SET on_hand = 7 WHERE sku = 'a'");
        await eventually(async () => expect((await call('GET', '/barrier/shop')).status).toBe(200));
        const seen = sides.extracted.prepare('SELECT pulse FROM fig_peer').pluck().get();
        const known = sides.legacy.prepare('SELECT other_pulse FROM fig_peer').pluck();
        await eventually(() => expect(known.get()).toBeGreaterThan(Number(seen)));
      });
      await restore(sides.extracted, backup);
      // As many writes as were lost: no position gives it away.
      for (let index = 0; index < 100; index += 1) {
        sides.extracted.exec("UPDATE levels SET on_hand = 9 WHERE sku = 'hot'");
      }
      const ill = await fig('doctor shop');
      expect(ill).toMatchObject({
        code: 3,
        stderr: expect.stringContaining('decision of a person'),
      });
      expect(ill.stdout).toMatch(
        /older_self: extracted was restored.+\n.+2 rows not the same on both \(levels a, levels hot\)/,
      );
      expect(await fig('doctor shop --repair --trust legacy', { FIG_YES: '' })).toMatchObject({
        code: 2,
      });
      expect(await fig('doctor --trust legacy')).toMatchObject({ code: 2 });
      const mended = await fig('doctor shop --repair --trust legacy --yes');
      expect(mended.stdout).toContain('legacy is the only owner (epoch 3), as a person decided');
      expect(sides.legacy.prepare("SELECT QTY FROM STOCK WHERE SKU = 'a'").pluck().get()).toBe(7);
      sides.legacy.exec("UPDATE STOCK SET QTY = 8 WHERE SKU = 'a'");
      expect(() => sides.extracted.exec('UPDATE levels SET on_hand = 1')).toThrow(/FENCED/);
      // The decision has settled what the flag asked for.
      expect(mended.stdout).toContain('shop.writes is off, so that it asks for what is');
      await withEngine(sides, { leaseMs }, async ({ url }) => {
        const live = await figFor(sides, url);
        await live('backfill shop --restart');
        expect(await live('reconcile shop')).toMatchObject({ code: 0 });
        await eventually(async () => expect(await live('doctor')).toMatchObject({ code: 0 }));
      });
    }));

  itInSoak(
    'counts what only the other side has before it advises anything, where the owner was made anew',
    () =>
      withShop(async (fig, sides) => {
        const empty = backUp(sides.extracted);
        await doWithEngine(sides, ['switch shop', 'reconcile shop']);
        const blank = new Database(empty);
        for (const { name } of blank
          .prepare(
            `SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'fig\\_%' ESCAPE '\\'`,
          )
          .all() as { name: string }[]) {
          blank.exec(`DROP TABLE "${name}"`);
        }
        for (const { name } of blank
          .prepare(`SELECT name FROM sqlite_schema WHERE type = 'trigger'`)
          .all() as { name: string }[]) {
          blank.exec(`DROP TRIGGER "${name}"`);
        }
        blank.exec('DELETE FROM levels; DELETE FROM holds');
        blank.close();
        await restore(sides.extracted, empty);
        await withEngine(sides, { leaseMs }, async ({ url }) => {
          const live = await figFor(sides, url);
          await eventually(async () => {
            const ill = await live('doctor shop');
            expect(ill.code).toBe(3);
            expect(ill.stdout).toMatch(/no_owner: .+\n.+ \d rows only on legacy \(levels .*hot/);
            expect(ill.stdout).toContain('fig doctor shop --repair --trust extracted --keep');
            expect(ill.stdout).not.toContain('everything');
          });
          expect(await live('backfill shop --restart')).not.toMatchObject({ code: 0 });
        });
        expect(sides.legacy.prepare('SELECT count(*) FROM STOCK').pluck().get()).toBe(2);
        expect(await fig('doctor shop')).toMatchObject({ code: 3 });
      }),
  );

  it('finds that nobody is the owner, and asks which side is to be', () =>
    withShop(async (fig, sides) => {
      const backup = backUp(sides.extracted);
      await doWithEngine(sides, ['switch shop']);
      await restore(sides.extracted, backup);
      const ill = await fig('doctor shop --json');
      expect({ code: ill.code, codes: codes(ill) }).toMatchObject({
        code: 3,
        codes: expect.arrayContaining(['no_owner', 'older_self']),
      });
      await fig('doctor shop --repair --trust legacy --yes');
      sides.legacy.exec('UPDATE STOCK SET QTY = 8');
    }));
});

describe('fig doctor', () => {
  it('finds nothing where nothing is, and names what is only worth knowing', () =>
    withShop((_fig, sides) =>
      withEngine(sides, { leaseMs }, async ({ url, setFlags: turn, status }) => {
        const fig = await figFor(sides, url);
        expect(await fig('doctor')).toEqual({
          code: 0,
          stdout:
            'shop  healthy\n  legacy is open (1), extracted is closed (0): legacy owns it and takes ' +
            'the writes; extracted follows and refuses them\n',
          stderr: '',
        });
        sides.legacy.exec(`DELETE FROM fig_reconcile`);
        await turn({ 'shop.writes': 100 });
        await eventually(async () => expect((await status()).intent.refused).not.toBeNull());
        const notice = await fig('doctor --json');
        expect({ code: notice.code, codes: codes(notice) }).toEqual({
          code: 0,
          codes: ['intent_waits'],
        });
      }),
    ));

  it('reads databases that another process has locked for its writes', () =>
    withShop(async (fig, { legacy, extracted }) => {
      for (const side of [legacy, extracted]) side.exec('BEGIN IMMEDIATE');
      try {
        const { stdout } = await fig('doctor');
        expect(stdout).toContain('legacy is open (1), extracted is closed (0)');
        expect(stdout).not.toContain('database_unreachable');
      } finally {
        for (const side of [legacy, extracted]) side.exec('ROLLBACK');
      }
    }));

  it('puts triggers back that somebody has dropped or altered, and distrusts what came past them', () =>
    withShop(async (fig, sides) => {
      sides.legacy.exec('DROP TRIGGER fig_shop_capture_update_STOCK');
      sides.legacy.exec('UPDATE STOCK SET QTY = 6');
      const ill = await fig('doctor');
      expect(ill).toMatchObject({ code: 1, stdout: expect.stringContaining('schema_drift') });
      expect((await fig('doctor --repair')).stdout).toMatch(
        /mended .+ on legacy are back in place/,
      );
      sides.legacy.exec("UPDATE STOCK SET QTY = 7 WHERE SKU = 'a'");
      await withEngine(sides, { leaseMs }, async ({ url }) => {
        const live = await figFor(sides, url);
        expect(codes(await live('doctor --json'))).toEqual(['reconcile_demanded']);
        expect(await live('reconcile shop --repair')).toMatchObject({ code: 0 });
        expect(await live('reconcile shop')).toMatchObject({ code: 0 });
        expect(await live('doctor')).toMatchObject({ code: 0 });
      });
    }));

  it('names databases that are not there, and engines that are not at work', () =>
    withShop(async (fig, sides) => {
      expect(codes(await fig('doctor --json'))).toEqual(['engine_dead']);
      sides.legacy.exec(`UPDATE fig_lease SET holder = 'far', expires_at = 99999999999999`);
      expect((await fig('doctor')).stdout).toMatch(/engine_elsewhere: .+ far keeps its lease/);
    }));

  itInSoak('tells an engine that answers late from one that is not there, as fig status does', () =>
    withSides(async (sides) => {
      // Takes connections, and answers none of them, as a process does that gets no processor time.
      const silent = createServer(() => undefined).listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
      const fig = await figFor(sides, url);
      try {
        await withEngine(sides, {}, async (running) => {
          await eventually(async () => expect((await running.status()).standing.as).toBe('leader'));
          const [doctor, status] = await Promise.all([fig('doctor'), fig('status')]);
          expect(doctor).toMatchObject({
            code: 1,
            stdout: expect.stringMatching(
              /engine_late: the engine at .+ does not answer within 6 s, but .+ keeps its lease: it is busy\n/,
            ),
          });
          expect(status.stdout).toMatch(
            /^the engine at .+ within 6 s, but .+ keeps its lease: it is busy; this/,
          );
          expect(status.stdout).not.toContain('no engine');
        });
        // The same silence once its lease is given back.
        expect(codes(await fig('doctor --json'))).toEqual(['engine_dead']);
      } finally {
        silent.closeAllConnections();
        silent.close();
      }
    }),
  );

  it('says which database is not there', () =>
    withSides(async (sides) => {
      const urls = { ...sides.urls, extracted: `${sides.urls.extracted}.missing` };
      const fig = await figFor({ ...sides, urls }, NOBODY);
      expect(await fig('doctor')).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(
          /database_unreachable: the extracted database can't be opened/,
        ),
      });
    }));
});

import { describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { eventually } from '../../tests/support/index.ts';
import { readFlagFile } from '../../routing/index.ts';
import { withEngine, flagsFileOf } from '../../tests/strangler/support/engine.ts';
import { figFor, terminal, withFig } from '../../tests/strangler/support/fig.ts';
import { withSides } from '../../tests/strangler/support/sides.ts';

const NOBODY = 'http://127.0.0.1:9';

describe('fig shadow and fig ramp', () => {
  it('set a share where something can come of it, and are refused where not', () =>
    withFig(async (fig) => {
      for (const verb of ['shadow', 'ramp']) {
        expect(await fig(`${verb} shop 10`)).toMatchObject({
          code: 3,
          stderr: expect.stringMatching(/no complete copy .+\nnext: fig backfill shop\n$/),
        });
        expect(await fig(`${verb} shop 0`)).toMatchObject({ code: 0 });
      }
      await fig('backfill shop');
      expect(await fig('ramp shop 10 --dry-run')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^shop.reads would go from 0 % to 10 % in .+flags.json\n$/),
      });
      expect(await fig('shadow shop 100')).toMatchObject({ stdout: 'shop.shadow is 100 %\n' });
      expect(JSON.parse((await fig('ramp shop 10 --json')).stdout)).toEqual({
        schemaVersion: 1,
        outcome: 'set',
        flag: 'shop.reads',
        before: 0,
        conditions: null,
        share: 10,
        source: expect.stringMatching(/flags.json$/),
        next_steps: [{ command: 'fig ramp shop 50', reason: '10 % of the reads are there' }],
      });
      expect((await fig('flags')).stdout).toContain('shop.reads   10 %');
    }));

  it('need no engine, and know their capabilities', () =>
    withSides(async (sides) => {
      const fig = await figFor(sides, NOBODY);
      expect(await fig('ramp shop 10')).toMatchObject({
        code: 3,
        stderr: expect.stringContaining('nothing is installed there yet'),
      });
      expect(await fig('ramp shop 0')).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/it is missing.+\nnext: fig flags init\n$/),
      });
      expect(await fig('flags init')).toMatchObject({ code: 0 });
      expect(await fig('flags init')).toMatchObject({ code: 3 });
      expect(await fig('ramp shop 0')).toMatchObject({ code: 0 });
      expect(await fig('ramp shp 0')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('did you mean shop?'),
      });
      expect(await fig('ramp shop 1.5')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('invalid value "1.5" for shop.reads'),
      });
    }));
});

describe('every command', () => {
  it('tells a script of its refusals in JSON, with what comes next, also of wrong words', () =>
    withSides(async (sides) => {
      const fig = await figFor(sides, NOBODY);
      const json = async (line: string): Promise<unknown> => JSON.parse((await fig(line)).stdout);
      const help = [{ command: 'fig --help', reason: expect.any(String) }];
      expect(await json('stauts --json')).toEqual({
        schemaVersion: 1,
        error: {
          code: 'usage_unknownCommand',
          message: "unknown command 'stauts'\n(Did you mean status?)",
        },
        next_steps: help,
      });
      expect(await json('switch --json')).toMatchObject({
        error: { code: 'usage_missingArgument' },
        next_steps: help,
      });
      expect(await json('switch shop --dry-runn --json')).toMatchObject({
        error: { message: expect.stringContaining('(Did you mean --dry-run?)') },
      });
      expect(await json('switch shop --json')).toMatchObject({
        error: { code: 'engine_away' },
        next_steps: [{ command: 'npm start' }],
      });
      expect(await json('flags set shop.reeds 5 --json')).toMatchObject({
        error: { code: 'unknown_name' },
        next_steps: [],
      });
    }));

  it('keeps quiet about its progress when told so, never about errors', () =>
    withFig(async (fig) => {
      await fig('backfill shop');
      expect((await fig('reconcile shop')).stderr).toBe('comparing shop row by row\n');
      expect((await fig('reconcile shop -q')).stderr).toBe('');
      expect((await fig('reconcile shop --quiet')).stdout).toContain('both sides are equal');
      expect((await fig('switch shopp -q')).stderr).toContain('did you mean shop?');
    }));

  it('has examples and what all commands take in its help', () =>
    withSides(async (sides) => {
      const fig = await figFor(sides, NOBODY);
      const names = [...(await fig('--help')).stdout.matchAll(/^ {2}([a-z]+) (?:\[|<|\s)/gm)]
        .map(([, name]) => name)
        .filter((name) => name !== 'help' && name !== 'fig');
      expect(names.length).toBeGreaterThan(12);
      for (const name of new Set(names)) {
        const { code, stdout } = await fig(`${name} --help`);
        expect({ name, code }).toEqual({ name, code: 0 });
        expect(stdout).toMatch(new RegExp(`Examples?:\\n {2}fig ${name}`));
      }
    }));

  it('changes nothing when it is only to show what it would do', () =>
    withFig(async (fig, { status }) => {
      const plan = await fig('backfill shop --dry-run');
      expect(plan.stdout).toMatch(
        /^ 1\. copy levels: legacy STOCK to extracted levels\n[^]+ 8\. say that extracted is a whole copy, and keep it one\n$/,
      );
      expect((await status()).backfill.state).toBe('none');
      await fig('flags set shop.reads 5 --dry-run');
      expect((await fig('flags')).stdout).toContain('shop.reads   0 %');
      expect((await fig('uninstall --dry-run')).stdout).toMatch(
        /^ 1\. remove the tables and triggers of shop from legacy, \d+ of them/,
      );
      await fig('backfill shop');
      expect((await fig('backfill shop --dry-run')).stdout).toContain('is copied already');
      await fig('reconcile shop');
      expect(await fig('switch shop --dry-run')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(
          /writes would wait for about \d+ ms: none was done yet.+\n( +ok +\S.*\n){17}all gates hold\n$/,
        ),
      });
      expect(JSON.parse((await fig('switch shop --dry-run --json')).stdout)).toMatchObject({
        outcome: 'planned',
        prediction: { holdMs: expect.any(Number), from: expect.any(String) },
        next_steps: [{ command: 'fig switch shop', reason: 'all gates hold' }],
      });
      expect((await status()).owner).toBe('legacy');
      await fig('switch shop');
      expect((await fig('reverse shop --dry-run')).stdout).toContain(
        'ms: the only one so far took',
      );
    }));
});

describe('fig switch', () => {
  it('asks where somebody is there, and does not where nobody is', () =>
    withFig(async (fig, { status }) => {
      await fig('backfill shop');
      await fig('reconcile shop');
      expect(await fig('switch shop', {}, terminal('n'))).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/from legacy to extracted\? \[y\/N\] .*nothing was changed/),
      });
      expect((await status()).owner).toBe('legacy');
      expect(await fig('switch shop', {}, terminal('yes'))).toMatchObject({ code: 0 });
      expect(await fig('reverse shop --yes', {}, terminal('n'))).toMatchObject({ code: 0 });
      expect((await status()).owner).toBe('legacy');
    }));

  it('needs --yes where no terminal is, after the gates, like all that moves or removes something', () =>
    withFig(async (fig, { status }) => {
      const nobody = { FIG_YES: '' };
      expect(await fig('switch shop', nobody)).toMatchObject({
        code: 3,
        stderr: expect.stringContaining('next: fig backfill shop'),
      });
      expect(await fig('complete shop', nobody)).toMatchObject({ code: 3 });
      await fig('backfill shop --yes', nobody);
      await fig('reconcile shop', nobody);
      for (const [line, again] of [
        ['switch shop', 'fig switch shop --yes'],
        ['flags set shop.writes on', 'fig flags set shop.writes on --yes'],
        ['backfill shop --restart', 'fig backfill shop --restart --yes'],
        ['reconcile shop --repair', 'fig reconcile shop --repair --yes'],
      ] as const) {
        expect(await fig(line, nobody)).toMatchObject({
          code: 2,
          stdout: '',
          stderr: expect.stringMatching(`nothing was changed\nnext: ${again}\n$`),
        });
      }
      expect(await status()).toMatchObject({ owner: 'legacy', epoch: 1 });
      expect(await fig('switch shop --yes', nobody)).toMatchObject({ code: 0 });
      expect(await fig('reverse shop', nobody)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('next: fig reverse shop --yes'),
      });
      expect((await status()).owner).toBe('extracted');
    }));

  it('moves without the flags where they can not be read, and does not go back by itself', () =>
    withSides(async (sides) => {
      const flagsFile = flagsFileOf(sides);
      await withEngine(sides, {}, async (running) => {
        const fig = await figFor(sides, running.url);
        await eventually(async () => expect((await running.status()).standing.as).toBe('leader'));
        for (const verb of ['backfill', 'reconcile', 'switch']) {
          expect(await fig(`${verb} shop`)).toMatchObject({ code: 0 });
        }
        const good = await readFile(flagsFile, 'utf8');
        await writeFile(flagsFile, '{');
        await eventually(async () => expect(await fig('flags')).toMatchObject({ code: 1 }));
        expect(await fig('reverse shop')).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('next: fig reverse shop --without-flags'),
        });
        expect((await running.status()).owner).toBe('extracted');
        expect(await fig('reverse shop --without-flags')).toMatchObject({
          code: 0,
          stdout: expect.stringMatching(
            /shop\.writes was not turned.+: fig flags set shop\.writes off\n$/,
          ),
        });
        // They can be read again, and still ask for extracted.
        await writeFile(flagsFile, good);
        await eventually(async () =>
          expect(await running.status()).toMatchObject({
            owner: 'legacy',
            intent: {
              to: 'extracted',
              spent: expect.stringContaining('a person moved it to legacy'),
            },
          }),
        );
      });
      // Nor by the next engine, until the flag is turned.
      await withEngine(sides, {}, async ({ status, setFlags }) => {
        await eventually(async () =>
          expect(await status()).toMatchObject({
            owner: 'legacy',
            intent: { to: 'extracted', spent: expect.any(String) },
          }),
        );
        await setFlags({ 'shop.writes': 0 });
        await eventually(async () => expect((await status()).intent.to).toBe('legacy'));
      });
    }));
});

describe('fig config print', () => {
  it('prints what is in force, and no secret', () =>
    withSides(async (sides) => {
      const fig = await figFor(sides, NOBODY);
      const env = {
        REDIS_URL: 'redis://fig:hunter2@cache:6379',
        UNLEASH_TOKEN: 'hunter2',
        HOME: '/nobody',
      };
      const { stdout } = await fig('config print', env);
      expect(stdout).toMatch(/^file: .+fig\.config\.mjs\n/);
      expect(stdout).toContain('REDIS_URL: redis://fig:redacted@cache:6379');
      expect(stdout).toContain('UNLEASH_TOKEN: "[redacted]"');
      expect(stdout).toContain('- "levels: STOCK - levels"');
      expect(stdout).not.toMatch(/hunter2|HOME/);
      expect(JSON.parse((await fig('config print --json', env)).stdout)).toMatchObject({
        schemaVersion: 1,
        config: { monolith: 'old', limits: { holdMs: 10_000 } },
        variables: { ENGINE_URL: NOBODY },
      });
    }));
});

describe('a password in a variable', () => {
  it.each([
    ['UNLEASH_URL', 'ftp://fig:hunter2@127.0.0.1:9/api'],
    ['UNLEASH_URL', 'http://fig:hunter2@127.0.0.1:9/api'],
    ['ENGINE_URL', 'http://fig:hunter2@127.0.0.1:9'],
    ['ENGINE_URL', 'http://fig:hunter2@127.0.0.1:port'],
  ])('is in no message: %s=%s', (variable, url) =>
    withSides(async (sides) => {
      const fig = await figFor(sides, NOBODY);
      const env = { UNLEASH_TOKEN: 'default:development.x', UNLEASH_ADMIN_TOKEN: '*:*.x' };
      const commands = ['status', 'flags', 'doctor', 'flags set shop.reads 5'];
      // At once: each waits a while for a server that is not there.
      const ran = await Promise.all(
        commands.map((command) => fig(command, { ...env, [variable]: url })),
      );
      for (const { stdout, stderr } of ran) {
        expect(`${stdout}${stderr}`).not.toContain('hunter2');
      }
    }),
  );
});

describe('fig flags', () => {
  it('looks without making a file', () =>
    withSides(async (sides) => {
      const fig = await figFor(sides, NOBODY);
      expect(await fig('flags')).toMatchObject({ code: 1 });
      expect(await fig('flags set shop.reads 5 --dry-run')).toMatchObject({ code: 1 });
      expect(existsSync(flagsFileOf(sides))).toBe(false);
      await withEngine(sides, {}, async () => {
        expect(await readFile(flagsFileOf(sides), 'utf8')).toContain('shop.reads');
      });
    }));

  it('that can not be read says why, since when, and what is still in force', () =>
    withFig(async (fig, { status }, sides) => {
      await fig('flags set shop.reads 25');
      await eventually(async () => expect((await status()).shares?.reads).toBe(25));
      await writeFile(flagsFileOf(sides), '{ "version"');
      await eventually(async () =>
        expect((await fig('status')).stdout).toMatch(/flags\.json can't be read since .+not JSON/),
      );
      expect((await fig('status')).stdout).toContain('reads 25 %');
      const { code, stdout, stderr } = await fig('flags');
      expect(code).toBe(1);
      expect(stdout).toMatch(
        /^still in force, .+\n {2}shop: shadow 0 %, reads 25 %, writes off\n$/,
      );
      expect(stderr).toMatch(/flags\.json can't be read since 20.+Z: it is not JSON/);
      expect(JSON.parse((await fig('flags --json')).stdout)).toMatchObject({
        readable: false,
        flags: null,
        trouble: { reason: expect.stringContaining('not JSON') },
        inForce: { shop: { reads: 25 } },
      });
      expect(await fig('doctor')).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(/can't be read since .+ what was read last stays in force/),
      });
      expect(await fig('ramp shop 0')).toMatchObject({ code: 1 });
    }));

  it('that somebody else has narrowed are shown as they are, and not overwritten unasked', () =>
    withFig(async (fig, { status }, sides) => {
      await fig('backfill shop');
      const constraints = [{ contextName: 'userId', operator: 'IN', values: ['ann', 'bob'] }];
      const document = await readFlagFile(flagsFileOf(sides));
      const features = document.features.map((feature) =>
        feature.name === 'shop.shadow'
          ? feature
          : { ...feature, enabled: true, strategies: [{ name: 'default', constraints }] },
      );
      await writeFile(flagsFileOf(sides), JSON.stringify({ ...document, features }));
      const text = '100 % only where userId IN ann, bob';
      await eventually(async () =>
        expect((await fig('status')).stdout).toMatch(`reads ${text}, writes asks for nothing`),
      );
      const shown = (await fig('flags')).stdout;
      expect(shown).toContain(text);
      expect(shown).toMatch(/shop\.writes asks for nothing: .+; the owner stays\n$/);
      expect(await fig('doctor')).toMatchObject({
        stdout: expect.stringMatching(/shop\.writes asks for nothing/),
      });
      for (const line of ['ramp shop 60', 'flags set shop.reads 60', 'flags set shop.writes on']) {
        expect(await fig(line)).toMatchObject({
          code: 3,
          stderr: expect.stringMatching(/did not set \(.+ann, bob\).+\nnext: .+ --overwrite\n$/),
        });
      }
      expect((await fig('flags')).stdout).toBe(shown);
      await fig('reconcile shop');
      expect(await fig('switch shop --yes')).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(
          /nothing was moved.+\nnext: fig flags set shop.writes on --ov/,
        ),
      });
      expect(await fig('ramp shop 60 --overwrite')).toMatchObject({ code: 0 });
      expect((await fig('flags')).stdout).toContain('shop.reads   60 %');
      // Off takes nothing away: it is found again as it was.
      expect(await fig('flags set shop.writes off')).toMatchObject({ code: 0 });
      await eventually(async () => expect((await status()).shares?.writes).toBe(false));
      const { features: after } = await readFlagFile(flagsFileOf(sides));
      expect(after.find(({ name }) => name === 'shop.writes')?.strategies).toMatchObject([
        { constraints },
      ]);
    }));
});

import { describe, expect, it } from '@jest/globals';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { asOperator, projectRoot } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import { eventually, request } from '../support/index.ts';

const FIG = join(projectRoot, 'bin', 'fig');

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function environment(system: System): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], FIG_DATA_DIR: system.dataDir, NO_COLOR: '1', FIG_YES: '1' };
}

/** Runs `bin/fig` as a script does. */
export function fig(system: System, line: string): Promise<Ran> {
  return new Promise((resolve) => {
    const words = [FIG, ...line.split(' ')];
    execFile(process.execPath, words, { env: environment(system) }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

/** On a system that has moved nothing yet. */
export function figCommands(started: () => System): void {
  describe('bin/fig beside a whole system', () => {
    it('ends with the code that says how it went, explains requests, and finds what is away', async () => {
      const system = started();
      const run = (line: string): Promise<Ran> => fig(system, line);
      expect(await run('doctor')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^inventory {2}healthy\n[^]+payment {2}healthy\n/),
      });
      expect(await run('swich inventory')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('(Did you mean switch?)'),
      });
      expect(await run('switch inventory --yes')).toMatchObject({
        code: 3,
        stderr: expect.stringContaining('next: fig backfill inventory'),
      });
      const facade = async () => {
        const headers = asOperator(system);
        return (await request('GET', `${system.urls['admin']}/status`, { headers })).body;
      };
      await run('flags set payment.writes on');
      await eventually(async () =>
        expect(await facade()).toMatchObject({
          engine: 'answers',
          capabilities: [
            { name: 'inventory', wish: { to: 'legacy', fulfilled: true, waitsFor: [] } },
            {
              name: 'payment',
              wish: {
                to: 'extracted',
                fulfilled: false,
                spent: null,
                waitsFor: expect.arrayContaining([
                  {
                    gate: 'backfill',
                    reason: expect.stringMatching(/./),
                    next: 'fig backfill payment',
                  },
                ]),
              },
            },
          ],
        }),
      );
      await run('flags set payment.writes off');
      expect(await run('explain GET /api/inventory/SHIP-001 --customer CORK')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/goes to monolith at http.+, as a read\n[^]+why .+CORK/),
      });
      const told = JSON.parse((await run('explain POST /api/orders --json')).stdout) as unknown;
      expect(told).toMatchObject({ schemaVersion: 1, kind: 'write', next_steps: [] });
      system.pause('engine');
      // Each waits for an engine that does not answer.
      const [status, backfill] = await Promise.all([
        facade(),
        run('backfill inventory --timeout 0.5'),
      ]);
      expect(status).toMatchObject({
        engine: 'away',
        capabilities: [{ wish: null }, { wish: null }],
      });
      expect(backfill).toMatchObject({ code: 4 });
      system.pause('redis');
      await eventually(async () => {
        const { code, stdout } = await run('doctor --json');
        expect(code).toBe(1);
        expect(stdout).toContain('"redis_away"');
        expect(stdout).toMatch(/"engine_(dead|elsewhere)"/);
      });
      system.resume('redis');
      system.resume('engine');
      await eventually(async () => expect(await run('doctor')).toMatchObject({ code: 0 }));
      await system.kill('engine');
      expect(await run('reconcile payment')).toMatchObject({ code: 0 });
      const watching = spawn(process.execPath, [FIG, 'status', '-w'], {
        env: environment(system),
      });
      await once(watching.stdout, 'data');
      watching.kill('SIGINT');
      expect(await once(watching, 'exit')).toEqual([130, null]);
    }, 240_000);
  });
}

import { describe, expect, it } from '@jest/globals';
import { asOperator } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import type { AuditEntry } from '../../chassis/audit/index.ts';
import { request } from '../support/index.ts';
import { fig } from '../system/fig-commands.ts';

/** On a system whose payments belong to the service. */
export function auditOf(started: () => System): void {
  const entries = async (words = ''): Promise<readonly AuditEntry[]> => {
    const { code, stdout, stderr } = await fig(
      started(),
      `audit ${words} --json`.replace('  ', ' '),
    );
    expect([code, stderr]).toEqual([0, '']);
    return (JSON.parse(stdout) as { entries: AuditEntry[] }).entries;
  };

  describe('the audit trail', () => {
    it('tells who gave a command, why, with the gates as they were and what was answered', async () => {
      const system = started();
      await fig(system, 'ramp payment 10 --yes --reason slow');
      const [ramp] = await entries('payment --limit 1');
      expect(ramp).toMatchObject({
        action: 'fig ramp payment 10',
        capability: 'payment',
        via: 'fig',
        who: expect.stringMatching(/.@./),
        reason: 'slow',
        outcome: 'done',
      });
      const switched = (await entries('payment')).find(({ action }) =>
        action.startsWith('fig switch'),
      );
      expect(switched).toMatchObject({ outcome: 'done' });
      // A copy and a comparison have their command's name, and what they ask beforehand is no action.
      const actions = (await entries('payment --limit 50')).map(({ action }) => action);
      expect(actions).toEqual(
        expect.arrayContaining(['fig backfill payment', 'fig reconcile payment']),
      );
      expect(actions).not.toContain('POST /removals');
      expect(switched?.steps.find(({ by }) => by === 'engine')).toMatchObject({
        action: 'POST /handovers',
        before: { owner: 'legacy', gates: expect.any(Array) },
        after: { outcome: 'done', to: 'extracted' },
      });
    }, 60_000);

    it('holds refused orders, those of programs and of the console, and those without a token', async () => {
      const system = started();
      const { urls } = system;
      const engine = urls['engine'] ?? '';
      const admin = urls['admin'] ?? '';
      const order = { body: { capability: 'nothing' } };
      expect((await request('POST', `${engine}/completions`, order)).status).toBe(401);
      const known = { ...order, headers: asOperator(system) };
      expect((await request('POST', `${engine}/completions`, known)).status).toBe(404);
      const link = await request<{ path: string }>('POST', `${admin}/links`, {
        headers: { ...asOperator(system), 'fig-operator': 'anna' },
      });
      const entered = await request('GET', admin + link.body.path);
      const cookie = String(entered.headers['set-cookie']).split(';')[0] ?? '';
      await request('POST', `${admin}/engine/reconciles`, {
        headers: { cookie, 'fig-reason': encodeURIComponent('zu spät?') },
        body: { capability: 'payment' },
        timeoutMs: 30_000,
      });
      const all = await entries('--since 1m');
      expect(all.slice(0, 4)).toEqual([
        expect.objectContaining({
          action: 'POST /reconciles',
          via: 'console',
          who: 'anna',
          reason: 'zu spät?',
          outcome: 'done',
          capability: 'payment',
        }),
        expect.objectContaining({ action: 'POST /links', who: 'anna', outcome: 'done' }),
        expect.objectContaining({
          action: 'POST /completions',
          via: 'api',
          outcome: 'refused',
          code: 'unknown_capability',
        }),
        expect.objectContaining({ outcome: 'refused', code: 'token_required', who: 'unknown' }),
      ]);
      const refused = await entries('--outcome refused --limit 2');
      expect(refused.map(({ code }) => code)).toEqual(['unknown_capability', 'token_required']);
      const page = await request<{ entries: AuditEntry[] }>('GET', `${admin}/audit?limit=1`, {
        headers: asOperator(system),
      });
      expect(page.body.entries).toEqual([all[0]]);
    }, 60_000);

    it('is read where the engine is dead', async () => {
      const system = started();
      system.pause('engine');
      try {
        expect((await entries()).length).toBeGreaterThan(3);
      } finally {
        system.resume('engine');
      }
    }, 30_000);
  });
}

import { describe, expect, it } from '@jest/globals';
import { createOperator } from '../../rehearsal/index.ts';
import type { Operator } from '../../rehearsal/index.ts';
import { asOperator } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import { eventually, request, withSystem } from '../support/index.ts';
import { withUnleash } from './unleash-server.ts';
import type { UnleashServer } from './unleash-server.ts';

interface Stage {
  readonly unleash: UnleashServer;
  readonly system: System;
  /** The command line of somebody who may change flags on the server. */
  readonly fig: Operator;
}

/** A system whose flags an Unleash server keeps, with inventory copied and compared. */
function withFlagsFromServer(use: (stage: Stage) => Promise<void>): Promise<void> {
  return withUnleash((unleash) =>
    withSystem({ variables: unleash.variables }, async (system) => {
      const fig = createOperator({ ...system.env, UNLEASH_ADMIN_TOKEN: unleash.adminToken });
      expect(await fig('backfill', 'inventory')).toMatchObject({ code: 0 });
      expect(await fig('reconcile', 'inventory')).toMatchObject({ code: 0 });
      await use({ unleash, system, fig });
    }),
  );
}

async function answererFor(system: System, customer: string): Promise<string> {
  const asked = new URLSearchParams({ method: 'GET', path: '/api/inventory/SHIP-001', customer });
  const { body } = await request<{ upstream: { name: string } }>(
    'GET',
    `${system.urls['admin']}/explain?${asked.toString()}`,
    { headers: asOperator(system) },
  );
  return body.upstream.name;
}

async function shareOfReads(system: System): Promise<number> {
  const customers = Array.from({ length: 200 }, (_, index) => `C-${index}`);
  const answerers = await Promise.all(customers.map((one) => answererFor(system, one)));
  return (answerers.filter((name) => name === 'inventory').length * 100) / customers.length;
}

async function statusOf(fig: Operator): Promise<Readonly<Record<string, unknown>>> {
  const { output } = await fig('status');
  const { capabilities } = output as { capabilities: Record<string, unknown>[] };
  return capabilities.find(({ capability }) => capability === 'inventory') ?? {};
}

async function ownerOf(fig: Operator): Promise<unknown> {
  return (await statusOf(fig))['owner'];
}

function untilOwned(fig: Operator, owner: string): Promise<unknown> {
  return eventually(async () => (await ownerOf(fig)) === owner, { intervalMs: 200 });
}

async function adjust({ urls }: System): Promise<number> {
  const url = `${urls['facade']}/api/inventory/SHIP-001/adjustments`;
  const body = { delta: 1, reason: 'counted again' };
  return (await request('POST', url, { body })).status;
}

describe('flags of a real Unleash server', () => {
  it(
    'move reads and ownership, by the command line and by hand, and may be lost at any moment',
    () =>
      withFlagsFromServer(async ({ unleash, system, fig }) => {
        // Nobody has made a flag yet: everything is the old system's.
        expect(await shareOfReads(system)).toBe(0);
        expect(await fig('ramp', 'inventory', '40')).toMatchObject({
          code: 0,
          output: {
            outcome: 'set',
            before: 0,
            share: 40,
            source: unleash.variables['UNLEASH_URL'],
          },
        });
        const flag = await unleash.admin('GET', '/inventory.reads');
        expect(flag.body).toMatchObject({
          environments: expect.arrayContaining([
            expect.objectContaining({ name: 'development', enabled: true }),
            expect.objectContaining({ name: 'production', enabled: false }),
          ]),
        });
        await eventually(async () => {
          const share = await shareOfReads(system);
          expect(share).toBeGreaterThan(25);
          expect(share).toBeLessThan(55);
        });
        await unleash.turn('inventory.reads', false);
        await eventually(async () => (await shareOfReads(system)) === 0);
        expect(await fig('ramp', 'inventory', '100')).toMatchObject({ output: { before: 0 } });
        await eventually(async () => (await shareOfReads(system)) === 100);

        // A person asks there; the engine moves when it is safe.
        expect(await fig('flags', 'set', 'inventory.writes', 'off')).toMatchObject({ code: 0 });
        await unleash.admin('POST', '', { name: 'inventory.writes', type: 'operational' });
        await unleash.turn('inventory.writes', true);
        await untilOwned(fig, 'extracted');

        // Without the server everybody goes by what they last heard.
        await unleash.kill();
        expect(await adjust(system)).toBe(201);
        expect(await shareOfReads(system)).toBe(100);
        expect(await fig('ramp', 'inventory', '10')).toMatchObject({
          code: 1,
          errors: expect.stringMatching(/ECONNREFUSED/),
        });
        await eventually(async () =>
          expect(await fig('status')).toMatchObject({
            output: { flags: { read: true, trouble: { reason: expect.any(String) } } },
          }),
        );
        expect(await fig('flags')).toMatchObject({
          code: 1,
          output: { readable: false, inForce: { inventory: { reads: 100, writes: true } } },
        });
        // And who starts then serves by the fences: flags that it can't see mean nothing.
        await system.kill('facade');
        await system.kill('engine');
        await system.ready();
        expect(await adjust(system)).toBe(201);
        const before = await statusOf(fig);
        expect(before).toMatchObject({ owner: 'extracted', shares: null });

        // The engine is there first: what it has not read yet asks for nothing.
        await unleash.start();
        await eventually(async () =>
          expect(await statusOf(fig)).toMatchObject({ shares: { reads: 100, writes: true } }),
        );
        // Nor does a switch that is on for some only, whatever it says at each moment.
        const strategies = '/inventory.writes/environments/development/strategies';
        const { body } = await unleash.admin('GET', strategies);
        const [{ id = '' } = {}] = body as { id?: string }[];
        const parameters = { rollout: '50', stickiness: 'default', groupId: 'inventory.writes' };
        const half = { name: 'flexibleRollout', parameters, constraints: [] };
        expect(await unleash.admin('PUT', `${strategies}/${id}`, half)).toMatchObject({
          status: 200,
        });
        await eventually(async () =>
          expect(await statusOf(fig)).toMatchObject({
            shares: { writes: null, conditions: { writes: expect.stringMatching(/some only/) } },
          }),
        );
        const inList = { contextName: 'userId', operator: 'IN', values: ['ann'] };
        const narrowed = { name: 'default', parameters: {}, constraints: [inList] };
        const reads = '/inventory.reads/environments/development/strategies';
        expect(await unleash.admin('POST', reads, narrowed)).toMatchObject({ status: 200 });
        expect(await fig('ramp', 'inventory', '60')).toMatchObject({
          code: 3,
          errors: expect.stringMatching(/userId IN ann/),
        });
        expect(await fig('ramp', 'inventory', '60', '--overwrite')).toMatchObject({ code: 0 });
        expect(await fig('flags')).toMatchObject({
          code: 0,
          output: { flags: { 'inventory.reads': 60 } },
        });
        expect(await statusOf(fig)).toMatchObject({ owner: 'extracted', epoch: before['epoch'] });
        const wrong = { ...system.env, UNLEASH_TOKEN: 'nobody' };
        expect(await createOperator(wrong)('flags')).toMatchObject({
          code: 1,
          errors: expect.stringMatching(/answered 401.+UNLEASH_TOKEN/),
        });
        const noApi = (system.env['UNLEASH_URL'] ?? '').replace(/\/api$/, '');
        expect(await createOperator({ ...system.env, UNLEASH_URL: noApi })('flags')).toMatchObject({
          code: 1,
          errors: expect.stringMatching(/UNLEASH_URL has to name its API/),
        });
        await unleash.turn('inventory.writes', false);
        await untilOwned(fig, 'legacy');
        expect(await adjust(system)).toBe(201);
      }),
    400_000,
  );

  it(
    'are set by a switch of the engine that may, and otherwise named as what to turn',
    () =>
      withUnleash((unleash) =>
        withSystem(
          { variables: { ...unleash.variables, UNLEASH_ADMIN_TOKEN: unleash.adminToken } },
          async (system) => {
            const fig = createOperator(system.env);
            for (const verb of ['backfill', 'reconcile', 'switch']) {
              expect(await fig(verb, 'inventory')).toMatchObject({ code: 0 });
            }
            const { body } = await unleash.admin('GET', '/inventory.writes');
            expect(body).toMatchObject({
              type: 'operational',
              environments: expect.arrayContaining([
                expect.objectContaining({ name: 'development', enabled: true }),
              ]),
            });
            const powerless = createOperator({ ...system.env, UNLEASH_ADMIN_TOKEN: 'nobody' });
            expect(await powerless('ramp', 'inventory', '10')).toMatchObject({
              code: 1,
              errors: expect.stringMatching(/UNLEASH_ADMIN_TOKEN may change flags/),
            });
            const elsewhere = createOperator({ ...system.env, UNLEASH_ENVIRONMENT: 'moon' });
            expect(await elsewhere('flags', 'set', 'inventory.reads', '10')).toMatchObject({
              code: 1,
              errors: expect.stringMatching(
                /UNLEASH_ENVIRONMENT is "moon".+development, production/,
              ),
            });
          },
        ),
      ),
    400_000,
  );
});

import { Router } from 'express';
import type { Request } from 'express';
import { z } from 'zod';
import { parse, Problem } from '../../chassis/index.ts';
import { BarrierTimeoutError } from '../replication/feed/index.ts';
import { DRAIN_HEADER } from '../../routing/index.ts';
import type { RoutingState } from '../../routing/index.ts';
import { ParkedError } from '../sides/side-database.ts';
import { REST } from '../ownership/fence-rows.ts';
import { abort } from './abort.ts';
import type { CapabilityController } from './capability-controller.ts';
import type { CohortRequest } from './cohort-request.ts';
import { complete, planCompletion } from './complete.ts';
import { backfill, reconcile, removal } from './copies.ts';
import { handOver, planHandover } from './hand-over.ts';
import type { LastComparisons, ParkedList } from './differences.ts';
import type { FlagChange, FlagChangeOptions } from './flag-change.ts';
import type { HandoverList } from './handover-list.ts';
import { makeChange, operatorChange } from './operator-changes.ts';
import type { LiveStatus } from './live-status.ts';
import type { AbortPlan } from './plans.ts';
import { abortable, planAbort, planBackfill, planReconcile } from './plans.ts';
import { leading } from './refusals.ts';
import { repairCapability } from './repair-as-leader.ts';
import type { ShareOrder } from './shares.ts';

/** What the routes need of an engine, besides its controllers. */
interface RoutedEngine {
  readonly controllers: ReadonlyMap<string, CapabilityController>;
  status(): Promise<{ readonly capabilities: readonly LiveStatus[] }>;
  routing(): readonly RoutingState[];
  /** A facade without Redis says which writes have finished. */
  hearDrain(text: string): void;
  handovers(): Promise<HandoverList>;
  comparisons(): Promise<LastComparisons>;
  parked(): Promise<ParkedList>;
  setShare(order: ShareOrder, options: FlagChangeOptions): Promise<FlagChange>;
}

const named = z.strictObject({ capability: z.string() });
const deletion = named.extend({ deleteRows: z.int().min(0).optional() });
const backfillOrder = deletion.extend({
  restart: z.boolean().default(false),
  // Rows a second; null lifts the limit, and without it the limit stays as it is.
  rate: z.int().min(1).max(1e9).nullable().optional(),
  dryRun: z.boolean().default(false),
});
const reconcileOrder = deletion.extend({
  sample: z.number().gt(0).max(100).optional(),
  repair: z.boolean().default(false),
  dryRun: z.boolean().default(false),
});
const shareOrder = named.extend({
  kind: z.enum(['shadow', 'reads']),
  share: z.int().min(0).max(100),
  overwrite: z.boolean().default(false),
  dryRun: z.boolean().default(false),
});
const key = z
  .string()
  .min(1)
  .refine(
    (text) => text !== REST,
    `"${REST}" stands for all keys: leave customers out to move them`,
  );
const handoverOrder = named
  .extend({
    to: z.enum(['legacy', 'extracted'], 'give "legacy" or "extracted"'),
    dryRun: z.boolean().default(false),
    // Whatever the flag asks for, and without turning it.
    withoutFlags: z.boolean().default(false),
    // Single keys, or a share of them in percent; everything when both are left out.
    customers: z.array(key).min(1).optional(),
    share: z.number().gt(0).max(100).optional(),
  })
  .refine(({ customers, share }) => customers === undefined || share === undefined, {
    path: ['share'],
    error: 'give either customers or a share of them',
  });

const completionOrder = named.extend({ dryRun: z.boolean().default(false) });
const repairOrder = named.extend({
  trust: z.enum(['legacy', 'extracted']).nullable().default(null),
  // Whether the trusted side takes over the rows that only the other one has.
  keep: z.boolean().default(false),
  deleteRows: z.int().min(0).optional(),
});
const changeOrder = named.extend({ change: operatorChange });
const abortOrder = named.extend({
  handover: z.string().min(1),
  dryRun: z.boolean().default(false),
});

/** What the engine serves: its state for people and facades, and the orders of an operator. */
export function engineRoutes(engine: RoutedEngine): Router {
  const router = Router();
  router.get('/status', async (_req, res) => {
    res.json(await engine.status());
  });
  router.get('/routing', (req, res) => {
    const drain = req.get(DRAIN_HEADER);
    if (drain !== undefined) engine.hearDrain(drain);
    res.json({ capabilities: engine.routing() });
  });
  router.get('/handovers', async (_req, res) => {
    res.json(await engine.handovers());
  });
  router.get('/comparisons', async (_req, res) => {
    res.json(await engine.comparisons());
  });
  router.get('/parked', async (_req, res) => {
    res.json(await engine.parked());
  });
  router.get('/barrier/:capability', async (req, res) => {
    const controller = find(engine, req.params.capability);
    res.json({ position: await barrier(controller) });
  });
  router.post('/backfills', async (req, res) => {
    const { capability, dryRun, ...wish } = orderIn(backfillOrder, req);
    const controller = find(engine, capability);
    if (dryRun) {
      const status = await statusOf(engine, capability);
      res.json(planBackfill(controller.mapping, status, wish.restart));
      return;
    }
    await backfill(controller, wish);
    res.status(202).json({ capability, state: 'running' });
  });
  router.post('/removals', async (req, res) => {
    const { capability, ...wish } = orderIn(deletion, req);
    res.json(await removal(find(engine, capability), wish));
  });
  router.post('/reconciles', async (req, res) => {
    const { capability, dryRun, ...order } = orderIn(reconcileOrder, req);
    const controller = find(engine, capability);
    const plan = async (): Promise<object> =>
      planReconcile(controller.mapping, (await statusOf(engine, capability)).owner);
    res.json(dryRun ? await plan() : await reconcile(controller, order));
  });
  router.post('/shares', async (req, res) => {
    const { overwrite, dryRun, ...order } = orderIn(shareOrder, req);
    find(engine, order.capability);
    res.json(await engine.setShare(order, { overwrite, dryRun }));
  });
  router.post('/completions', async (req, res) => {
    const { capability, dryRun } = orderIn(completionOrder, req);
    const controller = find(engine, capability);
    res.json(dryRun ? await planCompletion(controller) : await complete(controller));
  });
  router.post('/handovers', async (req, res) => {
    const { capability, to, dryRun, withoutFlags, customers, share } = orderIn(handoverOrder, req);
    const controller = find(engine, capability);
    const wish: CohortRequest | undefined = customers
      ? { customers }
      : share === undefined
        ? undefined
        : { share };
    res.json(
      dryRun
        ? await planHandover(controller, to, wish)
        : await handOver(controller, to, { wish, withoutFlags }),
    );
  });
  router.post('/repairs', async (req, res) => {
    const { capability, trust, keep, deleteRows } = orderIn(repairOrder, req);
    const decision = trust === null ? null : { side: trust, keep, deleteRows };
    res.json(await repairCapability(find(engine, capability), decision));
  });
  router.post('/changes', async (req, res) => {
    const { capability, change } = orderIn(changeOrder, req);
    res.json(await makeChange(find(engine, capability), change));
  });
  router.post('/aborts', async (req, res) => {
    const { capability, handover, dryRun } = orderIn(abortOrder, req);
    const controller = find(engine, capability);
    const plan = async (): Promise<AbortPlan> => abortPlan(await statusOf(engine, capability));
    res.json(dryRun ? await plan() : await abort(controller, handover));
  });
  return router;
}

/** @throws Problem 400 with the field, its value and what it takes */
function orderIn<T>(schema: z.ZodType<T>, { body }: Request): T {
  return parse(
    schema,
    body ?? {},
    'body',
    'see what the command of the same name takes: fig COMMAND --help',
  );
}

function find(engine: RoutedEngine, capability: string): CapabilityController {
  const controller = engine.controllers.get(capability);
  if (controller) return controller;
  const known = [...engine.controllers.keys()].join(', ');
  throw new Problem(404, 'unknown_capability', `there is no ${capability}; known are ${known}`);
}

/** The status of a capability that has a controller. */
async function statusOf(engine: RoutedEngine, capability: string): Promise<LiveStatus> {
  const { capabilities } = await engine.status();
  return capabilities.find((one) => one.capability === capability) as LiveStatus;
}

/** @throws Problem where there is nothing to take back, or it is too late */
function abortPlan(status: LiveStatus): AbortPlan {
  const found = abortable(status);
  if (!('code' in found)) return planAbort(status, found);
  const { code, reason, next } = found;
  throw new Problem(409, code, reason, { members: { capability: status.capability, next } });
}

async function barrier(controller: CapabilityController): Promise<number> {
  const { data } = leading(controller);
  try {
    // Ownership may have moved a moment ago, and a write been answered by the new owner.
    await data.ownerChanged();
    return await data.barrier();
  } catch (error) {
    const headers = { 'retry-after': '1' };
    if (error instanceof BarrierTimeoutError) {
      throw new Problem(503, 'barrier_timeout', error.message, { headers });
    }
    // Whoever asks must go on reading from the owner.
    if (error instanceof ParkedError)
      throw new Problem(503, 'changes_parked', error.message, { headers });
    throw error;
  }
}

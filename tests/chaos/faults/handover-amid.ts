import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { countMismatches, persevere } from '../../../rehearsal/index.ts';
import type { Progress } from '../../../rehearsal/index.ts';
import { asOperator } from '../../../system/index.ts';
import { eventually, request } from '../../support/index.ts';
import { effectsOf } from '../base/effects.ts';
import { fileOf } from '../base/rows.ts';
import type { Capability, SideName } from '../base/rows.ts';
import { Watcher } from '../handover/moment.ts';
import { startClients } from './clients.ts';
import type { Clients, Seen } from './clients.ts';
import type { FaultyShop } from './faulty-shop.ts';
import { isWell } from './judge.ts';
import { wronglyStored } from './stored.ts';
import { CACHED, FEW } from './times.ts';

/** What the gateway is in the middle of when ownership moves. */
export const AMID = [
  'an open breaker',
  'an ejected instance',
  'an exhausted bucket',
  'a cached answer',
  'an expiring token',
  'a rolling restart',
] as const;
export type Amid = (typeof AMID)[number];

/** What was seen of one handover. */
export interface AmidReport {
  readonly amid: Amid;
  readonly to: SideName;
  readonly broken: readonly string[];
  /** Requests of the clients meanwhile, and how often the pattern was seen to act. */
  readonly requests: number;
  readonly acted: number;
}

/** What a pattern is brought to before a handover, and what is looked at meanwhile. */
interface Scene {
  /** Called once its pattern acts; resolves when the handover is over. */
  play(handOver: () => Promise<void>): Promise<Played>;
  /** Whether an answer is what the pattern gives. */
  allows?(seen: Seen): boolean;
}

interface Played {
  readonly broken: readonly string[];
  readonly acted: number;
}

/** Hands inventory over and back in the middle of each, and compares what is stored with what clients were told. */
export async function handOverAmid(
  shop: FaultyShop,
  amids: readonly Amid[],
  progress: Progress,
  signal: AbortSignal,
): Promise<{ reports: readonly AmidReport[]; broken: readonly string[] }> {
  const { fig } = shop;
  const clients = await startClients(shop);
  const reports: AmidReport[] = [];
  try {
    await clients.warm();
    for (const capability of ['inventory', 'payment']) {
      await persevere(fig, capability, ['backfill', capability], { signal });
    }
    // The service has requests before it owns anything.
    await persevere(fig, 'inventory', ['ramp', 'inventory', '100'], { signal });
    for (const amid of amids) {
      for (const to of ['extracted', 'legacy'] as const) {
        progress.stage(`handover to ${to} amid ${amid}`);
        await persevere(fig, 'inventory', ['reconcile', 'inventory'], { signal });
        reports.push(await handOverOnce(shop, clients, amid, to));
      }
    }
    await clients.settle();
  } finally {
    await clients.stop();
  }
  const broken = await wronglyStored(shop, clients, 'legacy');
  for (const capability of ['inventory', 'payment']) {
    const rows = await countMismatches(fig, capability);
    if (rows > 0) broken.push(`fig reconcile ${capability} finds ${rows} rows that differ`);
  }
  return { reports, broken };
}

async function handOverOnce(
  shop: FaultyShop,
  clients: Clients,
  amid: Amid,
  to: SideName,
): Promise<AmidReport> {
  const from: SideName = to === 'legacy' ? 'extracted' : 'legacy';
  const stale = clients.stale.length;
  let [beganAt, endedAt] = [0, 0];
  const scene = SCENES[amid](shop, from, to);
  const { broken, acted } = await scene.play(async () => {
    beganAt = performance.now();
    await move(shop, 'inventory', to);
    endedAt = performance.now();
  });
  await eventually(() => [...clients.underWay].every((sentAt) => sentAt > endedAt));
  const seen = clients.seen.filter((each) => each.from >= beganAt && each.from <= endedAt);
  const failed = seen.filter((each) => !isWell(each) && scene.allows?.(each) !== true);
  return {
    amid,
    to,
    broken: [
      ...broken,
      ...failed.map(({ route, what, ms }) => `${route}: ${what} after ${Math.round(ms)} ms`),
      ...clients.stale.slice(stale),
      ...(acted === 0 ? [`${amid} was not seen to act`] : []),
    ],
    requests: seen.length,
    acted,
  };
}

async function move({ system }: FaultyShop, capability: Capability, to: SideName) {
  const { status, body } = await request('POST', `${system.urls['engine']}/handovers`, {
    headers: asOperator(system),
    body: { capability, to },
    timeoutMs: 30_000,
  });
  if (status !== 200) throw new Error(`the handover is answered ${status} ${JSON.stringify(body)}`);
}

interface Status {
  readonly breakers: readonly { readonly upstream: string; readonly state: string }[];
  readonly instances: readonly { readonly upstream: string; readonly ejected: boolean }[];
  readonly capabilities: readonly { readonly capability: string; readonly holding: boolean }[];
}

async function statusOf({ system }: FaultyShop): Promise<Status> {
  const url = `${system.urls['admin']}/status`;
  return (await request<Status>('GET', url, { headers: asOperator(system) })).body;
}

async function isHolding(shop: FaultyShop): Promise<boolean> {
  const { capabilities } = await statusOf(shop);
  return capabilities.some(({ capability, holding }) => capability === 'inventory' && holding);
}

const upstreamOf = (side: SideName) => (side === 'legacy' ? 'monolith' : 'inventory');

const SCENES: Readonly<Record<Amid, (shop: FaultyShop, from: SideName, to: SideName) => Scene>> = {
  'an open breaker': openBreaker,
  'an ejected instance': ejectedInstance,
  'an exhausted bucket': exhaustedBucket,
  'a cached answer': cachedAnswer,
  'an expiring token': expiringToken,
  'a rolling restart': rollingRestart,
};

/** The owner fails until its breaker opens; then it is well, and ownership leaves it before anything is sent to it again. */
function openBreaker(shop: FaultyShop, from: SideName): Scene {
  const upstream = upstreamOf(from);
  const isOpen = async (): Promise<boolean> =>
    (await statusOf(shop)).breakers.some(
      (each) => each.upstream === upstream && each.state === 'open',
    );
  return {
    async play(handOver) {
      const ill = [
        shop.proxies[upstream],
        ...(upstream === 'inventory' ? [shop.second.inventory] : []),
      ];
      for (const proxy of ill) proxy.fault = 'reset';
      await eventually(isOpen, { intervalMs: 5 });
      for (const proxy of ill) proxy.fault = undefined;
      await handOver();
      const acted = (await isOpen()) ? 1 : 0;
      // Whatever else goes there is to be well for the next.
      await eventually(async () => !(await isOpen()));
      return { broken: [], acted };
    },
    // The monolith answers for payment and orders as well.
    allows: ({ what }) => what === '503 upstream_ill',
  };
}

/** One of two processes of the service is gone, and left out. */
function ejectedInstance(shop: FaultyShop): Scene {
  const isEjected = async (): Promise<boolean> =>
    (await statusOf(shop)).instances.some(
      ({ upstream, ejected }) => upstream === 'inventory' && ejected,
    );
  return {
    async play(handOver) {
      const token = await shop.token({ customer: 'GDANSK' });
      await shop.system.kill('inventory2');
      // Reads of one who has written nothing go to the service, whoever owns the stock, and find out.
      await eventually(async () => {
        await lookAt(shop, token);
        return isEjected();
      });
      await handOver();
      const acted = (await isEjected()) ? 1 : 0;
      await shop.system.ready('inventory2');
      return { broken: [], acted };
    },
  };
}

async function lookAt({ system }: FaultyShop, token: string): Promise<number> {
  const url = `${system.urls['facade']}/api/inventory/SHIP-005`;
  const answer = await request('GET', url, { headers: { authorization: `Bearer ${token}` } });
  return answer.status;
}

/** A client goes on writing beyond its limit: neither handover gives it another one. */
function exhaustedBucket(shop: FaultyShop, from: SideName, to: SideName): Scene {
  const customer = `GREEDY-${from}`;
  return {
    async play(handOver) {
      const token = await shop.token({ customer });
      const told: string[] = [];
      const write = async (): Promise<void> => {
        const { status } = await adjust(shop, FEW.path, token, `${customer}-${told.length}`);
        told.push(String(status));
      };
      // Some are left when ownership begins to move.
      while (told.length < FEW.requests / 2) await write();
      let over = false;
      const moved = handOver().then(() => (over = true));
      while (!over) await write();
      await moved;
      while (told.length < 2 * FEW.requests) await write();
      const expected = told.map((_each, index) => (index < FEW.requests ? '201' : '429'));
      const { adjustments } = await effectsOf(shop.system, { inventory: to, payment: 'legacy' });
      const stored = [...adjustments].filter(([key]) => key.startsWith(`${customer}-`));
      const wrong = stored.filter(([, times]) => times !== 1);
      return {
        broken: [
          ...(told.join() === expected.join() ? [] : [`the greedy client was told ${told.join()}`]),
          ...(stored.length === FEW.requests && wrong.length === 0
            ? []
            : [`${stored.length} of its writes are stored, ${wrong.length} of them twice`]),
        ],
        acted: told.filter((each) => each === '429').length,
      };
    },
  };
}

function adjust(
  { system }: FaultyShop,
  path: string,
  token: string,
  key: string,
): ReturnType<typeof request> {
  return request('POST', `${system.urls['facade']}${path}`, {
    headers: { authorization: `Bearer ${token}`, 'idempotency-key': key },
    body: { delta: 1, reason: key },
    timeoutMs: 30_000,
  });
}

/** A customer reads what is cached, and writes to it: each answer is to hold all that they wrote. */
function cachedAnswer(shop: FaultyShop, from: SideName): Scene {
  return {
    async play(handOver) {
      const token = await shop.token({ customer: 'DELFT' });
      const headers = { authorization: `Bearer ${token}` };
      const url = `${shop.system.urls['facade']}${CACHED.path}`;
      const broken: string[] = [];
      let hits = 0;
      let expected: number | undefined;
      const read = async (): Promise<void> => {
        const answer = await request<{ onHand: number }>('GET', url, { headers });
        const { onHand } = answer.body;
        const told = String(answer.headers['cache-status']);
        if (told.includes('hit')) hits += 1;
        expected ??= onHand;
        if (onHand !== expected) broken.push(`${onHand} was read for ${expected}: ${told}`);
      };
      let number = 0;
      const write = async (): Promise<void> => {
        number += 1;
        const key = `CACHED-${from}-${number}`;
        const { status } = await adjust(shop, `${CACHED.path}/adjustments`, token, key);
        if (status === 201) expected = (expected ?? 0) + 1;
        else broken.push(`a write was answered ${status}`);
      };
      const readUntilHit = async (): Promise<void> => {
        const before = hits;
        await eventually(async () => {
          await read();
          return hits > before;
        });
      };
      await persevere(shop.fig, 'inventory', [
        'ramp',
        'inventory',
        from === 'legacy' ? '0' : '100',
      ]);
      await read();
      await write();
      await readUntilHit();
      let over = false;
      const moved = handOver().then(() => (over = true));
      for (let round = 0; !over; round += 1) {
        if (round % 10 === 0) await write();
        await read();
      }
      await moved;
      await write();
      await read();
      // Reads stay with the owner before, and after.
      await persevere(shop.fig, 'inventory', [
        'ramp',
        'inventory',
        from === 'legacy' ? '100' : '0',
      ]);
      await readUntilHit();
      await write();
      await read();
      await persevere(shop.fig, 'inventory', ['ramp', 'inventory', '100']);
      return { broken, acted: hits };
    },
  };
}

/** What the facade forgives an issuer's clock. */
const SKEW_MS = 5_000;
/** How long a token counts at least, so that a write with it is let in. */
const LIFE_MS = 250;

/** A write is let in by a token that expires while the write is held: it is carried out all the same. */
function expiringToken(shop: FaultyShop, from: SideName, to: SideName): Scene {
  return {
    async play(handOver) {
      const watcher = await Watcher.open(shop, 'inventory', to);
      const target = new Database(fileOf(shop.system, 'inventory', to));
      // An engine that can't end a handover takes it back after two seconds: the token's second is to end sooner.
      await delay((1_200 - (Date.now() % 1_000)) % 1_000);
      const moved = handOver();
      try {
        await watcher.reached('not closed', moved);
        // The handover can't end before this transaction does.
        target.exec('BEGIN IMMEDIATE');
        await eventually(
          async () => (await isHolding(shop)) || (await watcher.moment()) === 'over',
          { intervalMs: 5 },
        );
        // Tokens expire with a whole second.
        const endsAt = Math.ceil((Date.now() + LIFE_MS) / 1_000) * 1_000;
        const token = await shop.token({ customer: 'EMDEN', expiresAt: endsAt - SKEW_MS });
        const wasHeld = (await watcher.moment()) !== 'over';
        const held = adjust(shop, '/api/inventory/SHIP-006/adjustments', token, `EXPIRING-${from}`);
        await delay(Math.max(0, endsAt + 50 - Date.now()));
        target.exec('ROLLBACK');
        const { status } = await held;
        const after = await lookAt(shop, token);
        return {
          broken: [
            ...(status === 201 ? [] : [`the held write was answered ${status}`]),
            ...(after === 401 ? [] : [`its token was answered ${after} afterwards`]),
          ],
          acted: wasHeld && after === 401 ? 1 : 0,
        };
      } finally {
        target.close();
        await moved;
        await watcher.close();
      }
    },
  };
}

/** All processes of both services are replaced, one after the other, while both capabilities move. */
function rollingRestart(shop: FaultyShop, _from: SideName, to: SideName): Scene {
  const { system, fig } = shop;
  return {
    async play(handOverInventory) {
      await persevere(fig, 'payment', ['reconcile', 'payment']);
      let restarted = 0;
      const roll = async (): Promise<void> => {
        for (const name of ['inventory2', 'payment2', 'inventory', 'payment']) {
          await system.kill(name, 'SIGTERM');
          await system.ready(name);
          restarted += 1;
        }
      };
      const rolled = roll();
      await move(shop, 'payment', to);
      await handOverInventory();
      await rolled;
      return { broken: [], acted: restarted };
    },
  };
}

import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { inTurns, quantile, readable, startNode } from '../harness/index.ts';
import type { NodeChild, Rounds } from '../harness/index.ts';
import { startOurFacade } from './our-facade.ts';
import type { OurFacade } from './our-facade.ts';
import type { Stage } from './stage.ts';

/** A flip takes a moment only, so that there can be many for each round of the others. */
const FLIPS_A_ROUND = 3;
const CALLERS = 8;
const BEFORE_MS = 300;
const AFTER_MS = 300;
const UPSTREAM = fileURLToPath(new URL('rivals/upstream.js', import.meta.url));

export interface Flip {
  /** From when the flag was set until no new request went the old way. */
  readonly ms: number;
  /** The slowest hundredth of the requests before that. */
  readonly requestP99Ms: number;
}

/** Sets the reads flag from 0 to 100 %, again and again, while requests of many customers go on. */
export async function measureFlagFlips(stage: Stage): Promise<Rounds<Flip>> {
  const { folder, rounds, signal, say } = stage;
  const legacy = await startUpstream('legacy');
  const extracted = await startUpstream('extracted');
  const facade = await startOurFacade({
    folder: join(folder, 'flips'),
    legacyUrl: `http://127.0.0.1:${legacy.ports['http']}`,
    extractedUrl: `http://127.0.0.1:${extracted.ports['http']}`,
  });
  const agent = new Agent({ connections: 2 * CALLERS });
  try {
    const lanes = [{ name: 'ours', run: () => flipOnce(facade, agent) }];
    const show = ({ ms, requestP99Ms }: Flip): string =>
      `${readable(ms)} ms, a request ${readable(requestP99Ms)} ms at the p99`;
    return await inTurns(lanes, { rounds: rounds * FLIPS_A_ROUND, signal, say, show });
  } finally {
    await agent.destroy();
    await Promise.all([facade, legacy, extracted].map((each) => each.stop()));
  }
}

async function flipOnce(facade: OurFacade, agent: Agent): Promise<Flip> {
  await facade.flags({ 'items.reads': 0 });
  await settle(facade.url, agent, 'legacy');
  return measureFlip(facade.url, agent, () => facade.flags({ 'items.reads': 100 }));
}

function startUpstream(name: string): Promise<NodeChild> {
  return startNode(UPSTREAM, { env: { UPSTREAM_NAME: name } });
}

async function ask(url: string, agent: Agent, customer: number): Promise<string> {
  const answer = await request(`${url}/api/items/1`, {
    dispatcher: agent,
    headers: { 'x-customer-id': `C${customer}` },
  });
  await answer.body.dump();
  return String(answer.headers['x-from']);
}

async function settle(url: string, agent: Agent, side: string): Promise<void> {
  for (let streak = 0, customer = 0; streak < 50; customer += 1) {
    streak = (await ask(url, agent, customer)) === side ? streak + 1 : 0;
  }
}

/** Callers that ask without a pause; each request remembers when it was sent. */
async function measureFlip(url: string, agent: Agent, flip: () => Promise<void>): Promise<Flip> {
  let lastOldSentAt = 0;
  let flippedAt = Infinity;
  let going = true;
  const took: number[] = [];
  const callers = Array.from({ length: CALLERS }, async (_unused, caller) => {
    for (let count = 0; going; count += 1) {
      const sentAt = performance.now();
      const side = await ask(url, agent, caller * 1_000 + (count % 1_000));
      if (side === 'legacy') lastOldSentAt = Math.max(lastOldSentAt, sentAt);
      if (performance.now() < flippedAt) took.push(performance.now() - sentAt);
    }
  });
  await delay(BEFORE_MS);
  await flip();
  flippedAt = performance.now();
  await delay(AFTER_MS);
  going = false;
  await Promise.all(callers);
  return { ms: Math.max(0, lastOldSentAt - flippedAt), requestP99Ms: quantile(took, 0.99) };
}

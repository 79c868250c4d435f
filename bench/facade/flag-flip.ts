import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { startNode } from '../harness/index.ts';
import type { NodeChild } from '../harness/index.ts';
import { startOurFacade } from './our-facade.ts';

const FLIPS = 10;
const UPSTREAM = fileURLToPath(new URL('rivals/upstream.js', import.meta.url));

/**
 * Sets the reads flag from 0 to 100 % while requests of many customers go on.
 * @returns for each flip, ms from when the flag was set until no new request went the old way
 */
export async function measureFlagFlips(folder: string): Promise<readonly number[]> {
  const legacy = await startUpstream('legacy');
  const extracted = await startUpstream('extracted');
  const facade = await startOurFacade({
    folder: join(folder, 'flips'),
    legacyUrl: `http://127.0.0.1:${legacy.ports['http']}`,
    extractedUrl: `http://127.0.0.1:${extracted.ports['http']}`,
  });
  const agent = new Agent({ connections: 16 });
  try {
    const flips: number[] = [];
    for (let flip = 0; flip < FLIPS; flip += 1) {
      await facade.flags({ 'items.reads': 0 });
      await settle(facade.url, agent, 'legacy');
      flips.push(await measureFlip(facade.url, agent, () => facade.flags({ 'items.reads': 100 })));
    }
    return flips;
  } finally {
    await agent.destroy();
    await Promise.all([facade, legacy, extracted].map((each) => each.stop()));
  }
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

/** Eight callers that ask without a pause; each request remembers when it was sent. */
async function measureFlip(url: string, agent: Agent, flip: () => Promise<void>): Promise<number> {
  let lastOldSentAt = 0;
  let going = true;
  const callers = Array.from({ length: 8 }, async (_unused, caller) => {
    for (let count = 0; going; count += 1) {
      const sentAt = performance.now();
      const side = await ask(url, agent, caller * 1_000 + (count % 1_000));
      if (side === 'legacy') lastOldSentAt = Math.max(lastOldSentAt, sentAt);
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  await flip();
  const flippedAt = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 300));
  going = false;
  await Promise.all(callers);
  return Math.max(0, lastOldSentAt - flippedAt);
}

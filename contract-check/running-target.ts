import { Agent } from 'undici';
import { locate } from '../chassis/index.ts';
import type { ServerSettings } from '../chassis/index.ts';
import { ask, WORLD } from '../contracts/cases/index.ts';
import type { RawAnswer, Target } from '../contracts/cases/index.ts';
import type { Capability } from './targets.ts';

/** Why something that runs cannot be held to the contract. */
export class UnfitTarget extends Error {
  override readonly name = 'UnfitTarget';
}

interface Probe {
  /** A list; 200 from whoever serves the capability. */
  readonly read: string;
  /** What must come first in that list, if anything must: the cases page through it. */
  readonly first?: string | undefined;
  /** A write of a thing that does not exist: nobody is changed by it, but the owner refuses it. */
  readonly write: string;
}

interface Body {
  readonly items?: readonly { readonly sku?: unknown }[];
  readonly state?: unknown;
}

const PROBES: Readonly<Record<Capability, Probe>> = {
  inventory: {
    read: '/api/inventory?limit=1',
    first: WORLD.products[0]?.sku,
    write: '/api/inventory/reservations/CT-PROBE/commit',
  },
  payment: {
    read: '/api/payments?orderId=CT-PROBE',
    write: '/api/payments/CT-PROBE/refunds',
  },
};

/** A server by its base URL; undefined when the text is none. */
export function serverAt(text: string): ServerSettings | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) return undefined;
  return `${url.pathname}${url.search}` === '/' ? { url: url.origin } : undefined;
}

type Reached = Pick<Target, 'baseUrl' | 'via'>;

async function probe(
  method: string,
  { baseUrl, via }: Reached,
  path: string,
): Promise<RawAnswer & { readonly body: Body | undefined }> {
  const url = baseUrl + path;
  try {
    return (await ask(method, url, { via })) as RawAnswer & { readonly body: Body | undefined };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UnfitTarget(`${url} does not answer: ${code ?? message}`, { cause: error });
  }
}

/** Whether a server answers for a capability, so that the cases can be run against it. */
async function serves(server: Reached, capability: Capability): Promise<boolean> {
  const { baseUrl } = server;
  const { read, write, first } = PROBES[capability];
  const seen = await probe('GET', server, read);
  if (seen.status === 404) return false;
  if (seen.status === 200 && first !== undefined && seen.body?.items?.[0]?.sku !== first) {
    throw new UnfitTarget(
      `${baseUrl} does not hold what the cases need, ${first} as the first of its articles. ` +
        'Load it, see npm run contract -- --help; what sorts before it disturbs the cases',
    );
  }
  const written = await probe('POST', server, write);
  if (written.status === 421) {
    throw new UnfitTarget(
      `${baseUrl} does not own ${capability}, its fence is ${String(written.body?.state)}: the ` +
        'cases write. Ask a facade instead, or the side that owns it',
    );
  }
  if (seen.status === 200 && written.status === 404) return true;
  throw new UnfitTarget(
    `${baseUrl} is not fit for the cases of ${capability}: it answers GET ${read} with ` +
      `${seen.status} and POST ${write} with ${written.status}, not with 200 and 404`,
  );
}

/**
 * A server that runs already, as a target.
 * @param asked the capabilities that it has to serve; whatever it serves when empty
 * @throws UnfitTarget saying why, and what to do
 */
export async function runningTarget(
  settings: ServerSettings,
  asked: readonly Capability[],
): Promise<Target> {
  const { url: baseUrl, connect } = locate(settings);
  const server = { baseUrl, via: new Agent({ connect }) };
  const areas: Capability[] = [];
  const candidates = asked.length > 0 ? asked : (Object.keys(PROBES) as Capability[]);
  for (const capability of candidates) {
    if (await serves(server, capability)) areas.push(capability);
    else if (asked.length > 0) throw new UnfitTarget(`${baseUrl} does not serve ${capability}`);
  }
  if (areas.length > 0) return { name: baseUrl, ...server, areas };
  throw new UnfitTarget(`${baseUrl} serves none of ${candidates.join(', ')}`);
}

import { z } from 'zod';
import type { Logger } from '../../chassis/index.ts';
import type { SideName } from '../../routing/index.ts';
import type { Capability } from '../match/index.ts';
import type { OwnershipCache } from './ownership-cache.ts';

const AGAIN_MS = 1_000;
/** What a service with a fence of its own tells; others have no such route, or mean another thing. */
const answer = z.object({
  fences: z.array(
    z.object({
      capability: z.string(),
      key: z.string(),
      state: z.enum(['open', 'closed', 'ceded']),
      epoch: z.number(),
    }),
  ),
});
type Fence = z.infer<typeof answer>['fences'][number];

interface FencePollerOptions {
  readonly ownershipCache: OwnershipCache;
  readonly log: Logger;
  /** @returns what the side answers there */
  fencesAt(capability: Capability, side: SideName): Promise<string>;
}

/**
 * Asks the services themselves who owns what, for as long as nobody else has told: a facade may start
 * while neither engine nor Redis are there. Without it a capability that has left the monolith for good
 * would be asked for where it is no more.
 */
export class FencePoller {
  readonly #options: FencePollerOptions;
  #capabilities: readonly Capability[] = [];
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(options: FencePollerOptions) {
    this.#options = options;
  }

  /** Follows these capabilities from now on. */
  adopt(capabilities: readonly Capability[]): void {
    this.#capabilities = capabilities.filter(({ replicated }) => replicated);
  }

  /** Starts to ask; resolves when everybody has been asked once, or nobody has to be. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.#run(), AGAIN_MS).unref();
    await this.#run();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #run(): Promise<void> {
    this.#running ??= this.#ask().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #ask(): Promise<void> {
    const { ownershipCache } = this.#options;
    const untold = this.#capabilities.filter(
      (capability) => !ownershipCache.isReported(capability),
    );
    await Promise.all(
      untold.flatMap((capability) =>
        (['legacy', 'extracted'] as const).map(async (side) => {
          for (const fence of await this.#fencesAt(capability, side)) {
            if (fence.capability === capability.name) this.#learn(capability, side, fence);
          }
        }),
      ),
    );
  }

  #learn(capability: Capability, side: SideName, { key: of, state, epoch }: Fence): void {
    const { ownershipCache } = this.#options;
    const key = of === '*' ? undefined : of;
    if (state === 'ceded') ownershipCache.fenced(capability, key, { side, state, epoch });
    else if (state === 'open') ownershipCache.opened(capability, key, side, epoch);
  }

  async #fencesAt(capability: Capability, side: SideName): Promise<readonly Fence[]> {
    try {
      const text = await this.#options.fencesAt(capability, side);
      return answer.parse(JSON.parse(text)).fences;
    } catch (error) {
      const { log } = this.#options;
      log.debug({ err: error, capability: capability.name, side }, 'a side tells no fences');
      return [];
    }
  }
}

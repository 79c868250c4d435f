import { asOperator } from '../system/index.ts';
import type { System } from '../system/index.ts';
import type { Ledger } from './ledger.ts';
import type { Progress } from './progress.ts';
import type { Traffic } from './traffic.ts';

interface Watched {
  readonly system: System;
  readonly ledger: Ledger;
  readonly traffic: Traffic;
  readonly total: number;
  readonly progress: Progress;
}

/** The part of the engine's status that is shown while a rehearsal runs. */
interface EngineStatus {
  readonly capabilities: readonly {
    readonly capability: string;
    readonly owner: string | null;
    readonly lag?: { readonly changes: number };
    readonly shares?: Readonly<Record<string, number | boolean>>;
  }[];
}

const EVERY_MS = 200;
/** What is older than this is not shown as what is. */
const PATIENCE_MS = 2_000;

/** Shows where the rehearsal is: stage, shares, lag, requests and failures. */
export function watch({ system, ledger, traffic, total, progress }: Watched): {
  stage(name: string): void;
  stop(): void;
} {
  let stage = 'starting';
  let shares = '';
  let lag = '?';
  let asking = false;

  /** One question at a time: an engine that is slow to answer is not asked more, but less often. */
  async function ask(): Promise<void> {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch(`${system.urls['engine'] ?? ''}/status`, {
        headers: asOperator(system),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const { capabilities } = (await answer.json()) as EngineStatus;
      shares = capabilities
        .map(({ capability, owner, shares: flags }) => {
          return `${capability}: ${owner ?? 'moving'}, reads ${String(flags?.['reads'] ?? 0)} %`;
        })
        .join('; ');
      lag = String(capabilities.reduce((sum, { lag: of }) => sum + (of?.changes ?? 0), 0));
    } catch {
      // The engine may be down because it was killed on purpose; the line then shows what was.
      lag = '?';
    } finally {
      asking = false;
    }
  }

  const timer = setInterval(() => {
    void ask();
    progress.update({
      stage,
      orders: `${Math.round(traffic.progress() * total)}/${total} orders`,
      requests: ledger.requests,
      failed: ledger.failed.length,
      shares,
      lag,
    });
  }, EVERY_MS);
  return {
    stage: (name) => {
      stage = name;
    },
    stop: () => {
      clearInterval(timer);
      progress.end();
    },
  };
}

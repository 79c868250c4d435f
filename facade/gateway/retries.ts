import type { RetryConfig } from '../../routing/index.ts';
import type { Retries } from '../upstream/index.ts';
import { RetryBudget } from './retry-budget.ts';

/** Retries with exponential backoff and full jitter, inside a budget. */
export class BudgetedRetries implements Retries {
  refused = 0;
  readonly #config: RetryConfig;
  readonly #budget: RetryBudget;

  constructor(config: RetryConfig) {
    const { budget: share, perSecond } = config;
    this.#config = config;
    this.#budget = new RetryBudget({ share, perSecond });
  }

  requested(): void {
    this.#budget.requested(performance.now());
  }

  waitAfter(sent: number): number | undefined {
    const { attempts, backoffMs } = this.#config;
    if (sent >= attempts) return undefined;
    if (!this.#budget.take(performance.now())) {
      this.refused += 1;
      return undefined;
    }
    // Full jitter, so that requests that failed together do not come back together.
    return Math.random() * backoffMs * 2 ** (sent - 1);
  }
}

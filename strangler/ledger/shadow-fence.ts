import type { Mapping } from '../mapping/index.ts';
import type { SideName } from '../../routing/side.ts';
import type { BypassingWrites, ShadowFence, ShadowReport } from '../ownership/shadow-fence.ts';
import type { Ledger, Tx } from './dialect.ts';

/** `ShadowFence` over a ledger. A dialect adds its triggers, and what they have counted. */
export abstract class LedgerShadowFence<T extends Tx> implements ShadowFence {
  protected readonly ledger: Ledger<T>;
  protected readonly mapping: Mapping;
  protected readonly side: SideName;

  constructor(ledger: Ledger<T>, mapping: Mapping, side: SideName) {
    this.ledger = ledger;
    this.mapping = mapping;
    this.side = side;
  }

  /** Puts the triggers in place for watching or not, and runs `record`, in one transaction. */
  protected abstract replacing(watch: boolean, record: (tx: T) => Promise<void>): Promise<void>;
  /** What was counted, the newest first. */
  protected abstract counted(tx: T): Promise<readonly BypassingWrites[]>;

  on(): Promise<void> {
    return this.#watch(1, async (tx) => {
      await tx.run(
        `DELETE FROM fig_trespass WHERE capability = $1 AND NOT EXISTS
           (SELECT 1 FROM fig_watch WHERE capability = $1 AND until IS NULL)`,
        [this.mapping.capability],
      );
      await tx.run(
        `INSERT INTO fig_watch AS known (capability, since) VALUES ($1, $2)
           ON CONFLICT (capability) DO UPDATE SET until = NULL,
             since = CASE WHEN known.until IS NULL THEN known.since ELSE excluded.since END`,
        [this.mapping.capability, Date.now()],
      );
    });
  }

  off(): Promise<void> {
    return this.#watch(0, async (tx) => {
      await tx.run('UPDATE fig_watch SET until = $2 WHERE capability = $1 AND until IS NULL', [
        this.mapping.capability,
        Date.now(),
      ]);
    });
  }

  report(): Promise<ShadowReport | null> {
    return this.ledger.snapshot(async (tx) => {
      const watch = await tx.get<Pick<ShadowReport, 'since' | 'until'>>(
        'SELECT since, until FROM fig_watch WHERE capability = $1',
        [this.mapping.capability],
      );
      if (watch === undefined) return null;
      return { on: watch.until === null, ...watch, writes: await this.counted(tx) };
    });
  }

  #watch(watch: 0 | 1, record: (tx: T) => Promise<void>): Promise<void> {
    return this.replacing(watch === 1, async (tx) => {
      await record(tx);
      await tx.run(`UPDATE fig_fence SET watch = $2 WHERE capability = $1 AND key = '*'`, [
        this.mapping.capability,
        watch,
      ]);
    });
  }
}

import Database from 'better-sqlite3';
import { setTimeout as delay } from 'node:timers/promises';
import { fileOf } from '../base/rows.ts';
import type { Capability, SideName } from '../base/rows.ts';
import type { Stand } from '../base/stand.ts';

/** How far a handover has come, by the fences. */
export const MOMENTS = ['not closed', 'closed', 'ceded', 'over'] as const;
export type Moment = (typeof MOMENTS)[number];

const LOOK_MS = 1;

/** Looks at a handover from outside: the fences and records of both databases. */
export class Watcher {
  readonly #capability: string;
  readonly #source: Database.Database;
  readonly #target: Database.Database;

  constructor({ system }: Stand, capability: Capability, to: SideName) {
    const from: SideName = to === 'legacy' ? 'extracted' : 'legacy';
    this.#capability = capability;
    this.#source = new Database(fileOf(system, capability, from), { readonly: true });
    this.#target = new Database(fileOf(system, capability, to), { readonly: true });
  }

  /** Waits until the handover is recorded and has come as far, or until `answered`. */
  async reached(moment: Moment, answered: Promise<unknown>): Promise<void> {
    let waiting = true;
    void answered.then(() => (waiting = false));
    const sql = `SELECT 1 FROM fig_handover WHERE capability = ? AND outcome IS NULL`;
    const unfinished = this.#source.prepare(sql);
    while (waiting && unfinished.get(this.#capability) === undefined) await delay(LOOK_MS);
    while (waiting && MOMENTS.indexOf(this.moment()) < MOMENTS.indexOf(moment)) {
      await delay(LOOK_MS);
    }
  }

  moment(): Moment {
    if (stateIn(this.#target, this.#capability) === 'open') return 'over';
    const source = stateIn(this.#source, this.#capability);
    if (source === 'ceded') return 'ceded';
    return source === 'closed' ? 'closed' : 'not closed';
  }

  close(): void {
    this.#source.close();
    this.#target.close();
  }
}

function stateIn(database: Database.Database, capability: string): unknown {
  const sql = `SELECT state FROM fig_fence WHERE capability = ? AND key = '*'`;
  return database.prepare(sql).pluck().get(capability);
}

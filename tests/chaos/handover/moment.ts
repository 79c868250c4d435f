import { setTimeout as delay } from 'node:timers/promises';
import { openPrompt } from '../base/prompt.ts';
import type { Prompt } from '../base/prompt.ts';
import { urlOf } from '../base/rows.ts';
import type { Capability, SideName } from '../base/rows.ts';
import type { Stand } from '../base/stand.ts';

/** How far a handover has come, by the fences. */
export const MOMENTS = ['not closed', 'closed', 'ceded', 'over'] as const;
export type Moment = (typeof MOMENTS)[number];

const LOOK_MS = 1;

/** Looks at a handover from outside: the fences and records of both databases. */
export class Watcher {
  readonly #capability: string;
  readonly #source: Prompt;
  readonly #target: Prompt;

  private constructor(capability: string, source: Prompt, target: Prompt) {
    this.#capability = capability;
    this.#source = source;
    this.#target = target;
  }

  static async open(
    { system }: Pick<Stand, 'system'>,
    capability: Capability,
    to: SideName,
  ): Promise<Watcher> {
    const from: SideName = to === 'legacy' ? 'extracted' : 'legacy';
    const prompts = [from, to].map((side) => openPrompt(urlOf(system, capability, side)));
    const [source, target] = (await Promise.all(prompts)) as [Prompt, Prompt];
    return new Watcher(capability, source, target);
  }

  /** Waits until the handover is recorded and has come as far, or until `answered`. */
  async reached(moment: Moment, answered: Promise<unknown>): Promise<void> {
    let waiting = true;
    void answered.then(() => (waiting = false));
    const sql = `SELECT 1 FROM fig_handover
      WHERE capability = '${this.#capability}' AND outcome IS NULL`;
    while (waiting && (await this.#source.rows(sql)).length === 0) await delay(LOOK_MS);
    while (waiting && MOMENTS.indexOf(await this.moment()) < MOMENTS.indexOf(moment)) {
      await delay(LOOK_MS);
    }
  }

  async moment(): Promise<Moment> {
    if ((await this.#stateIn(this.#target)) === 'open') return 'over';
    const source = await this.#stateIn(this.#source);
    if (source === 'ceded') return 'ceded';
    return source === 'closed' ? 'closed' : 'not closed';
  }

  async close(): Promise<void> {
    await Promise.all([this.#source.close(), this.#target.close()]);
  }

  async #stateIn(prompt: Prompt): Promise<unknown> {
    const [fence] = await prompt.rows(
      `SELECT state FROM fig_fence WHERE capability = '${this.#capability}' AND key = '*'`,
    );
    return fence?.['state'];
  }
}

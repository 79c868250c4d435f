export interface Sustained {
  /** Requests a second that went well, at the best step. */
  readonly perSecond: number;
  /** Clients of the best step. */
  readonly clients: number;
}

interface Ramp {
  readonly from?: number;
  readonly upTo?: number;
  /** By how much twice as many clients must get more done, for the ramp to go on. */
  readonly gain?: number;
}

/**
 * Finds what a system sustains: clients that send their next request when the last one was answered are
 * doubled until that gets no more done. Such clients can't overload anything, they only wait longer, so
 * the most that they get done is what can be done.
 * @param measure answers a second with so many clients
 * @throws Error when nothing was answered
 */
export async function findSustained(
  measure: (clients: number) => Promise<number>,
  { from = 4, upTo = 128, gain = 1.05 }: Ramp = {},
): Promise<Sustained> {
  let best: Sustained = { perSecond: 0, clients: 0 };
  for (let [clients, flat] = [from, 0]; clients <= upTo && flat < 2; clients *= 2) {
    const perSecond = await measure(clients);
    // One step without a gain may be one that was disturbed.
    flat = perSecond < best.perSecond * gain ? flat + 1 : 0;
    if (perSecond > best.perSecond) best = { perSecond, clients };
  }
  if (best.perSecond === 0) throw new Error('nothing was answered while the load was raised');
  return best;
}

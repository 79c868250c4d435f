import { unreadableText } from '../../routing/index.ts';
import type { FoundStatus } from './read-status.ts';
import { sharesText } from './status-text.ts';
import type { ShownStatus } from './status-text.ts';

/**
 * What has changed since the look before, one line each, for where nothing can be redrawn. Lag and
 * ages change all the time and are no news.
 */
export class WatchedLines {
  readonly #told = new Map<string, string>();

  /**
   * @param deadLetters what was given up and who can't say so, a line each
   * @param gateway what of gateways does not work, likewise
   */
  of(
    { source, engineUrl, late, flags, capabilities }: FoundStatus,
    deadLetters: readonly string[] = [],
    gateway: readonly string[] = [],
  ): readonly string[] {
    const engine =
      source === 'engine' ? `answers at ${engineUrl}` : (late ?? `does not answer at ${engineUrl}`);
    return [
      ...this.#news('engine', engine),
      ...this.#news('flags', unreadableText(flags) ?? `read from ${flags.source}`),
      ...this.#anyOf('dead letters', deadLetters, 'none any more'),
      ...this.#anyOf('gateway', gateway, 'all of it works again'),
      ...capabilities.flatMap((status) => this.#news(status.capability, summary(status))),
    ];
  }

  /** Nothing, until there was something once. */
  #anyOf(name: string, lines: readonly string[], none: string): readonly string[] {
    if (lines.length === 0 && !this.#told.has(name)) return [];
    return this.#news(name, lines.join('; ') || none);
  }

  #news(name: string, text: string): readonly string[] {
    if (this.#told.get(name) === text) return [];
    this.#told.set(name, text);
    return [`${new Date().toISOString()}  ${name}  ${text}`];
  }
}

function summary(status: ShownStatus): string {
  const { stage, owner, epoch, shares, backfill, reconcile, parked, demand, trouble } = status;
  return [
    stage,
    `owner ${owner ?? 'none'}, epoch ${epoch}`,
    sharesText(shares),
    `backfill ${backfill.state}`,
    reconcile === null ? 'never compared' : reconcile.clean ? 'clean' : 'differences found',
    ...(parked ? [`${parked.changes} parked`] : []),
    ...(demand ? [`to be compared as a whole: ${demand.reason}`] : []),
    ...handovers(status),
    ...(status.broken ? [`broken: ${status.broken}`] : []),
    ...trouble,
  ].join('; ');
}

function handovers({ moving, lastHandover, intent }: ShownStatus): readonly string[] {
  const refused = intent?.refused ?? null;
  return [
    ...(moving
      ? [`${moving.from} -> ${moving.to} at ${moving.steps.at(-1)?.step ?? 'its begin'}`]
      : []),
    ...(lastHandover
      ? [`last ${lastHandover.from} -> ${lastHandover.to} ${lastHandover.outcome ?? ''}`]
      : []),
    ...(intent?.spent ? [`wish spent: ${intent.spent}`] : []),
    ...(refused ? [`waits for gate "${refused.gate}"`] : []),
  ];
}

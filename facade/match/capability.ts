import type { CapabilityConfig, FigConfig, SideName } from '../../routing/index.ts';

/** What the facade knows of one capability from the configuration. */
export interface Capability {
  readonly name: string;
  /** Place in arrays that are kept per capability; it stays when the configuration changes. */
  readonly index: number;
  readonly flags: { readonly reads: string; readonly writes: string; readonly shadow: string };
  /** Names of upstreams. */
  readonly upstreams: Readonly<Record<SideName, string>>;
  /**
   * Whether rows move between the sides. Where they don't, requests are all there is to move:
   * there is no fence, both sides are always fit to serve, and the flags alone decide.
   */
  readonly replicated: boolean;
  /** Whether a handover waits for writes under way: an application of it can't say FENCED. */
  readonly finishesFirst: boolean;
  /** Whether both sides carry out a write only once that comes twice with the same key. */
  readonly honoursKeys: boolean;
  /** How requests name the key, where single keys may have another owner than the rest. */
  readonly cohorts: { readonly header: string; readonly isCustomer: boolean } | undefined;
  /** Whether both sides take an encoded slash as a part of a segment. */
  readonly passesEncodedSlashes: boolean;
  /** Body paths that may differ between the sides. */
  readonly ignore: readonly string[];
}

/** Numbers capabilities; a name keeps its number for as long as the process lives. */
export class Indexes {
  readonly #byName = new Map<string, number>();

  of(name: string): number {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const index = this.#byName.size;
    this.#byName.set(name, index);
    return index;
  }
}

/** What a configuration says of one capability. */
export function capabilityOf(
  name: string,
  settings: CapabilityConfig,
  config: FigConfig,
  index: number,
): Capability {
  return {
    name,
    index,
    flags: { reads: `${name}.reads`, writes: `${name}.writes`, shadow: `${name}.shadow` },
    upstreams: { legacy: settings.legacy, extracted: settings.extracted },
    replicated: settings.databases !== undefined,
    finishesFirst: [settings.legacy, settings.extracted].some((upstream) =>
      config.drainFirst.includes(upstream),
    ),
    honoursKeys: [settings.legacy, settings.extracted].every((upstream) =>
      config.honoursKeys.includes(upstream),
    ),
    passesEncodedSlashes: settings.encodedSlashes === 'pass',
    cohorts: cohortsOf(settings, config),
    ignore: settings.ignore.map(({ path }) => path),
  };
}

function cohortsOf(
  { cohorts }: CapabilityConfig,
  { stickyHeader }: FigConfig,
): Capability['cohorts'] {
  if (cohorts === undefined || !('header' in cohorts)) return undefined;
  const { header } = cohorts;
  return { header, isCustomer: header === stickyHeader };
}

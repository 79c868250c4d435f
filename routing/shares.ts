import type { Flags } from './flags.ts';

/** What the flags of a capability ask for. */
export interface Shares {
  /** In percent; where conditions narrow it, the most it can be. */
  readonly shadow: number;
  readonly reads: number;
  /** Whether extracted should own the writes; null: the flag asks for nothing, and the owner stays. */
  readonly writes: boolean | null;
  /** What the figures do not tell: conditions, and why `writes` asks for nothing. */
  readonly conditions: Readonly<Partial<Record<'shadow' | 'reads' | 'writes', string>>>;
}

/** What a status needs of the flags. */
export type FlagReadings = Pick<Flags, 'state' | 'rule' | 'switch'>;

/** What the flags of a capability ask for; null while they have never been read. */
export function sharesOf(capability: string, flags: FlagReadings): Shares | null {
  if (!flags.state().read) return null;
  const [shadow, reads] = [flags.rule(`${capability}.shadow`), flags.rule(`${capability}.reads`)];
  const { on, refused, made } = flags.switch(`${capability}.writes`);
  return {
    shadow: shadow.share,
    reads: reads.share,
    writes: on,
    conditions: {
      ...(shadow.conditions === null ? {} : { shadow: shadow.conditions }),
      ...(reads.conditions === null ? {} : { reads: reads.conditions }),
      ...(refused === null || !made ? {} : { writes: refused }),
    },
  };
}

import { ago, refuse } from '../handover/gate.ts';
import type { Gate, Judgement } from '../handover/gate.ts';
import type { SideName } from '../../../routing/side.ts';
import { plural } from '../../wording.ts';

/** Somebody who still asks the legacy side for what has moved. */
export interface Reader {
  readonly times: number;
  /** ms since 1970. */
  readonly newest: number;
  /** Such as `GET /api/items/7`. */
  readonly what: string;
}

/** What is looked at before a capability is completed. */
export interface CompletionGateFacts {
  readonly capability: string;
  readonly trouble: string | null;
  readonly owner: SideName | null;
  readonly moving: boolean;
  /** Keys that have fences of their own. */
  readonly keys: number;
  /** When ownership moved to extracted; null when nobody knows. */
  readonly ownedSince: number | null;
  readonly broken: string | null;
  readonly parked: number;
  readonly drift: readonly string[];
  /** What the flags ask for; null while they have never been read. */
  readonly shares: {
    readonly shadow: number;
    readonly reads: number;
    readonly writes: boolean | null;
    readonly conditions: Readonly<Partial<Record<string, string>>>;
  } | null;
  readonly reader: Reader | null;
  /** Why the legacy tables can't be renamed, one text each. */
  readonly obstacles: readonly string[];
  readonly now: number;
}

export interface CompletionLimits {
  /** How long extracted has to have been the owner, in ms. */
  readonly soakMs: number;
  /** For how long no client may have asked the legacy side, in ms. */
  readonly quietMs: number;
}

type Judge = (facts: CompletionGateFacts, limits: CompletionLimits) => Judgement;

const open: Judgement = { ok: true, note: null };

const GATES: readonly (readonly [string, Judge])[] = [
  ['reachable', ({ trouble }) => (trouble === null ? open : refuse(trouble, 'fig status'))],
  [
    'owner',
    ({ owner, moving, keys, capability }) => {
      if (moving) return refuse('a handover is under way', 'fig status -w');
      if (keys > 0) {
        const reason = `${plural(keys, 'key')} of ${capability} went ahead: the rest has to follow`;
        return refuse(reason, `fig switch ${capability}`);
      }
      if (owner === 'extracted') return open;
      return refuse(`extracted does not own ${capability}`, `fig switch ${capability}`);
    },
  ],
  ['soak', judgeSoak],
  [
    'schema',
    ({ drift, capability }) =>
      drift.length === 0 ? open : refuse(drift.join('; '), `fig check ${capability} --accept`),
  ],
  [
    'broken',
    ({ broken }) =>
      broken === null ? open : refuse(`changes can't be applied: ${broken}`, 'fig status'),
  ],
  [
    'parked',
    ({ parked, capability }) =>
      parked === 0
        ? open
        : refuse(
            `legacy could not take changes that are parked there (${parked})`,
            `fig parked list ${capability}`,
          ),
  ],
  ['flags', judgeFlags],
  ['readers', judgeReader],
  ['tables', ({ obstacles }) => (obstacles.length === 0 ? open : refuse(obstacles.join('; ')))],
];

/** Judges everything that must hold before a capability is completed. */
export function judgeCompletion(
  facts: CompletionGateFacts,
  limits: CompletionLimits,
): readonly Gate<string>[] {
  const judged = GATES.map(([gate, judge]) => ({ gate, ...judge(facts, limits) }));
  return facts.trouble === null ? judged : judged.slice(0, 1);
}

function judgeSoak(
  { ownedSince, now }: CompletionGateFacts,
  { soakMs }: CompletionLimits,
): Judgement {
  if (ownedSince === null) return refuse('it is unknown since when extracted is the owner');
  const until = ownedSince + soakMs;
  if (now >= until) return open;
  return refuse(
    `extracted has been the owner for ${ago(now - ownedSince)}; it soaks for ${ago(soakMs)}, until ` +
      new Date(until).toISOString(),
  );
}

/** A share of the reads or of the comparisons at the old side would meet tables that are gone. */
function judgeFlags({ shares, capability }: CompletionGateFacts): Judgement {
  if (shares === null) return refuse('the flags were never read', 'fig flags');
  const { writes: asksNothing, reads: narrowed } = shares.conditions;
  if (shares.writes !== true) {
    const reason =
      shares.writes === false
        ? `${capability}.writes is off, which asks for the way back`
        : `${capability}.writes asks for nothing: ${asksNothing ?? 'it has not been made yet'}`;
    return refuse(reason, `fig flags set ${capability}.writes on`);
  }
  if (narrowed !== undefined) {
    const reason = `not all customers read from extracted: ${narrowed}`;
    return refuse(reason, `fig flags set ${capability}.reads 100 --overwrite`);
  }
  if (shares.reads < 100) {
    const reason = `${100 - shares.reads} % of the customers read from legacy`;
    return refuse(reason, `fig flags set ${capability}.reads 100`);
  }
  if (shares.shadow === 0) return open;
  const reason = `${shares.shadow} % of the reads are compared with legacy's answers`;
  return refuse(reason, `fig flags set ${capability}.shadow 0`);
}

function judgeReader(
  { reader, now }: CompletionGateFacts,
  { quietMs }: CompletionLimits,
): Judgement {
  if (reader === null || now - reader.newest >= quietMs) return open;
  return refuse(
    `legacy was asked ${ago(now - reader.newest)} ago (${reader.what}), ${reader.times} times in ` +
      `all since the switch; no client may have asked for ${ago(quietMs)}`,
  );
}

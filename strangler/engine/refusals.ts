import { Problem } from '../../chassis/index.ts';
import type { Refusal } from '../ownership/handover/gate.ts';
import { addressOf } from './leases.ts';
import type { OpenCapability } from './open-capability.ts';
import type { Standing } from './standing.ts';

/** What acts on one capability in this engine, as far as a refusal has to tell of it. */
interface Actor {
  readonly capability: string;
  readonly standing: Standing;
  readonly opened: OpenCapability | undefined;
}

/** The open capability that this engine leads. @throws Problem 503 when it does not */
export function leading(who: Actor): OpenCapability {
  const { opened, standing } = who;
  if (!opened || standing.as !== 'leader') throw notLeading(who);
  return opened;
}

/** What keeps rows from being read as the mapping says. */
const UNREADABLE = new Set(['no_table', 'no_column']);

/**
 * The open capability that this engine leads, if the tables and columns of its mapping exist.
 * @throws Problem 503 when it does not lead, `gate_refused` when one is missing
 */
export async function readableCapability(who: Actor): Promise<OpenCapability> {
  const opened = leading(who);
  const { legacy, extracted } = opened.sides;
  const problems = [...(await legacy.problems()), ...(await extracted.problems())];
  const missing = problems.find(({ code }) => UNREADABLE.has(code));
  if (missing === undefined) return opened;
  const { capability } = who;
  const next = `fig check ${capability}`;
  throw gateRefused(capability, { ok: false, gate: 'schema', reason: missing.message, next });
}

/** Why this engine can't act on the capability at the moment. */
export function notLeading(who: Actor): Problem {
  const { capability, standing } = who;
  if (standing.as === 'complete') return gateRefused(capability, completed(who, standing.since));
  const why =
    standing.as === 'waiting'
      ? standing.reason
      : standing.as === 'standby'
        ? `the engine ${standing.leader ?? 'that led last'} has the lease and acts instead`
        : 'it has just let go of it';
  const unfit = standing.as === 'waiting' && standing.unfit === true;
  const detail = `${capability} can't be acted on here: ${why}`;
  const rest = {
    headers: { 'retry-after': '1' },
    members: {
      capability,
      standing: standing.as,
      ...(unfit ? { next: `fig check ${capability}` } : {}),
      ...(standing.as === 'standby' ? { leader: addressOf(standing.leader) } : {}),
    },
  };
  return unfit
    ? new Problem(503, 'mapping_unfit', detail, rest)
    : new Problem(503, 'engine_not_leading', detail, rest);
}

/** There is nothing more to do to it, and no way back but by hand. */
function completed({ capability, opened }: Actor, since: number): Refusal<string> {
  const tables = opened?.sides.legacy.retirement.tables() ?? [];
  const renamed = tables.map(({ table, renamed: now }) => `${now} (${table})`).join(', ');
  const reason =
    `${capability} was completed at ${new Date(since).toISOString()}, and its way back closed. To go ` +
    `back, you would have to rename ${renamed}, bring what extracted has written since back ` +
    'into them, run fig uninstall --strand-data, and begin anew with extracted as the old side';
  return { ok: false, gate: 'complete', reason, next: null };
}

export function gateRefused(capability: string, refusal: Refusal<string>): Problem {
  const { gate: name, reason, next } = refusal;
  return new Problem(409, 'gate_refused', reason, {
    members: { capability, gate: name, reason, next },
  });
}

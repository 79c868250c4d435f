export type GateName =
  | 'reachable'
  | 'fences'
  | 'mapping'
  | 'schema'
  | 'backfill'
  | 'broken'
  | 'parked'
  | 'lag'
  | 'hold'
  | 'drain'
  | 'full_reconcile'
  | 'reconcile'
  | 'contract'
  | 'sequences'
  | 'invariants'
  | 'way_back'
  | 'shadow_fence';

/** What was found of one thing that must hold before a handover. */
export type Judgement =
  | {
      readonly ok: true;
      /** What an operator should know all the same; null when there is nothing. */
      readonly note: string | null;
    }
  | {
      readonly ok: false;
      readonly reason: string;
      /** The next command for the operator; null when there is nothing to do but to wait. */
      readonly next: string | null;
      /** There is no saying yet: it is tried when the gates before it hold. */
      readonly untried?: true;
    };

/** A gate, and whether a handover may pass it. A refusal says why, and which command helps. */
export type Gate<Name extends string = GateName> = Judgement & { readonly gate: Name };

/** A gate that is closed. */
export type Refusal<Name extends string = GateName> = Gate<Name> & { readonly ok: false };

export function refuse(reason: string, next: string | null = null): Judgement {
  return { ok: false, reason, next };
}

/** A duration in the largest unit of which it has two or more. */
export function ago(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000
    ? `${Math.round(ms / 3_600_000)} h`
    : `${Math.round(ms / 86_400_000)} days`;
}

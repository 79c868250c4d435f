import type { CapabilityStatus } from '../engine/index.ts';

const FRESH_MS = 10 * 60_000;

/** The command that takes a capability one step on, by the playbook; null when there is none. */
export function nextStep(status: CapabilityStatus): string | null {
  const { capability, stage, shares, reconcile, parked } = status;
  if (parked !== null) return `fig parked list ${capability}`;
  switch (stage) {
    case 'legacy':
      return `fig backfill ${capability}`;
    case 'backfilling':
    case 'moving':
      return 'fig status -w';
    case 'replicating':
      return `fig flags set ${capability}.shadow 100`;
    case 'shadowing':
      return `fig flags set ${capability}.reads 10`;
    case 'reading': {
      const wider = [10, 50, 100].find((share) => share > shares.reads);
      if (wider !== undefined) return `fig flags set ${capability}.reads ${wider}`;
      const fresh = reconcile?.clean === true && reconcile.ageMs < FRESH_MS;
      return fresh ? `fig switch ${capability}` : `fig reconcile ${capability}`;
    }
    case 'switched':
      return `fig reverse ${capability}`;
    case 'alarm':
      return `fig journal ${capability}`;
    default:
      return null;
  }
}

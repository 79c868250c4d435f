import type { Target } from '../../contracts/cases/index.ts';
import { eventually, request } from '../support/index.ts';
import type { Capability } from '../../contract-check/index.ts';

export type SideName = 'legacy' | 'extracted';

/** What a facade's admin app tells, as far as these tests ask. */
export interface FacadeStatus {
  readonly capabilities: readonly {
    readonly name: Capability;
    readonly owner: SideName;
    readonly pinnedCustomers: number;
    readonly flags: { readonly reads: number; readonly shadow: number };
    readonly experiments: { readonly compared: number; readonly mismatches: readonly unknown[] };
  }[];
  readonly requests: readonly {
    readonly capability: string;
    readonly side: string;
    readonly status: number;
    readonly count: number;
  }[];
}

/** A facade that runs in a process of its own. */
export interface RunningFacade {
  readonly baseUrl: string;
  readonly adminUrl: string;
  /** Headers of an operator. */
  readonly operator: Readonly<Record<string, string>>;
}

export async function statusOf({ adminUrl, operator }: RunningFacade): Promise<FacadeStatus> {
  return (await request<FacadeStatus>('GET', `${adminUrl}/status`, { headers: operator })).body;
}

/** How many requests of a capability each side has answered so far. */
export function answersOf({ requests }: FacadeStatus, capability: Capability) {
  const of = (side: SideName): number =>
    requests
      .filter((row) => row.capability === capability && row.side === side)
      .reduce((sum, { count }) => sum + count, 0);
  return { legacy: of('legacy'), extracted: of('extracted') };
}

/**
 * A facade as a target.
 * @param patient whether clients wait until their writes have reached the other side, and so have
 *   their reads answered there; others are shown the owner's answers for a moment
 */
export function facadeTarget(facade: RunningFacade, name: string, patient: boolean): Target {
  const { baseUrl } = facade;
  const areas = ['catalogue', 'inventory', 'payment', 'orders'] as const;
  if (!patient) return { name, baseUrl, areas };
  return { name, baseUrl, areas, settled: () => allSettled(facade) };
}

async function allSettled(facade: RunningFacade): Promise<void> {
  await eventually(
    async () => {
      const { capabilities } = await statusOf(facade);
      return capabilities.every(({ pinnedCustomers }) => pinnedCustomers === 0);
    },
    { intervalMs: 10 },
  );
}

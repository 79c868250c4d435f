import type { Shares } from '../../routing/index.ts';
import type { NextStep } from '../engine/next-step.ts';
import { step } from '../engine/next-step.ts';
import type { FacadeAnswer } from './facade-status.ts';
import type { Paint } from '../../chassis/cli/index.ts';
import { readsText } from './status-text.ts';

/** A capability of which no rows move: only facades know of it. */
export interface RoutedStatus {
  readonly capability: string;
  /** As the first facade that answers has read them; null where none does. */
  readonly shares: Shares | null;
  /** Requests since the facades have started, by the side that answered. */
  readonly requests: Readonly<Record<string, number>>;
  /** Answers of both sides that were compared. */
  readonly compared: { readonly matched: number; readonly mismatched: number };
}

/** What all facades together say of capabilities of which no rows move. */
export function routedStatus(
  names: readonly string[],
  facades: readonly FacadeAnswer[],
): readonly RoutedStatus[] {
  const facts = facades.flatMap((answer) => answer.facts ?? []);
  return names.map((capability) => {
    const told = facts.flatMap(({ capabilities }) =>
      capabilities.filter(({ name }) => name === capability),
    );
    const sum = (of: 'matched' | 'mismatched'): number =>
      told.reduce((total, { experiments }) => total + (experiments?.[of] ?? 0), 0);
    const requests: Record<string, number> = {};
    for (const each of facts.flatMap(({ traffic }) => traffic)) {
      if (each.capability !== capability) continue;
      requests[each.side] = (requests[each.side] ?? 0) + each.requests;
    }
    return {
      capability,
      shares: told[0]?.flags ?? null,
      requests,
      compared: { matched: sum('matched'), mismatched: sum('mismatched') },
    };
  });
}

export function routedText(status: RoutedStatus, paint: Paint): string {
  const { capability, shares, requests, compared } = status;
  const answered = Object.entries(requests).map(([side, count]) => `${side} ${count}`);
  const leaves = [
    ['shares', shares === null ? 'not known: no facade answers' : readsText(shares)],
    ['requests', answered.join(', ') || 'none yet'],
    ['compared', `${compared.matched} alike, ${compared.mismatched} different`],
    ['next', routedStep(status).command],
  ] as const;
  const lines = leaves.map(
    ([name, text], index) =>
      `${paint('dim', index === leaves.length - 1 ? '└─' : '├─')} ${name.padEnd(9)}  ${text}`,
  );
  return [`${paint('bold', capability)}  ${paint('cyan', 'routed')}`, ...lines].join('\n');
}

/** Compare first, then move reads; no rows move, so the flags are all that there is. */
export function routedStep({ capability, shares, compared }: RoutedStatus): NextStep {
  if (shares === null) return step('fig doctor', 'says what is away');
  if (compared.mismatched > 0) return step('fig open', 'the console shows what differs');
  if (shares.shadow === 0 && shares.reads === 0) {
    return step(`fig shadow ${capability} 100`, 'compares the answers of both');
  }
  if (shares.reads < 100) {
    const share = shares.reads < 10 ? 10 : shares.reads < 50 ? 50 : 100;
    return step(`fig ramp ${capability} ${share}`, 'moves reads');
  }
  return step(`fig ramp ${capability} 0`, 'the way back');
}

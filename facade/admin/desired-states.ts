import { z } from 'zod';
import type { HttpClient } from '../../chassis/index.ts';

/** Somebody who asks again so soon is told the same. */
const FRESH_MS = 500;
const ASK_TIMEOUT_MS = 1_000;

const side = z.enum(['legacy', 'extracted']);
const gate = z.object({
  gate: z.string(),
  ok: z.boolean(),
  reason: z.string().optional(),
  next: z.string().nullish(),
});
/** The part of the engine's status that says how far a request has come. */
const engineStatus = z.object({
  capabilities: z.array(
    z.object({
      capability: z.string(),
      intent: z.object({
        to: side.nullable(),
        spent: z.string().nullable(),
        refused: gate.nullable(),
      }),
      gates: z.array(gate).nullable(),
      owner: side.nullable(),
    }),
  ),
});

/** What the flags ask for, and what becomes of it, as the engine tells. */
export interface DesiredState {
  /** The side that is to own the capability; null while nobody knows what the flags ask for. */
  readonly to: 'legacy' | 'extracted' | null;
  readonly fulfilled: boolean;
  /** Why it is not tried again until it is asked for anew. */
  readonly spent: string | null;
  /** The gates that keep it waiting, each with what helps; none where it does not wait for gates. */
  readonly waitsFor: readonly {
    readonly gate: string;
    readonly reason: string;
    /** A command; null where there is nothing to do but to wait. */
    readonly next: string | null;
  }[];
}

/** What an engine says of the wishes; null while none answers. */
export type DesiredStates = Readonly<Record<string, DesiredState>> | null;

/**
 * Asks the engine why a request waits, so that the status of the facade can show it.
 * @returns asks it; never throws
 */
export function readDesiredStates(engine: HttpClient): () => Promise<DesiredStates> {
  let answer: Promise<DesiredStates> | undefined;
  let askedAt = 0;
  return () => {
    if (answer === undefined || performance.now() - askedAt > FRESH_MS) {
      askedAt = performance.now();
      answer = ask(engine);
    }
    return answer;
  };
}

async function ask(engine: HttpClient): Promise<DesiredStates> {
  try {
    const { status, body } = await engine.call('GET', '/status', { timeoutMs: ASK_TIMEOUT_MS });
    const told = status === 200 ? engineStatus.safeParse(body) : undefined;
    if (!told?.success) return null;
    return Object.fromEntries(
      told.data.capabilities.map((each) => [each.capability, desiredStateOf(each)] as const),
    );
  } catch {
    return null;
  }
}

type ReportedCapability = z.infer<typeof engineStatus>['capabilities'][number];

function desiredStateOf({
  intent: { to, spent, refused },
  gates,
  owner,
}: ReportedCapability): DesiredState {
  const fulfilled = to === owner;
  const shut = (gates ?? []).filter(({ ok }) => !ok);
  // All gates are only looked at once there is a copy to hand over; the first that is shut, always.
  const known = shut.length > 0 || refused === null ? shut : [refused];
  const closed = fulfilled ? [] : known;
  return {
    to,
    fulfilled,
    spent,
    waitsFor: closed.map(({ gate: name, reason = '', next = null }) => {
      return { gate: name, reason, next };
    }),
  };
}

/** By what an action was given. */
export type AuditVia = 'fig' | 'console' | 'api';

export type AuditOutcome = 'done' | 'refused' | 'failed';

/** An operator has asked for something; written before it is begun. */
export interface Asked {
  readonly event: 'asked';
  /** Of the action: what a command has an engine do is recorded under the command's id. */
  readonly id: string;
  /** ms since 1970. */
  readonly at: number;
  /** The process that records it. */
  readonly by: string;
  /** As the holder of the operators' token gave it: Fig does not check the name. */
  readonly who: string;
  /** The address that it came from. */
  readonly from: string;
  readonly via: AuditVia;
  /** The command line, or the route. */
  readonly action: string;
  readonly capability: string | null;
  /** Why, in the operator's words. */
  readonly reason: string | null;
  /** What was posted. */
  readonly order: unknown;
  /** What was known before: the dry run with its gates. */
  readonly evidence: unknown;
}

/** What came of it. */
export interface Ended {
  readonly event: 'ended';
  readonly id: string;
  readonly at: number;
  readonly by: string;
  readonly outcome: AuditOutcome;
  /** Of a refusal or a failure; the words that the operator was told beside it. */
  readonly code: string | null;
  readonly detail: string | null;
  /** What was answered. */
  readonly evidence: unknown;
}

export type AuditEvent = Asked | Ended;

/** What one process recorded of an action. */
export interface AuditStep {
  readonly by: string;
  readonly action: string;
  readonly at: number;
  readonly endedAt: number | null;
  readonly outcome: AuditOutcome | null;
  readonly code: string | null;
  readonly detail: string | null;
  readonly order: unknown;
  readonly before: unknown;
  readonly after: unknown;
}

/** An action with all that is recorded of it. */
export interface AuditEntry extends Pick<
  Asked,
  'id' | 'at' | 'who' | 'from' | 'via' | 'action' | 'capability' | 'reason'
> {
  /** Null while it goes on, and where the process that recorded it died before it ended. */
  readonly outcome: AuditOutcome | null;
  readonly code: string | null;
  readonly detail: string | null;
  readonly endedAt: number | null;
  /** Of the command itself, and of what it had other processes do. */
  readonly steps: readonly AuditStep[];
}

/** Events as entries, the newest first. The outcome is that of the first process that was asked, where it told one. */
export function entriesOf(events: readonly AuditEvent[]): readonly AuditEntry[] {
  const byId = new Map<string, AuditEvent[]>();
  for (const event of events) byId.set(event.id, [...(byId.get(event.id) ?? []), event]);
  return [...byId.values()]
    .flatMap((all) => entryOf(all) ?? [])
    .sort((left, right) => right.at - left.at);
}

function entryOf(events: readonly AuditEvent[]): AuditEntry | undefined {
  const asked = events.filter((event) => event.event === 'asked');
  const [first] = asked;
  if (!first) return undefined;
  const { id, at, who, from, via, action, reason } = first;
  const open = events.filter((event) => event.event === 'ended');
  const steps = asked.map((step) => {
    const index = open.findIndex(({ by }) => by === step.by);
    const [ended] = index < 0 ? [] : open.splice(index, 1);
    return stepOf(step, ended);
  });
  const told = steps[0]?.outcome ? steps[0] : steps.findLast(({ outcome }) => outcome !== null);
  return {
    id,
    at,
    who,
    from,
    via,
    action,
    capability: asked.find(({ capability }) => capability !== null)?.capability ?? null,
    reason,
    outcome: told?.outcome ?? null,
    code: told?.code ?? null,
    detail: told?.detail ?? null,
    endedAt: told?.endedAt ?? null,
    steps,
  };
}

function stepOf({ by, action, at, order, evidence }: Asked, ended: Ended | undefined): AuditStep {
  return {
    by,
    action,
    at,
    endedAt: ended?.at ?? null,
    outcome: ended?.outcome ?? null,
    code: ended?.code ?? null,
    detail: ended?.detail ?? null,
    order,
    before: evidence,
    after: ended?.evidence ?? null,
  };
}

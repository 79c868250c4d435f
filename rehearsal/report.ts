import type { Outage } from './kills.ts';

export interface HandoverReport {
  readonly capability: string;
  readonly direction: 'forward' | 'back';
  /** How long clients' writes waited, in ms; zero where none had to. */
  readonly holdMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly heldWrites: number;
  /** Acknowledged writes that were under way while it was done; without any it shows nothing. */
  readonly liveWrites: number;
}

export interface Invariant {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Failed requests that an outage explains. */
export interface ExpectedFailures extends Outage {
  readonly requests: number;
}

/** What a rehearsal found. `--json` writes it as it is. */
export interface Report {
  readonly orders: {
    readonly sent: number;
    readonly confirmed: number;
    readonly refused: number;
    readonly failed: number;
  };
  readonly requests: {
    readonly total: number;
    readonly failed: number;
    readonly staleReads: number;
  };
  readonly expectedFailed: readonly ExpectedFailures[];
  readonly charged: Readonly<Record<string, number>>;
  readonly stock: Readonly<Record<string, number>>;
  readonly handovers: readonly HandoverReport[];
  /** Rows that differ between the sides at the end, by capability. */
  readonly mismatches: Readonly<Record<string, number>>;
  readonly converged: boolean;
  readonly invariants: readonly Invariant[];
  readonly seed: number;
  readonly seconds: number;
  /** Failures that nothing explains, and stale reads, spelt out; at most 20 of each. */
  readonly examples: readonly string[];
}

/** Whether a rehearsal shows what it is meant to show. */
export function passed({
  orders,
  requests,
  expectedFailed,
  handovers,
  converged,
  invariants,
}: Report): boolean {
  const explained = expectedFailed.reduce((sum, outage) => sum + outage.requests, 0);
  return (
    orders.failed === 0 &&
    requests.failed === explained &&
    requests.staleReads === 0 &&
    converged &&
    handovers.every(({ liveWrites }) => liveWrites > 0) &&
    invariants.every(({ ok }) => ok)
  );
}

/**
 * The value below which a share of the samples lies (nearest rank).
 * @param share 0 to 1
 */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

function handoverText({
  capability,
  direction,
  holdMs,
  heldWrites,
  liveWrites,
}: HandoverReport): string {
  const which = `${capability} ${direction}`;
  if (liveWrites === 0) return `NOT SHOWN  ${which}: no client wrote while it was handed over`;
  const held =
    heldWrites === 0
      ? 'none held'
      : `${heldWrites} held, p50 ${ms(holdMs.p50)}, p99 ${ms(holdMs.p99)}, longest ${ms(holdMs.max)}`;
  return `Handover   ${which}: ${liveWrites} live writes, ${held}`;
}

/** What a person reads last. */
function conclusion(report: Report): string {
  if (passed(report)) return 'nothing was lost';
  const unshown = report.handovers.filter(({ liveWrites }) => liveWrites === 0).length;
  return unshown === 0
    ? 'FAILED'
    : `FAILED, ${unshown} of ${report.handovers.length} handovers not shown`;
}

/** The report as a person reads it. */
export function renderReport(report: Report): string {
  const { orders, requests } = report;
  const lines = [
    `Orders     ${orders.sent} sent, ${orders.confirmed} confirmed, ${orders.refused} refused, ${orders.failed} failed`,
    `Requests   ${requests.total} sent, ${requests.failed} failed, ${requests.staleReads} stale reads`,
    ...report.expectedFailed.map(
      ({ process, requests: count, from, to }) =>
        `           ${count} failed while ${process} was down for ${((to - from) / 1000).toFixed(1)} s`,
    ),
    `Charged    ${Object.entries(report.charged)
      .map(([currency, minor]) => `${currency} ${(minor / 100).toFixed(2)}`)
      .join(', ')}`,
    ...report.handovers.map(handoverText),
    `Sides      ${report.converged ? 'equal' : 'NOT EQUAL'} (${Object.entries(report.mismatches)
      .map(([capability, rows]) => `${capability}: ${rows} rows differ`)
      .join(', ')})`,
    ...report.invariants.map(
      ({ name, ok, detail }) =>
        `${ok ? 'holds     ' : 'BROKEN    '} ${name}${ok ? '' : `: ${detail}`}`,
    ),
    ...report.examples.map((example) => `!          ${example}`),
    `Seed ${report.seed}, ${report.seconds.toFixed(0)} s: ${conclusion(report)}`,
  ];
  return `${lines.join('\n')}\n`;
}

import type { LiveStatus } from '../../engine/index.ts';
import { declarationOf } from '../context.ts';
import type { Context } from '../context.ts';
import { EngineClient } from '../engine-client.ts';
import { CommandError, EXIT } from '../exit.ts';
import { count, duration, plural } from '../format.ts';
import { nextStep } from '../next-step.ts';
import type { Output } from '../output.ts';

interface BackfillOptions {
  readonly restart: boolean;
  readonly timeoutMs: number;
}

/** Copies a capability's rows to the other side, and shows how far it has come. */
export async function backfill(
  context: Context,
  output: Output,
  capability: string,
  { restart, timeoutMs }: BackfillOptions,
): Promise<void> {
  declarationOf(context, capability);
  const engine = new EngineClient(context.engineUrl, timeoutMs, output.progress);
  await engine.order('/backfills', { capability, restart });
  const done = await whenDone(engine, capability);
  const { rows, startedAt, at } = done.backfill;
  const tookMs = startedAt === null || at === null ? null : at - startedAt;
  // Copied again because the sides differed: see whether they still do.
  const next = restart ? `fig reconcile ${capability}` : nextStep(done);
  output.result({ capability, state: 'done', rows, tookMs, next }, () => {
    const took = tookMs === null ? '' : ` in ${duration(tookMs)}`;
    const copied = `${capability}: ${plural(rows, 'row')} copied${took}, and followed from now on`;
    return next === null ? copied : `${copied}\nnext: ${next}`;
  });
}

async function whenDone(engine: EngineClient, capability: string): Promise<LiveStatus> {
  for (;;) {
    const status = await engine.statusOf(capability);
    if (status?.backfill.state === 'done') return status;
    const run = status?.backfillRun;
    if (run && !run.running && run.problem !== null) {
      throw new CommandError(EXIT.failed, 'backfill_failed', run.problem, 'fig status');
    }
    await engine.pause(status ? progressOf(status) : 'the engine does not answer');
  }
}

function progressOf({ capability, backfill: { rows, total }, backfillRun }: LiveStatus): string {
  const rate = backfillRun?.rowsPerSecond ?? null;
  const eta = backfillRun?.etaMs ?? null;
  const speed = rate === null ? '' : `, ${count(rate)} rows/s`;
  const left = eta === null ? '' : `, ${duration(eta)} to go`;
  return `${capability}: ${count(rows)} of ${plural(total, 'row')}${speed}${left}`;
}

import { createLog } from '../../chassis/index.ts';
import { changeAsLeader, LeaseHeldError, withOfflineLeader } from '../engine/index.ts';
import type { LeaderContext, OperatorChange, OperatorChangeAnswer } from '../engine/index.ts';
import { declarationOf } from './context.ts';
import type { Context } from './context.ts';
import { EngineClient } from './engine-client.ts';
import { CommandError, EXIT } from '../../chassis/cli/index.ts';
import type { Output } from '../../chassis/cli/index.ts';

/** Longer than a lease lasts without the engine that holds it. */
const LEASE_MS = 3_000;
/** An engine carries out nothing that takes longer. */
const ORDER_MS = 30_000;

/**
 * Acts in place of an engine that is gone, once its leases have run out.
 * @throws LeaseHeldError while an engine keeps them
 */
export async function inPlaceOfEngine<T>(
  context: Context,
  output: Output,
  capability: string,
  work: (leader: LeaderContext) => Promise<T>,
): Promise<T> {
  const { env, token } = context;
  const declaration = declarationOf(context, capability);
  output.progress(
    `${capability}: no engine leads; acting in its place, once its lease has run out`,
  );
  const redisUrl = env['REDIS_URL'] || undefined;
  const log = createLog('fig', 'silent');
  return withOfflineLeader({ declaration, redisUrl, log, token, patienceMs: LEASE_MS }, work);
}

/** Whether an engine acts on the capability, or one that stands by knows who does, or does soon. */
export async function isLed(engine: EngineClient, capability: string): Promise<boolean> {
  const standing = (await engine.statusOf(capability))?.standing;
  return standing?.as === 'leader' || standing?.as === 'standby';
}

/**
 * Changes the databases of a capability under its leases: by the engine where one leads, in its place where none does.
 * @throws CommandError while an engine holds the leases and does not answer
 */
export async function change(
  context: Context,
  output: Output,
  capability: string,
  wanted: OperatorChange,
): Promise<OperatorChangeAnswer> {
  const engine = new EngineClient(context, ORDER_MS, output.progress);
  if (await isLed(engine, capability)) {
    return (await engine.order('/changes', {
      capability,
      change: wanted,
    })) as OperatorChangeAnswer;
  }
  try {
    return await inPlaceOfEngine(context, output, capability, (leader) =>
      changeAsLeader(leader, wanted),
    );
  } catch (error) {
    throw error instanceof LeaseHeldError ? unanswered(error) : error;
  }
}

/** An engine that lives holds the leases, and did not answer. */
export function unanswered({ message }: LeaseHeldError): CommandError {
  const detail = `${message}, but did not answer; nothing was changed`;
  return new CommandError(EXIT.failed, 'engine_running', detail, 'fig doctor');
}

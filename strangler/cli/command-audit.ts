import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { auditFile, AuditTrail, operatorHeaders, operatorOf } from '../../chassis/audit/index.ts';
import type { Operator } from '../../chassis/audit/index.ts';
import type { Context } from './context.ts';
import { CommandError, EXIT } from '../../chassis/cli/index.ts';
import type { Output } from '../../chassis/cli/index.ts';

/**
 * Runs a command so that what it changes is recorded, and asked for in its operator's name.
 * @param failureOf what a command's error is to its operator
 */
export async function inAudit(
  context: Context,
  reason: string | undefined,
  output: Output,
  work: (context: Context, output: Output) => Promise<void>,
  failureOf: (error: unknown) => CommandError,
): Promise<void> {
  const audit = new CommandAudit(context, reason, ({ message }) =>
    output.say(`this could not be recorded for fig audit: ${message}`),
  );
  const changing = (command: string): Promise<void> => audit.asked(command);
  try {
    await work(audit.named(context), { ...output, changing });
    await audit.ended();
  } catch (error) {
    await audit.ended(error instanceof CommandError ? error : failureOf(error));
    throw error;
  }
}

/** Records a command that changes something, and names its operator to the process that carries it out. */
class CommandAudit {
  /** Absent where the system's data folder is on another machine: then the engine's record is all there is. */
  readonly #trail: AuditTrail | undefined;
  readonly #operator: Operator;
  readonly #capabilities: readonly string[];
  #isAsked = false;

  /** @param onTrouble called when the command could not be recorded; it goes on all the same */
  constructor(
    { env, capabilities }: Pick<Context, 'env' | 'capabilities'>,
    reason: string | undefined,
    onTrouble: (error: Error) => void,
  ) {
    const file = auditFile(env);
    if (existsSync(dirname(file))) this.#trail = new AuditTrail(file, onTrouble);
    this.#operator = { who: operatorOf(env), reason: reason ?? null, action: randomUUID() };
    this.#capabilities = capabilities;
  }

  /** The same system, asked in the operator's name. */
  named(context: Context): Context {
    const { token } = context;
    const added = operatorHeaders(this.#operator);
    return {
      ...context,
      token: { ...token, headers: (scope) => ({ ...token.headers(scope), ...added }) },
    };
  }

  /** @param command as it was given, without what only answers its question */
  async asked(command: string): Promise<void> {
    if (this.#isAsked) return;
    this.#isAsked = true;
    const { who, reason, action: id } = this.#operator;
    const words = command.split(' ');
    await this.#trail?.record({
      event: 'asked',
      id,
      at: Date.now(),
      by: 'fig',
      who,
      from: hostname(),
      via: 'fig',
      action: command,
      capability: this.#capabilities.find((name) => words.includes(name)) ?? null,
      reason,
      order: null,
      evidence: null,
    });
  }

  /** @param error why the command did not do what was asked; undefined where it did */
  async ended(error?: CommandError): Promise<void> {
    if (!this.#isAsked) return;
    const isRefused = error?.exit === EXIT.refused || error?.code === 'declined';
    await this.#trail?.record({
      event: 'ended',
      id: this.#operator.action,
      at: Date.now(),
      by: 'fig',
      outcome: error === undefined ? 'done' : isRefused ? 'refused' : 'failed',
      code: error?.code ?? null,
      detail: error?.message ?? null,
      evidence: error ? error.facts : null,
    });
  }
}

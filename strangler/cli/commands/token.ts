import { START_COMMAND } from '../../../chassis/index.ts';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { readFileSync } from 'node:fs';
import { addCommand } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import type { Context } from '../context.ts';
import { CommandError, EXIT } from '../../../chassis/cli/index.ts';
import type { Output, OutputOptions } from '../../../chassis/cli/index.ts';

const UNITS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;
const LONGEST_S = 30 * UNITS.d;

interface TokenOptions extends OutputOptions {
  readonly customer?: string;
  readonly subject?: string;
  readonly scope: readonly string[];
  readonly role: readonly string[];
  /** In seconds. */
  readonly ttl: number;
}

/** Declares `fig token`. */
export function addToken(program: Command, run: Run): void {
  addCommand(program, 'token', {
    does:
      'make a token for trying the system, signed with the secret of gateway.auth; with keys of ' +
      'another issuer (gateway.auth.jwks) only that issuer can make tokens',
    examples: [
      'fig token --customer CORK --scope orders:write --ttl 1h',
      'fig token --subject alice --role staff',
    ],
  })
    .option('--customer <name>', 'the customer whose things are the caller’s own')
    .option('--subject <name>', 'who the caller is; the customer when left out')
    .option('--scope <scopes>', 'what the caller may do; separate several by spaces', words, [])
    .option('--role <role>', 'a role of the caller; may be given several times', words, [])
    .option('--ttl <time>', 'how long it is good for, such as 90s, 15m, 1h or 7d', seconds, UNITS.h)
    .action((options: TokenOptions) =>
      run(options, (context, output) => makeToken(context, output, options)),
    );
}

async function makeToken(
  { config }: Context,
  output: Output,
  { customer, subject = customer, scope, role, ttl }: TokenOptions,
): Promise<void> {
  const { auth } = config.gateway;
  if (auth?.secretFile === undefined) {
    const reason = auth
      ? 'tokens come from the issuer whose keys gateway.auth.jwks names'
      : 'the configuration has no gateway.auth, so the facade asks for no tokens';
    throw new CommandError(
      EXIT.refused,
      'no_secret',
      reason,
      auth ? null : `FIG_AUTH=on ${START_COMMAND}`,
    );
  }
  if (subject === undefined) {
    const reason = 'a token has to say whose it is: give --customer or --subject';
    throw new CommandError(EXIT.usage, 'no_subject', reason, null);
  }
  const { SignJWT } = await import('jose');
  const expiresAt = new Date(Date.now() + ttl * 1_000);
  const claims = {
    ...(customer === undefined ? {} : { [auth.customerClaim]: customer }),
    ...(role.length > 0 ? { [auth.rolesClaim]: role } : {}),
    ...(scope.length > 0 ? { scope: scope.join(' ') } : {}),
  };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(auth.issuer)
    .setAudience(auth.audience)
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(expiresAt)
    .sign(secretIn(auth.secretFile));
  output.result({ token, expiresAt: expiresAt.toISOString() }, () => token);
}

function secretIn(file: string): Uint8Array {
  try {
    return new TextEncoder().encode(readFileSync(file, 'utf8').trim());
  } catch (error) {
    const reason = `the secret of gateway.auth can't be read: ${(error as Error).message}`;
    throw new CommandError(EXIT.failed, 'no_secret', reason, `FIG_AUTH=on ${START_COMMAND}`);
  }
}

function words(given: string, before: readonly string[]): readonly string[] {
  return [...before, ...given.split(/\s+/).filter((word) => word !== '')];
}

function seconds(given: string): number {
  const [, count, unit = 's'] = /^(\d+)([smhd])?$/.exec(given) ?? [];
  const found = Number(count) * UNITS[unit as keyof typeof UNITS];
  if (found >= 1 && found <= LONGEST_S) return found;
  throw new InvalidArgumentError('Give a time such as 90s, 15m, 1h or 7d, at most 30 days.');
}

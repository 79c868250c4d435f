import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import type { Customer } from './dataset.ts';

/** Says in a request who sends it: for each caller, the headers by which the facade knows them. */
export interface Callers {
  customer(id: string): Readonly<Record<string, string>>;
  /** Staff, who see what belongs to every customer. */
  readonly staff: Readonly<Record<string, string>>;
}

/** A shop that believes what its callers say of themselves. */
export const BELIEVED: Callers = {
  customer: (id) => ({ 'x-customer-id': id }),
  staff: {},
};

/** No rehearsal takes longer. */
const LIFE = '12h';

/**
 * Callers of a shop that runs with FIG_AUTH=on, each with a token that is signed as its issuer does.
 * @param dataDir of the running system, where the issuer's secret is
 */
export async function callersWithTokens(
  dataDir: string,
  customers: readonly Customer[],
): Promise<Callers> {
  const secret = await readFile(join(dataDir, 'auth-secret'), 'utf8');
  const key = new TextEncoder().encode(secret.trim());
  const headers = async (subject: string, claims: Record<string, unknown>) => {
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer('https://shop.example')
      .setAudience('shop')
      .setSubject(subject)
      .setExpirationTime(LIFE)
      .sign(key);
    return { authorization: `Bearer ${token}` };
  };
  const scope = 'orders:write payments:write';
  const known = new Map<string, Readonly<Record<string, string>>>();
  for (const { id } of customers) known.set(id, await headers(id, { customer: id, scope }));
  return {
    customer: (id) => known.get(id) ?? {},
    staff: await headers('rehearsal', { roles: ['staff'] }),
  };
}

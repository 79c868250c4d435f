import { z } from 'zod';
import { ConfigurationError, createHttpClient, redacted } from '../chassis/index.ts';
import type { Environment, HttpClient } from '../chassis/index.ts';
import { isSwitch, strategyOf, strategySchema, typeOf } from './flag-file.ts';
import type { Feature } from './flag-file.ts';
import { isInForce, ruleOf } from './flag-rule.ts';
import { refuseForeign } from './flag-store.ts';
import type { FlagStore } from './flag-store.ts';

const CALL_MS = 5_000;

/** The server did not do what it was asked to: which flag, and what it said. */
export class FlagServerError extends Error {
  override readonly name = 'FlagServerError';
}

const strategy = strategySchema.extend({ id: z.string() });

const feature = z.looseObject({
  environments: z.array(
    z.looseObject({
      name: z.string(),
      enabled: z.boolean(),
      strategies: z.array(strategy).optional(),
    }),
  ),
  dependencies: z.array(z.looseObject({ feature: z.string() })).nullish(),
});

type Strategy = z.output<typeof strategy>;

/** A flag in one environment of the server's. */
interface Standing extends Feature {
  readonly enabled: boolean;
  readonly strategies: Strategy[];
}

interface Admin {
  readonly url: string;
  readonly project: string;
  readonly environment: string;
  /** Undefined for 404. @throws FlagServerError for any other refusal */
  ask(method: string, path: string, body?: unknown): Promise<unknown>;
}

/**
 * Changes flags on an Unleash server, in one project and one environment of it: those whose flags
 * the processes' client token reads.
 * @returns undefined without UNLEASH_ADMIN_TOKEN
 * @throws ConfigurationError when UNLEASH_URL is no URL
 */
export function unleashAdmin(env: Environment): FlagStore | undefined {
  const token = env['UNLEASH_ADMIN_TOKEN'];
  if (!token) return undefined;
  const url = env['UNLEASH_URL'] ?? '';
  const environment = env['UNLEASH_ENVIRONMENT'] || 'development';
  const project = env['UNLEASH_PROJECT'] || 'default';
  const { origin, pathname } = parsed(url);
  const shown = redacted(url);
  const prefix = `${pathname.replace(/\/+$/, '')}/admin/projects/${encodeURIComponent(project)}/features`;
  const within = async <T>(work: (admin: Admin) => Promise<T>): Promise<T> => {
    const client = createHttpClient(origin, CALL_MS);
    const ask = askerOf(client, shown, token);
    try {
      return await work({
        url: shown,
        project,
        environment,
        ask: (method, path, body) => ask(method, `${prefix}${path}`, body),
      });
    } finally {
      await client.close();
    }
  };
  return {
    source: shown,
    rule: (flag) => within(async (admin) => ruleOf(await standingOf(admin, flag))),
    refuse: (flag, share) =>
      within(async (admin) => refuseForeign(flag, share, await standingOf(admin, flag))),
    set: (shares, overwrite = false) =>
      within(async (admin) => {
        for (const [flag, share] of Object.entries(shares)) {
          await setOne(admin, flag, share, overwrite);
        }
      }),
  };
}

function parsed(url: string): URL {
  try {
    return new URL(url);
  } catch {
    throw new ConfigurationError(
      `UNLEASH_URL is "${redacted(url)}"; give the server's API, as in http://127.0.0.1:4242/api`,
    );
  }
}

function askerOf(client: HttpClient, url: string, token: string): Admin['ask'] {
  return async (method, path, body) => {
    const headers = { authorization: token };
    const { status, body: answer } = await client.call(method, path, { headers, body });
    if (status === 404) return undefined;
    if (status < 300) return answer ?? null;
    const { message } = (answer ?? {}) as { message?: string };
    const remedy =
      status === 401 || status === 403 ? '; see that UNLEASH_ADMIN_TOKEN may change flags' : '';
    throw new FlagServerError(
      `${url} answered ${status} to ${method} ${path}: ${message ?? 'no reason given'}${remedy}`,
    );
  };
}

async function standingOf(admin: Admin, flag: string): Promise<Standing | undefined> {
  const answer = await admin.ask('GET', `/${encodeURIComponent(flag)}`);
  if (answer === undefined) return undefined;
  const { environments, dependencies } = feature.parse(answer);
  const { environment, project, url } = admin;
  const known = environments.find(({ name }) => name === environment);
  if (known) {
    const { enabled, strategies = [] } = known;
    return { name: flag, enabled, strategies, dependencies };
  }
  const names = environments.map(({ name }) => name).join(', ');
  throw new FlagServerError(
    `UNLEASH_ENVIRONMENT is "${environment}"; project ${project} at ${url} has ${names}`,
  );
}

/**
 * The share first, then the switch: a flag that is turned on is never on for more than was asked.
 * Off leaves strategies alone, so that a person finds them as they were.
 */
async function setOne(
  admin: Admin,
  flag: string,
  share: number,
  overwrite: boolean,
): Promise<void> {
  const known = (await standingOf(admin, flag)) ?? (await made(admin, flag));
  if (!overwrite) refuseForeign(flag, share, known);
  const path = `/${encodeURIComponent(flag)}/environments/${encodeURIComponent(admin.environment)}`;
  if (share > 0) await setStrategy(admin, `${path}/strategies`, known.strategies, flag, share);
  const wanted = share > 0;
  if (known.enabled === wanted) return;
  await must(admin, 'POST', `${path}/${wanted ? 'on' : 'off'}`);
}

async function made(admin: Admin, flag: string): Promise<Standing> {
  await must(admin, 'POST', '', { name: flag, type: typeOf(flag) });
  return (await standingOf(admin, flag)) ?? { name: flag, enabled: false, strategies: [] };
}

/** What is turned off says nothing, and is left to whoever turned it off. */
async function setStrategy(
  admin: Admin,
  path: string,
  known: readonly Strategy[],
  flag: string,
  share: number,
): Promise<void> {
  const inForce = known.filter(isInForce);
  // A switch is on for everybody by any strategy that holds for everybody, so one is enough.
  const on = ruleOf({ name: flag, enabled: true, strategies: inForce });
  if (isSwitch(flag) && inForce.length > 0 && on.kind === 'on') return;
  const wanted = strategyOf(flag, share);
  const same = inForce.find(({ name }) => name === wanted.name);
  const plain = { constraints: [], segments: [], variants: [] };
  if (same) await must(admin, 'PUT', `${path}/${same.id}`, { ...same, ...plain, ...wanted });
  else await must(admin, 'POST', path, wanted);
  // Strategies add up: any other one would give more than the share.
  for (const other of inForce) {
    if (other !== same) await must(admin, 'DELETE', `${path}/${other.id}`);
  }
}

async function must(admin: Admin, method: string, path: string, body?: unknown): Promise<void> {
  if ((await admin.ask(method, path, body)) !== undefined) return;
  throw new FlagServerError(
    `${admin.url} knows no project "${admin.project}"; name another one in UNLEASH_PROJECT`,
  );
}

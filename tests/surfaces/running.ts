import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Redis } from 'ioredis';
import { sqliteFile } from '../../chassis/index.ts';
import { asOperator, withoutSystem } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import { eventually, request, withSystem } from '../support/index.ts';
import type { Answer } from '../support/index.ts';
import { giveUpEvent } from './give-up-event.ts';
import { Shapes } from './shape.ts';
import { lines } from './syntax.ts';

/** A small shop, so that everything settles soon. */
const SHOP = {
  'products.csv':
    'sku,name,unit_price,currency,on_hand\nA,Anchor,10.00,USD,50\nB,Bell,2.50,USD,5\n',
  'customers.csv': 'customer_id,name,country\nCORK,Cork,Ireland\nBREST,Brest,France\n',
};

/** So that the last step could be taken at once. */
const SETTINGS = { FIG_SOAK_MS: '0', FIG_QUIET_MS: '0' };

/** What a running system shows to those who look at it, by kind. */
export async function observe(): Promise<Readonly<Record<string, string>>> {
  const before = { ...process.env };
  const data = await mkdtemp(join(tmpdir(), 'fig-surfaces-'));
  try {
    for (const [name, text] of Object.entries(SHOP)) await writeFile(join(data, name), text);
    return await withSystem(
      { load: { data }, variables: { ...SETTINGS, FIG_REGISTER: 'on' } },
      (system) => new Observer(system).observe(),
    );
  } finally {
    replaceEnvironment(before);
    await rm(data, { recursive: true, force: true });
  }
}

/** What this process was started with must not show. */
function replaceEnvironment(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
}

type RunCommand = (
  words: readonly string[],
  surroundings: {
    readonly stdout: { write(text: string): unknown };
    readonly stderr: { write(text: string): unknown };
    readonly env: NodeJS.ProcessEnv;
  },
) => Promise<number>;

/** The metrics of one process: their types, and the labels of each. */
function metricsIn(body: string): string {
  const found = body.split('\n').flatMap((line) => {
    if (line.startsWith('# ')) return [line.slice(2)];
    const labels = /^(\w+)(?:\{(.*)\})? /.exec(line);
    if (!labels) return [];
    const names = [...(labels[2] ?? '').matchAll(/(\w+)="/g)].map(([, name]) => String(name));
    return [`${labels[1]} {${names.sort().join(', ')}}`];
  });
  return lines(found);
}

/** Goes through a migration once, and notes down what every answer looks like. */
class Observer {
  readonly #system: System;
  readonly #shapes = new Shapes();
  readonly #headers = new Map<string, Set<string>>();
  #fig: RunCommand | undefined;

  constructor(system: System) {
    this.#system = system;
    // The configuration is a module, which reads the environment of its process.
    replaceEnvironment({
      ...withoutSystem(process.env),
      ...system.env,
      ...SETTINGS,
      FIG_CONTRACT: 'off',
      FIG_DATA_DIR: system.dataDir,
    });
  }

  async observe(): Promise<Readonly<Record<string, string>>> {
    await this.#beforeAnything();
    await this.#orders();
    await this.#copying();
    await this.#parking();
    await this.#givingUp();
    await this.#moving();
    await this.#operators();
    return {
      'json-fig': `${this.#shapes.text('every ')}\n${this.#shapes.text('fig ')}`,
      'json-http': this.#shapes.text('http '),
      'json-files': this.#files(),
      metrics: await this.#metrics(),
      'headers-answered': this.#headersAnswered(),
      'redis-names': await this.#redisNames(),
      flags: await this.#flagNames(),
    };
  }

  async #beforeAnything(): Promise<void> {
    for (const line of ['status', 'doctor', 'check', 'journal', 'flags', 'config print']) {
      await this.#ask(line);
    }
    await this.#ask('check --ddl');
    await this.#ask('switch inventory --dry-run');
    await this.#ask('switch inventory --yes');
    await this.#ask('complete inventory --dry-run');
    await this.#ask('abort inventory --yes');
    await this.#ask('swich inventory');
    await this.#ask('status nowhere');
    await this.#ask('parked');
  }

  async #orders(): Promise<void> {
    const order = {
      customerId: 'CORK',
      items: [{ sku: 'A', quantity: 1 }],
      paymentMethod: 'card_ok',
    };
    const headers = { 'idempotency-key': 'surfaces-1' };
    await this.#see('facade', 'POST', '/api/orders', { body: order, headers });
    await this.#see('facade', 'POST', '/api/orders', { body: order, headers });
    await this.#see('facade', 'POST', '/api/orders', {
      body: {},
      headers: { 'idempotency-key': '2' },
    });
    const adjust = { body: { delta: 1, reason: 'count' } };
    const path = '/api/inventory/A/adjustments';
    await this.#see('facade', 'POST', path, {
      ...adjust,
      headers: { 'idempotency-key': 'surfaces-3' },
    });
    await this.#see('facade', 'GET', '/api/inventory/A');
    await this.#see('facade', 'GET', '/api/orders?limit=1');
    await this.#see('facade', 'GET', '/api/nothing');
    await this.#see('facade', 'DELETE', '/api/orders');
  }

  async #copying(): Promise<void> {
    await this.#ask('shadow-fence inventory on');
    await this.#ask('backfill inventory --dry-run');
    await this.#ask('backfill inventory');
    await this.#ask('backfill payment');
    await this.#ask('reconcile inventory');
    await this.#ask('reconcile payment --sample 50');
    await this.#ask('shadow inventory 100 --dry-run');
    await this.#ask('shadow inventory 100');
    await this.#ask('ramp inventory 50');
    await this.#ask('flags set inventory.reads 100');
    await this.#settled();
    for (const customer of ['CORK', 'BREST']) {
      const headers = { 'x-customer-id': customer };
      await this.#see('facade', 'GET', '/api/inventory/A', { headers });
    }
    await this.#ask('explain GET /api/inventory/A --customer CORK');
    await this.#ask('explain POST /api/orders');
    await this.#ask('services');
    await this.#ask('shadow-fence inventory report');
    await this.#ask('shadow-fence inventory off');
    await this.#ask('status');
  }

  /** A row that the mapping can't carry, and its mending. */
  async #parking(): Promise<void> {
    const method = (code: string): void => {
      const database = new Database(sqliteFile(this.#system.env['MONOLITH_DATABASE_URL'] ?? ''));
      try {
        database.prepare('UPDATE PAY_TXN SET CRT_TS = ?').run(code);
      } finally {
        database.close();
      }
    };
    method('yesterday');
    await eventually(
      async () => {
        const { document } = await this.#run('parked list');
        return ((document as { parked?: readonly object[] }).parked ?? []).length > 0;
      },
      { intervalMs: 250 },
    );
    await this.#ask('parked list');
    await this.#ask('parked show payment 1');
    await this.#ask('reconcile payment');
    await this.#ask('parked skip payment 1');
    method('2026-01-01 00:00:00.000');
    await this.#ask('parked retry payment');
    await this.#ask('reconcile payment --repair');
  }

  /** An event that shipping could not take. */
  async #givingUp(): Promise<void> {
    const id = giveUpEvent(this.#system.env['MONOLITH_DATABASE_URL'] ?? '');
    await this.#ask('dead-letters list');
    await this.#ask('status');
    await this.#ask('doctor');
    await this.#ask(`dead-letters show --kind event ${id}`);
    await this.#operator('monolith', 'GET', '/dead-letters');
    await this.#ask('dead-letters retry --kind step');
    await this.#ask(`dead-letters drop --kind event ${id} --yes`);
    await this.#ask(`dead-letters show --kind event ${id}`);
  }

  async #moving(): Promise<void> {
    await this.#ask('switch payment --customers CORK --dry-run');
    await this.#ask('switch payment --customers CORK --yes');
    await this.#ask('status');
    await this.#ask('switch payment --yes');
    await this.#ask('reverse payment --yes');
    await this.#ask('switch inventory --dry-run');
    await this.#ask('switch inventory --yes');
    await this.#settled();
    const path = '/api/inventory/A';
    await this.#see('facade', 'GET', path);
    // The engine writes the notice after the switch, and the monolith looks for it now and then.
    await eventually(
      async () => 'deprecation' in (await this.#see('monolith', 'GET', path)).headers,
      { intervalMs: 250 },
    );
    const adjust = {
      body: { delta: 1, reason: 'count' },
      headers: { 'idempotency-key': 'surfaces-4' },
    };
    await this.#see('monolith', 'POST', '/api/inventory/A/adjustments', adjust);
    await this.#ask('journal');
    await this.#ask('doctor');
    await this.#ask('doctor --repair --dry-run');
    await this.#ask('doctor --repair');
    await this.#ask('complete inventory --dry-run');
    await this.#ask('uninstall --dry-run');
    await this.#ask('status');
  }

  /** What facade and engine answer to operators, asked directly. */
  async #operators(): Promise<void> {
    // Times of answers are those of the last seconds.
    await this.#see('facade', 'GET', '/api/inventory/A');
    for (const path of [
      '/',
      '/status',
      '/holds',
      '/explain?path=/api/inventory/A',
      '/dead-letters',
      '/readyz',
      '/livez',
    ]) {
      await this.#operator('admin', 'GET', path);
    }
    await this.#operator('admin', 'GET', '/explain');
    for (const path of [
      '/status',
      '/routing',
      '/handovers',
      '/comparisons',
      '/parked',
      '/barrier/payment',
      '/readyz',
      '/livez',
    ]) {
      await this.#operator('engine', 'GET', path);
    }
    const capability = 'payment';
    await this.#operator('engine', 'POST', '/backfills', { capability });
    await this.#operator('engine', 'POST', '/reconciles', { capability });
    await this.#operator('engine', 'POST', '/handovers', {
      capability,
      to: 'extracted',
      dryRun: true,
    });
    await this.#operator('engine', 'POST', '/shares', {
      capability,
      kind: 'reads',
      share: 0,
      dryRun: true,
    });
    await this.#operator('engine', 'POST', '/completions', {
      capability: 'inventory',
      dryRun: true,
    });
    await this.#operator('engine', 'POST', '/repairs', { capability });
    await this.#operator('engine', 'POST', '/aborts', { capability, handover: 'none' });
    await this.#operator('monolith', 'GET', '/fences');
    await this.#operator('provider', 'GET', '/ledger');
  }

  async #operator(name: string, method: string, path: string, body?: object): Promise<void> {
    const answer = await request(method, `${this.#system.urls[name]}${path}`, {
      ...(body === undefined ? {} : { body }),
      headers: asOperator(this.#system),
      timeoutMs: 60_000,
    });
    const asked = path.replace(/\?.*/, '');
    this.#shapes.add(`http ${name} ${method} ${asked} ${answer.status}`, answer.body);
  }

  async #see(
    name: string,
    method: string,
    path: string,
    options: Parameters<typeof request>[2] = {},
  ): Promise<Answer> {
    const answer = await request(method, `${this.#system.urls[name]}${path}`, options);
    const kind = `${name} ${answer.status}`;
    const known = this.#headers.get(kind) ?? new Set();
    for (const header of Object.keys(answer.headers)) known.add(header);
    this.#headers.set(kind, known);
    return answer;
  }

  /** Runs one command of `fig` and notes down what its document looks like. */
  async #ask(line: string): Promise<void> {
    const { code, document } = await this.#run(line);
    const [verb, ...rest] = line.split(' ');
    const options = rest.filter((word) =>
      /^(--(?!yes)|list|show|set|print|on|off|report|retry|skip|drop)/.test(word),
    );
    this.#shapes.add(['fig', verb, ...options, `exit ${code}`].join(' '), document);
  }

  async #run(line: string): Promise<{ readonly code: number; readonly document: unknown }> {
    this.#fig ??= await commandLine();
    let stdout = '';
    const code = await this.#fig([...line.split(' '), '--json'], {
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: () => undefined },
      env: { ...process.env, FIG_YES: '1' },
    });
    return { code, document: documentsOf(stdout) };
  }

  /** Waits until nothing is under way, so that what is looked at next is always the same. */
  async #settled(): Promise<void> {
    await eventually(
      async () => {
        const { body } = await request('GET', `${this.#system.urls['admin']}/status`, {
          headers: asOperator(this.#system),
        });
        const facade = body as {
          readonly routingNews: string;
          readonly experimentsRunning: number;
          readonly capabilities: readonly {
            readonly wish: { readonly fulfilled: boolean } | null;
          }[];
        };
        return (
          facade.routingNews === 'pushed' &&
          facade.experimentsRunning === 0 &&
          facade.capabilities.every(({ wish }) => wish?.fulfilled === true)
        );
      },
      { intervalMs: 250 },
    );
  }

  async #metrics(): Promise<string> {
    const of = async (name: string): Promise<string> => {
      const url = `${this.#system.urls[name]}/metrics`;
      return `Of ${name}:\n${metricsIn((await request<string>('GET', url)).body)}`;
    };
    return (
      await Promise.all(
        ['admin', 'engine', 'monolith', 'inventory', 'payment', 'notification', 'order-view'].map(
          of,
        ),
      )
    ).join('\n\n');
  }

  #headersAnswered(): string {
    return lines(
      [...this.#headers].map(([kind, names]) => `${kind}: ${[...names].sort().join(', ')}`),
    );
  }

  async #redisNames(): Promise<string> {
    const redis = new Redis(this.#system.redisUrl);
    try {
      const keys = await redis.keys('*');
      const channels = (await redis.pubsub('CHANNELS')) as string[];
      return lines([
        ...keys.map((key) => {
          const [prefix, name] = key.split(':');
          return prefix === 'bull'
            ? `queue ${name}`
            : `key ${key.replace(/[0-9a-f-]{36}/, '<id>')}`;
        }),
        ...channels.map((channel) => `channel ${channel}`),
      ]);
    } finally {
      redis.disconnect();
    }
  }

  async #flagNames(): Promise<string> {
    const text = await readFile(this.#system.env['FIG_FLAGS_FILE'] ?? '', 'utf8');
    const { features } = JSON.parse(text) as {
      features: readonly {
        readonly name: string;
        readonly strategies?: readonly { name: string; parameters?: object }[];
      }[];
    };
    return lines(
      features.map(({ name, strategies = [] }) => {
        const told = strategies.map(
          (each) =>
            `${each.name}(${Object.keys(each.parameters ?? {})
              .sort()
              .join(', ')})`,
        );
        return `${name}: ${told.join(', ')}`;
      }),
    );
  }

  /** What is in the data folder, and what its JSON files look like. */
  #files(): string {
    const { dataDir } = this.#system;
    const names = readdirSync(dataDir)
      .filter((name) => !/-(wal|shm|journal)$/.test(name))
      .sort();
    const shapes = new Shapes();
    for (const name of names.filter((each) => each.endsWith('.json'))) {
      shapes.add(name, JSON.parse(readFileSync(join(dataDir, name), 'utf8')));
    }
    const logs = readdirSync(join(dataDir, 'logs')).map((name) => `logs/${name}`);
    return `${lines([...names, ...logs])}\n${shapes.text('')}`;
  }
}

/** One document, or one a line. */
function documentsOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown);
  }
}

async function commandLine(): Promise<RunCommand> {
  // By its compiled file: the command line is no public module of the engine's.
  const file = new URL('../../strangler/cli/run.js', import.meta.url);
  return ((await import(file.href)) as { readonly runCommand: RunCommand }).runCommand;
}

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Client } from 'pg';
import { freePort, projectRoot } from '../../system/index.ts';
import { eventually, onFailure, withPostgres, withRedis, withTempDir } from '../support/index.ts';
import { composeFile, ourServices } from './compose-file.ts';
import type { Service } from './compose-file.ts';

/** What the containers run, as processes of this machine: nothing here starts a container. */
export interface Stack {
  /** Of this machine, by what it stands for: `facade:8080`. */
  readonly ports: ReadonlyMap<string, number>;
  /** What stands for the volume `/data`. */
  readonly data: string;
  /** `docker compose exec SERVICE ...`, with variables that the person who starts it has set. */
  exec(
    service: string,
    command: readonly string[],
    given?: Readonly<Record<string, string>>,
  ): Promise<{ readonly code: number | null; readonly output: string }>;
  /** Ends all of them. @returns how each one ended, by name */
  stop(): Promise<ReadonlyMap<string, number | NodeJS.Signals | null>>;
}

/** Starts each service when what it depends on is as it asks, and hands over when all are healthy. */
export function withStack(use: (stack: Stack) => Promise<void>): Promise<void> {
  return withTempDir((data) =>
    withRedis(
      (redis) =>
        withPostgres(async (postgres) => {
          await initialise(postgres.url);
          const ports = new Map([
            ['redis:6379', Number(new URL(redis.url).port)],
            ['postgres:5432', Number(new URL(postgres.url).port)],
          ]);
          for (const [name, service] of ourServices()) {
            for (const port of portsOf(service)) ports.set(`${name}:${port}`, await freePort());
          }
          await run({ data, ports }, use);
        }),
      new URL(composeFile.services['engine']?.environment?.['REDIS_URL'] ?? '').password,
    ),
  );
}

/** As the server's image does it at its first start: the role, and the script of the file. */
async function initialise(url: string): Promise<void> {
  const { POSTGRES_USER: user = '', POSTGRES_PASSWORD: password = '' } =
    composeFile.services['postgres']?.environment ?? {};
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`CREATE ROLE ${user} LOGIN SUPERUSER PASSWORD '${password}'`);
    const script = composeFile.configs['databases']?.content ?? '';
    for (const statement of script.split(';').filter((text) => text.trim() !== '')) {
      await client.query(statement);
    }
  } finally {
    await client.end();
  }
}

function portsOf({ environment = {} }: Service): string[] {
  return Object.entries(environment).flatMap(([name, value]) =>
    name.endsWith('_PORT') ? [value] : [],
  );
}

async function run(
  { data, ports }: Pick<Stack, 'data' | 'ports'>,
  use: (stack: Stack) => Promise<void>,
): Promise<void> {
  const children = new Map<string, ChildProcess>();
  const logs = new Map<string, string>();
  onFailure(() => [...logs].map(([name, log]) => `--- ${name}\n${log.slice(-3_000)}`).join('\n'));

  function start(
    name: string,
    command: readonly string[],
    given: Readonly<Record<string, string>> = {},
  ): ChildProcess {
    const service = composeFile.services[name] ?? {};
    const [program = '', ...words] = command.map((word) => here(name, word));
    const variables = Object.entries(service.environment ?? {}).map(([key, value]) => [
      key,
      here(name, interpolated(value, given)),
    ]);
    const child = spawn(program === 'node' ? process.execPath : program, words, {
      cwd: projectRoot,
      env: { PATH: process.env['PATH'], ...Object.fromEntries(variables) },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text: Buffer) => logs.set(name, (logs.get(name) ?? '') + String(text)));
    }
    return child;
  }

  /** What names a place among the containers, as it is called on this machine. */
  function here(service: string, text: string): string {
    let local = text.replace(/^\/data(?=\/|$)/, data);
    for (const [place, port] of ports) {
      const [name = '', inside = ''] = place.split(':');
      local = local.replaceAll(`${name}:${inside}`, `127.0.0.1:${port}`);
      if (name !== service) continue;
      local = local.replaceAll(`127.0.0.1:${inside}`, `127.0.0.1:${port}`);
      if (local === inside) local = String(port);
    }
    return local;
  }

  const exec: Stack['exec'] = async (service, command, given) => {
    const child = start(service, command, given);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text: Buffer) => (output += String(text)));
    }
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output };
  };

  async function healthy(name: string): Promise<void> {
    const [, ...check] = composeFile.services[name]?.healthcheck?.test ?? [];
    const ended = await eventually(
      async () => {
        const { exitCode } = children.get(name) ?? {};
        if (typeof exitCode === 'number') return exitCode;
        return (await exec(name, check)).code === 0 && undefined;
      },
      { timeoutMs: 120_000, intervalMs: 250 },
    );
    if (ended !== undefined) throw new Error(`${name} ended with ${ended}`);
  }

  async function completed(name: string): Promise<void> {
    const child = children.get(name);
    if (child?.exitCode === null) await once(child, 'exit');
    if (child?.exitCode !== 0) throw new Error(`${name} ended with ${String(child?.exitCode)}`);
  }

  const stop: Stack['stop'] = async () => {
    const ends = new Map<string, number | NodeJS.Signals | null>();
    for (const [name, child] of [...children].toReversed()) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      ends.set(name, child.exitCode ?? child.signalCode);
    }
    return ends;
  };

  try {
    for (const [name, { command = [], depends_on: before = {} }] of ourServices()) {
      for (const [other, { condition }] of Object.entries(before)) {
        if (!children.has(other)) continue;
        await (condition === 'service_healthy' ? healthy(other) : completed(other));
      }
      children.set(name, start(name, command));
    }
    for (const [name, { healthcheck }] of ourServices()) if (healthcheck) await healthy(name);
    await use({ ports, data, exec, stop });
  } finally {
    await stop();
  }
}

/** `${NAME:-default}`, as compose fills it in. */
function interpolated(text: string, given: Readonly<Record<string, string>>): string {
  return text.replaceAll(
    /\$\{(\w+):-([^}]*)\}/g,
    (_all, name: string, otherwise: string) => given[name] ?? otherwise,
  );
}

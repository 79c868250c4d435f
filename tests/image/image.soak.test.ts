import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createPostgresDatabase,
  freePort,
  projectRoot,
  withoutSystem,
} from '../../system/index.ts';
import {
  eventually,
  request,
  withCompiledDriver,
  withPostgres,
  withRedis,
  withTempDir,
} from '../support/index.ts';
import { buildImage } from './build-image.ts';
import type { Image } from './build-image.ts';
import { composeServices, readmeCommands } from './compose.ts';
import type { ComposeService } from './compose.ts';
import { mustRun } from './run-in.ts';

const MINUTES = 60_000;
const MOVES = [
  'backfill inventory --yes',
  'shadow inventory 100 --yes',
  'ramp inventory 100 --yes',
  'reconcile inventory',
  'switch inventory --yes',
  'reconcile inventory',
  'reverse inventory --yes',
];
/** Whom a container of ours runs as has no rights; where we may choose, it is such a user here, too. */
const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
const clean = withoutSystem(process.env);

/** Builds the image with npm itself: packages come from the registry. */
function build(directory: string): Promise<Image> {
  return withCompiledDriver((driver) =>
    buildImage({
      directory,
      async run(command, cwd) {
        await mustRun(command, { cwd, env: { ...clean, ...driver, npm_config_audit: 'false' } });
      },
    }),
  );
}

/** The containers of docker-compose.yml as processes of this machine. */
class Containers {
  readonly #image: Image;
  readonly #home: string;
  readonly #services = composeServices();
  readonly #ports = new Map<string, number>();
  readonly #addresses: Readonly<Record<string, string>>;
  readonly #started: { readonly name: string; readonly child: ChildProcess; output: string }[] = [];

  /** @param addresses of the services that are not ours, by their URL in docker-compose.yml */
  constructor(image: Image, home: string, addresses: Readonly<Record<string, string>>) {
    this.#image = image;
    this.#home = home;
    this.#addresses = addresses;
  }

  async start(): Promise<void> {
    for (const { environment } of this.#services) {
      for (const [variable, value] of Object.entries(environment)) {
        if (variable.endsWith('_PORT')) this.#ports.set(value, await freePort());
      }
    }
    for (const service of this.#services) await this.#start(service);
  }

  /** `docker compose exec engine COMMAND`. */
  exec(command: string): Promise<string> {
    const engine = this.#services.find(({ name }) => name === 'engine');
    if (!engine) throw new Error('docker-compose.yml has no engine');
    return mustRun(command, { cwd: this.#image.directory, env: this.#envOf(engine), ...user });
  }

  url(port: string): string {
    return `http://127.0.0.1:${this.#ports.get(port)}`;
  }

  async stop(): Promise<void> {
    for (const { child } of this.#started.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    }
  }

  async #start(service: ComposeService): Promise<void> {
    const { name, command } = service;
    const [program = '', ...parameters] = command;
    const child = spawn(program === 'node' ? process.execPath : program, parameters, {
      cwd: this.#image.directory,
      env: this.#envOf(service),
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user,
    });
    const started = { name, child, output: '' };
    this.#started.push(started);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        started.output += text;
      });
    }
    const port = Object.entries(service.environment)
      .filter(([variable]) => variable.endsWith('_PORT'))
      .map(([, value]) => value)
      .at(-1);
    if (port === undefined) {
      const [code] = (await once(child, 'close')) as [number | null];
      if (code !== 0) throw new Error(`${name} ended with ${code}:\n${started.output}`);
      return;
    }
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(`${name} ended:\n${started.output}`);
        return (await request('GET', `${this.url(port)}/readyz`)).status === 200;
      },
      { timeoutMs: MINUTES },
    );
  }

  #envOf({ environment }: ComposeService): Record<string, string | undefined> {
    const ours = Object.entries(environment).map(([variable, value]) => [
      variable,
      this.#here(variable, value),
    ]);
    return {
      PATH: process.env['PATH'],
      ...this.#image.env,
      ...Object.fromEntries(ours),
      HOME: this.#home,
      HOST: '127.0.0.1',
    };
  }

  /** What a value of docker-compose.yml is on this machine, where all share one network. */
  #here(variable: string, value: string): string {
    if (variable.endsWith('_PORT')) return String(this.#ports.get(value));
    const [, port] = /^http:\/\/\w+:(\d+)$/.exec(value) ?? [];
    if (port !== undefined) return this.url(port);
    return (this.#addresses[value] ?? value).replace(/^\/data/, join(this.#home, 'data'));
  }
}

async function withContainers(
  image: Image,
  use: (containers: Containers) => Promise<void>,
): Promise<void> {
  await withTempDir((directory) =>
    withPostgres((postgres) =>
      withRedis(async (redis) => {
        mkdirSync(join(directory, 'data'));
        if (user.uid !== undefined) {
          for (const path of [directory, join(directory, 'data')]) {
            chownSync(path, user.uid, user.gid);
          }
        }
        const addresses: Record<string, string> = { 'redis://:fig@redis:6379': redis.url };
        for (const name of ['monolith', 'inventory', 'payment']) {
          const { url } = await createPostgresDatabase(postgres.url);
          addresses[`postgres://fig:fig@postgres:5432/${name}`] = url;
        }
        const containers = new Containers(image, directory, addresses);
        try {
          await containers.start();
          await use(containers);
        } finally {
          await containers.stop();
        }
      }),
    ),
  );
}

/** Packages that only development needs, of those that are installed. */
function developmentPackages(directory: string): string[] {
  const { packages } = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  const paths = Object.keys(packages).filter((path) => packages[path]?.dev === true);
  expect(paths.length).toBeGreaterThan(100);
  return paths.filter((path) => existsSync(join(directory, path)));
}

describe('the image that npm has installed', () => {
  let directory: string;
  let image: Image;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fig-image-'));
    // For the user that its processes run as.
    chmodSync(directory, 0o755);
    image = await build(directory);
  }, 20 * MINUTES);
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('holds no development package, and weighs no more than it needs', async () => {
    expect(developmentPackages(image.directory)).toEqual([]);
    const size = await mustRun('du -sk .', { cwd: image.directory, env: clean });
    expect(Number(size.split('\t')[0])).toBeLessThan(70_000);
  });

  it(
    'runs what README.md names, and moves inventory out and back',
    () =>
      withContainers(image, async (containers) => {
        for (const command of readmeCommands()) await containers.exec(command);
        const said: string[] = [];
        for (const move of MOVES) said.push(await containers.exec(`bin/fig ${move}`));
        expect(said[4]).toContain('inventory now belongs to extracted');
        expect(said.at(-1)).toContain('inventory now belongs to legacy');
        expect((await request('GET', `${containers.url('8080')}/api/products`)).status).toBe(200);
      }),
    10 * MINUTES,
  );
});

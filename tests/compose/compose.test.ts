import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Service {
  readonly build?: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly ports?: readonly string[];
}

const compose = parse(readFileSync(`${ROOT}docker-compose.yml`, 'utf8'), { merge: true }) as {
  services: Record<string, Service>;
  configs: Record<string, { readonly content: string }>;
};
const ours = Object.entries(compose.services).filter(([, service]) => service.build === '.');

/** Every line of our sources outside tests, to look names up in. */
const sources = execFileSync(
  'git',
  ['grep', '-h', '-I', '', '--', '*.ts', ':!*.test.ts', ':!tests'],
  { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
);

describe('docker-compose.yml', () => {
  it('runs each of our processes', () => {
    expect(ours.map(([name]) => name).sort()).toEqual(
      [
        'engine',
        'facade',
        'flags',
        'inventory',
        'monolith',
        'payment',
        'provider',
        'sample',
      ].sort(),
    );
  });

  it.each(ours)('%s runs an entry that the build makes', (_name, { command = [] }) => {
    const entry = command.find((word) => word.startsWith('dist/'));
    expect(entry).toBeDefined();
    const source = entry?.replace(/^dist\//, '').replace(/\.js$/, '.ts') ?? '';
    expect(existsSync(`${ROOT}${source}`)).toBe(true);
  });

  it.each(ours)('%s sets only variables that the code reads', (_name, { environment = {} }) => {
    const unread = Object.keys(environment).filter(
      (variable) => !sources.includes(`'${variable}'`),
    );
    expect(unread).toEqual([]);
  });

  it.each(ours)('%s listens where the others and its health check look', (name, service) => {
    const port = service.environment?.[`${name.toUpperCase()}_PORT`];
    if (name === 'sample' || name === 'flags') {
      expect(port).toBeUndefined();
      return;
    }
    expect(port).toBeDefined();
    expect(sources.includes(`'${name.toUpperCase()}_PORT', ${port}`)).toBe(true);
    const url = service.environment?.[`${name.toUpperCase()}_URL`];
    if (url !== undefined) expect(url).toBe(`http://${name}:${port}`);
    const probe = service.healthcheck?.test.join(' ') ?? '';
    const probed = name === 'facade' ? service.environment?.['ADMIN_PORT'] : port;
    expect(probe).toContain(`127.0.0.1:${probed}/readyz`);
  });

  it('publishes ports on loopback only', () => {
    const published = Object.values(compose.services).flatMap(({ ports = [] }) => ports);
    expect(published.length).toBeGreaterThan(0);
    expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('makes the database that each of its URLs names', () => {
    const { environment = {} } = compose.services['monolith'] ?? {};
    const named = Object.entries(environment)
      .filter(([variable]) => variable.endsWith('_DATABASE_URL'))
      .map(([, url]) => new URL(url));
    const { POSTGRES_USER, POSTGRES_PASSWORD } = compose.services['postgres']?.environment ?? {};
    expect(named).toHaveLength(3);
    for (const { hostname, username, password, pathname } of named) {
      expect([hostname, username, password]).toEqual([
        'postgres',
        POSTGRES_USER,
        POSTGRES_PASSWORD,
      ]);
      expect(compose.configs['databases']?.content).toContain(`DATABASE ${pathname.slice(1)};`);
    }
  });

  it('depends only on services that exist', () => {
    const names = Object.keys(compose.services);
    const wanted = Object.values(compose.services).flatMap((service) =>
      Object.keys(service.depends_on ?? {}),
    );
    expect(wanted.filter((name) => !names.includes(name))).toEqual([]);
  });

  it('passes the linter for compose files without a word', () => {
    const linter = `${ROOT}node_modules/.bin/dclint`;
    expect(
      execFileSync(linter, ['--max-warnings', '0', '.'], { cwd: ROOT, encoding: 'utf8' }).trim(),
    ).toBe('');
  });
});

describe('Dockerfile', () => {
  const dockerfile = readFileSync(`${ROOT}Dockerfile`, 'utf8');

  it('copies only paths that exist or that the build makes', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?:--from=build )?(.+) \S+$/gm)]
      .flatMap(([, paths = '']) => paths.split(' '))
      .map((path) => path.replace(/^\/app\//, ''))
      .filter((path) => !['.', 'node_modules', 'dist'].includes(path));
    expect(copied.length).toBeGreaterThan(0);
    expect(copied.filter((path) => !existsSync(`${ROOT}${path}`))).toEqual([]);
  });

  it('ends as an unprivileged user, with a command that the build makes', () => {
    const users = [...dockerfile.matchAll(/^USER (\S+)$/gm)].map(([, user]) => user);
    expect(users.at(-1)).toBe('node');
    const entry = /^CMD .*"dist\/(\S+)\.js"\]$/m.exec(dockerfile)?.[1] ?? '';
    expect(existsSync(`${ROOT}${entry}.ts`)).toBe(true);
  });
});

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { figProcesses, projectRoot } from '../../system/index.ts';
import { composeFile, ourServices } from './compose-file.ts';

const ROOT = join(projectRoot, '/');

describe('what docker-compose.yml runs', () => {
  it('is each of our processes, and what prepares them', () => {
    expect(
      ourServices()
        .map(([name]) => name)
        .sort(),
    ).toEqual([...figProcesses.map(({ name }) => name), 'flags', 'sample'].sort());
  });
});

describe('docker-compose.yml', () => {
  it('publishes ports on loopback only', () => {
    const published = Object.values(composeFile.services).flatMap(({ ports = [] }) => ports);
    expect(published.length).toBeGreaterThan(0);
    expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('depends only on services that exist', () => {
    const names = Object.keys(composeFile.services);
    const wanted = Object.values(composeFile.services).flatMap((service) =>
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

import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { projectRoot, withoutSystem } from '../../system/index.ts';
import { buildImage } from './build-image.ts';
import type { Image } from './build-image.ts';
import { composeServices, readmeCommands } from './compose.ts';
import { readDockerfile } from './dockerfile.ts';
import { mustRun, runIn } from './run-in.ts';

interface Lockfile {
  readonly packages: Readonly<
    Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>
  >;
}

/** Paths of the packages that are installed where development and optional ones are left out. */
function productionPackages(): string[] {
  const { packages } = JSON.parse(
    readFileSync(join(projectRoot, 'package-lock.json'), 'utf8'),
  ) as Lockfile;
  return Object.entries(packages)
    .filter(([path, { dev, optional, devOptional }]) => {
      return /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && !dev && !optional && !devOptional;
    })
    .map(([path]) => path);
}

/** In place of npm, which takes minutes: what is installed here already, and no more than it would. */
async function runWithInstalledPackages(command: string, cwd: string): Promise<void> {
  const packages = join(cwd, 'node_modules');
  if (command === 'npm ci') {
    symlinkSync(join(projectRoot, 'node_modules'), packages);
  } else if (command.startsWith('npm prune --omit=dev --omit=optional')) {
    rmSync(packages);
    for (const path of productionPackages()) {
      mkdirSync(dirname(join(cwd, path)), { recursive: true });
      symlinkSync(join(projectRoot, path), join(cwd, path));
    }
  } else {
    await mustRun(command, { cwd, env: process.env });
  }
}

const clean = withoutSystem(process.env);

describe('the image', () => {
  let directory: string;
  let image: Image;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fig-image-'));
    image = await buildImage({ directory, run: runWithInstalledPackages });
  }, 300_000);
  afterAll(() => rm(directory, { recursive: true, force: true }));

  // What the others are made of these are, too; image.soak.test.ts runs them all.
  it.each(['engine', 'facade'])('starts the %s with production packages only', async (name) => {
    const service = composeServices().find((each) => each.name === name);
    // By the time that it asks for its port it has loaded all of itself.
    const wrong = { [`${name.toUpperCase()}_PORT`]: 'none' };
    const { output } = await runIn(service?.command.join(' ') ?? '', {
      cwd: image.directory,
      env: { ...clean, ...image.env, ...wrong, FIG_DATA_DIR: join(image.directory, '..', 'data') },
    });
    expect(output).toContain('_PORT=none is not a port');
  });

  it('has a command of its own that it holds', () => {
    expect(readdirSync(join(image.directory, 'dist', 'facade'))).toContain('main.js');
    expect(image.command.at(-1)).toBe('dist/facade/main.js');
  });

  it.each(readmeCommands())('runs %s, which README.md names', async (command) => {
    const help = command.startsWith('npm') ? `${command} -- --help` : `${command} --help`;
    const output = await mustRun(help, {
      cwd: image.directory,
      env: { ...clean, ...image.env },
    });
    expect(output).toContain('Usage:');
  });

  it('keeps its data to the user that it runs as', () => {
    const steps = readDockerfile(join(projectRoot, 'Dockerfile')).flatMap((stage) => stage.steps);
    const commands = steps.flatMap((step) => (step.what === 'run' ? [step.command] : []));
    expect(commands).toContain('mkdir -m 700 /data && chown node:node /data');
  });

  it('holds no test, no bench and no source', () => {
    const files = readdirSync(join(image.directory, 'dist'), { recursive: true }).map(String);
    expect(files.length).toBeGreaterThan(300);
    expect(
      files.filter((file) => /(^(tests|bench)\/|\.test\.|testing\/|\.ts$)/.test(file)),
    ).toEqual([]);
    expect(readdirSync(image.directory).toSorted()).toEqual(
      ['bin', 'dist', 'node_modules', 'package.json', 'scripts'].toSorted(),
    );
  });
});

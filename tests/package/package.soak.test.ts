import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { projectRoot, withoutSystem } from '../../system/index.ts';
import { eventually, request, temporaryPostgresDatabase, withTempDir } from '../support/index.ts';
import { runCommand } from '../scripts/run-command.ts';
import { followReadme, readme } from './any-app.ts';
import { withFigUp } from './fig-up.ts';
import { THINGS, TYPESCRIPT, withTwoServers, YAML } from './two-servers.ts';

const MINUTES = 60_000;
const clean = { ...withoutSystem(process.env), NO_COLOR: '1' };

async function must(command: readonly string[], cwd: string, env = {}): Promise<string> {
  const { code, output } = await runCommand(command, { cwd, env: { ...clean, ...env } });
  if (code === 0) return output;
  throw new Error(`${command.join(' ')} ended with ${code}:\n${output}`);
}

/** Leaves what was installed. */
async function clear(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name !== 'node_modules') await rm(join(folder, name), { recursive: true });
  }
}

describe('what npm pack makes', () => {
  let root: string;
  let tarball: string;
  /** An empty folder in which it was installed. */
  let folder: string;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'fig-package-'));
    folder = join(root, 'empty');
    await mkdir(folder);
    await must(['npm', 'pack', '--pack-destination', root], projectRoot);
    const packed = (await readdir(root)).find((name) => name.endsWith('.tgz'));
    tarball = join(root, packed ?? 'none was packed');
    await must(['npm', 'install', '--no-audit', '--no-fund', tarball], folder);
  }, 10 * MINUTES);
  afterAll(() => rm(root, { recursive: true, force: true }));

  it('installs nothing that has to be compiled, and brings types and a schema', async () => {
    const installed = await readdir(join(folder, 'node_modules'));
    expect(installed).not.toContain('better-sqlite3');
    expect(await must(['npx', 'fig', '--help'], folder)).toContain('fig up');
    const schema = join(folder, 'node_modules', 'strangler-fig', 'dist', 'fig.schema.json');
    expect(JSON.parse(await readFile(schema, 'utf8'))).toMatchObject({
      properties: { capabilities: { type: 'object' } },
    });
  });

  it.each(['nodenext', 'bundler'])(
    'has types for a project with moduleResolution %s',
    async (resolution) => {
      await writeFile(
        join(folder, 'fig.config.ts'),
        TYPESCRIPT.replace("'./things'", "'./things.js'"),
      );
      await writeFile(join(folder, 'things.ts'), THINGS);
      const compilerOptions = {
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        types: ['node'],
        typeRoots: [join(projectRoot, 'node_modules', '@types')],
        module: resolution === 'bundler' ? 'esnext' : resolution,
        moduleResolution: resolution,
      };
      await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
      await writeFile(
        join(folder, 'tsconfig.json'),
        JSON.stringify({ compilerOptions, files: ['fig.config.ts'] }),
      );
      const tsc = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
      expect(await must([process.execPath, tsc, '-p', folder], folder)).toBe('');
      await writeFile(join(folder, 'fig.config.ts'), TYPESCRIPT.replace('monolith:', 'monolit:'));
      await expect(must([process.execPath, tsc, '-p', folder], folder)).rejects.toThrow('monolit');
    },
    2 * MINUTES,
  );

  it.each([
    ['fig.config.ts', TYPESCRIPT, '{}'],
    ['fig.config.ts', TYPESCRIPT, '{ "type": "commonjs" }'],
    ['fig.config.ts', TYPESCRIPT, '{ "type": "module" }'],
    ['fig.config.yaml', YAML, '{}'],
    [
      'fig.config.json',
      JSON.stringify({
        $schema: 'x',
        upstreams: { old: '${OLD_URL}', new: '${NEW_URL}' },
        monolith: 'old',
        capabilities: { things: { legacy: 'old', extracted: 'new', routes: ['/things'] } },
      }),
      '{}',
    ],
  ])(
    'runs %s in front of two servers',
    (name, text, packageJson) =>
      withTwoServers(async (servers) => {
        await clear(folder);
        await writeFile(join(folder, 'package.json'), packageJson);
        await writeFile(join(folder, 'things.ts'), THINGS);
        await writeFile(join(folder, name), text);
        expect(await must(['npx', 'fig', 'config', 'print'], folder, servers)).toContain('/things');
        const env = { ...clean, ...servers };
        const { output } = await withFigUp(
          { command: ['npx', 'fig'], cwd: folder, env },
          async ({ url }) => {
            const answered = async () => (await request('GET', `${url}/things`)).headers['x-name'];
            expect(await answered()).toBe('old');
            await must(['npx', 'fig', 'ramp', 'things', '100', '--yes'], folder, servers);
            await eventually(async () => expect(await answered()).toBe('new'));
          },
        );
        expect(output).toContain('"msg":"stopped"');
      }),
    3 * MINUTES,
  );

  it(
    'moves rows between two PostgreSQL databases, there and back',
    () =>
      withTwoServers(async (servers) => {
        await clear(folder);
        const legacy = await temporaryPostgresDatabase();
        const extracted = await temporaryPostgresDatabase();
        try {
          const env = {
            ...clean,
            ...servers,
            OLD_DATABASE: legacy.url,
            NEW_DATABASE: extracted.url,
          };
          await writeFile(join(folder, 'package.json'), '{}');
          await writeFile(join(folder, 'fig.config.ts'), WITH_ROWS);
          await writeFile(join(folder, 'tables.mjs'), TABLES);
          await must([process.execPath, 'tables.mjs'], folder, env);
          const { output } = await withFigUp(
            { command: ['npx', 'fig'], cwd: folder, env },
            async (running) => {
              expect(running.output()).toContain('rows move for      things');
              for (const words of [
                'check',
                'backfill things --yes',
                'reconcile things',
                'switch things --yes',
                'reverse things --yes',
                'reconcile things',
              ]) {
                await must(['npx', 'fig', ...words.split(' ')], folder, env);
              }
              expect(await must(['npx', 'fig', 'status'], folder, env)).toContain('epoch 3');
            },
          );
          expect(output).toContain('"msg":"stopped"');
        } finally {
          await legacy.drop();
          await extracted.drop();
        }
      }),
    5 * MINUTES,
  );

  it(
    'does what the page of examples/any-app says',
    () =>
      withTempDir(async (empty) => {
        const [install, ...blocks] = readme();
        const commands = (install?.commands ?? '').replace('strangler-fig ', `${tarball} `);
        await writeFile(join(empty, 'package.json'), '{}');
        await must(['sh', '-ec', commands], empty);
        await followReadme(empty, blocks);
      }),
    5 * MINUTES,
  );
});

const WITH_ROWS = `import { defineConfig, defineMapping, rename } from 'strangler-fig';
const env = (name: string): string => process.env[name] ?? '';
const things = defineMapping({
  capability: 'things',
  pairs: [
    { name: 'things', legacy: { table: 'thing' }, extracted: { table: 'things' }, key: [rename('no', 'id')], columns: [rename('label', 'name')] },
  ],
});
export default defineConfig({
  upstreams: { old: env('OLD_URL'), new: env('NEW_URL') },
  monolith: 'old',
  // Two servers that know no fences.
  drainFirst: ['old', 'new'],
  capabilities: {
    things: {
      legacy: 'old', extracted: 'new', routes: ['/things', '/things/*'],
      databases: { legacy: env('OLD_DATABASE'), extracted: env('NEW_DATABASE') },
      mapping: things,
    },
  },
});
`;
const TABLES = `import pg from 'pg';
const run = async (url, sql) => {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(sql);
  await client.end();
};
await run(process.env.OLD_DATABASE, "CREATE TABLE thing (no int PRIMARY KEY, label text); INSERT INTO thing SELECT n, 'thing ' || n FROM generate_series(1, 100) n");
await run(process.env.NEW_DATABASE, 'CREATE TABLE things (id int PRIMARY KEY, name text)');
`;

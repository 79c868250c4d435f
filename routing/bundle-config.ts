import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, extname, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { BuildFailure, BuildOptions, Plugin } from 'esbuild';

/** The name by which a configuration imports Fig. */
const OURS = /^strangler-fig(?:\/|$)(.*)/;
/** What the plugin has esbuild resolve comes back to it. */
const SEEN = Symbol('resolved by esbuild itself');
/** What tells a module where it is: in one bundled file, each has to get its own. */
const PLACES = {
  'import.meta.url': '__fig_url',
  'import.meta.filename': '__fig_filename',
  'import.meta.dirname': '__fig_dirname',
} as const;

/**
 * Imports a configuration that is or needs TypeScript, afresh each time, with the files that it imports. It is an ES module,
 * whatever the `type` of the package.json beside it. Packages are
 * not bundled: they are those that Node would load.
 * @returns undefined where esbuild, an optional package, is not installed
 * @throws Error with file, line and column of what can't be read
 */
export async function importBundled(file: string): Promise<{ default?: unknown } | undefined> {
  const code = await bundle(file);
  if (code === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'fig-config-'));
  try {
    const module = join(folder, 'fig.config.mjs');
    await writeFile(module, code);
    return (await import(pathToFileURL(module).href)) as { default?: unknown };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function bundle(file: string): Promise<string | undefined> {
  const esbuild = await import('esbuild').catch(() => undefined);
  if (esbuild === undefined) return undefined;
  try {
    const { outputFiles } = await esbuild.build({ ...OPTIONS, entryPoints: [file] });
    return outputFiles[0]?.text;
  } catch (error) {
    const { errors = [] } = error as Partial<BuildFailure>;
    if (errors.length === 0) throw error;
    const lines = errors.map(({ text, location }) =>
      location === null
        ? text
        : `${location.file}:${location.line}:${location.column + 1}: ${text}`,
    );
    throw new Error(lines.join('\n  '), { cause: error });
  } finally {
    // A process of its own, which would stay.
    await esbuild.stop();
  }
}

const asNodeResolves: Plugin = {
  name: 'packages as Node resolves them',
  setup(build) {
    build.onResolve({ filter: /^/ }, async ({ path: given, pluginData, ...from }) => {
      if (pluginData === SEEN || from.kind === 'entry-point') return undefined;
      const path = given.startsWith('file:') ? fileURLToPath(given) : given;
      const own = ownModule(path);
      if (isBuiltin(path) || own !== undefined) return { path: own ?? path, external: true };
      const found = await build.resolve(path, { ...from, pluginData: SEEN });
      if (found.errors.length > 0 || found.external) return found;
      const outside = builtOf(found.path) ?? (isPackaged(found.path) ? found.path : undefined);
      if (outside === undefined) return found;
      const isRequired = from.kind.startsWith('require');
      return { path: isRequired ? outside : pathToFileURL(outside).href, external: true };
    });
    build.onLoad({ filter: /\.[cm]?[jt]s$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (!text.includes('import.meta')) return undefined;
      const places = [pathToFileURL(path).href, path, dirname(path)];
      const header = Object.values(PLACES)
        .map((name, at) => `const ${name} = ${JSON.stringify(places[at])};`)
        .join(' ');
      // On the line of the first statement: places in messages are those of the file.
      return { contents: `${header} ${text}`, loader: isTypeScript(path) ? 'ts' : 'js' };
    });
  },
};

const OPTIONS = {
  bundle: true,
  write: false,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  // For files of CommonJS that a configuration imports.
  banner: {
    js: "import { createRequire as figRequire } from 'node:module'; const require = figRequire(import.meta.url);",
  },
  logLevel: 'silent',
  // Without the conditions that only bundlers know.
  conditions: [],
  define: PLACES,
  plugins: [asNodeResolves],
} satisfies BuildOptions;

function isTypeScript(file: string): boolean {
  return ['.ts', '.mts', '.cts'].includes(extname(file));
}

/** Of a package as it is published; packages of the same workspace may be in TypeScript. */
function isPackaged(file: string): boolean {
  return file.includes(`${sep}node_modules${sep}`) && !isTypeScript(file);
}

/** The folder of this program's modules: its build, where it was built. */
const MODULES = fileURLToPath(new URL('../', import.meta.url));

/** This very package, also where it is installed elsewhere: a configuration must not get another copy of it. */
function ownModule(name: string): string | undefined {
  const [, path] = OURS.exec(name) ?? [];
  if (path === undefined) return undefined;
  const file = join(MODULES, path, 'index.js');
  return existsSync(file) ? pathToFileURL(file).href : undefined;
}

/** What was built of a source of this program, for the same reason. */
function builtOf(source: string): string | undefined {
  const path = relative(dirname(MODULES), source);
  const built = join(MODULES, path.replace(/\.ts$/, '.js'));
  return isTypeScript(source) && !path.startsWith('..') && existsSync(built) ? built : undefined;
}

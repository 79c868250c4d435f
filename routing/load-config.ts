import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigurationError, errorText } from '../chassis/index.ts';
import type { Environment } from '../chassis/index.ts';
import { importBundled } from './bundle-config.ts';
import { defineConfig } from './config.ts';
import type { FigConfig, FigConfigInput } from './config.ts';
import { configFile } from './find-config.ts';
import type { OpenApiConfig } from './gateway/index.ts';

/**
 * Loads the configuration: a module's default export (`.ts`, `.js`, `.mjs`), or the data of a
 * `.json` or `.yaml` file, in whose strings `${NAME}` and `${NAME:-default}` stand for variables.
 * @throws ConfigurationError when it is not there or can't be used; it lists all that is wrong
 */
export async function loadConfig(env: Environment): Promise<FigConfig> {
  const file = configFile(env);
  const config = await defineFrom(file, env);
  const { flagsFile, contractFile } = config;
  const beside = (path: string): string => resolve(dirname(file), path);
  return {
    ...config,
    upstreams: withFiles(file, config, beside),
    gateway: withGatewayFiles(config.gateway, beside),
    ...(flagsFile === undefined ? {} : { flagsFile: beside(flagsFile) }),
    ...(contractFile === undefined ? {} : { contractFile: beside(contractFile) }),
  };
}

async function defineFrom(file: string, env: Environment): Promise<FigConfig> {
  try {
    return defineConfig((await readInput(file, env)) as FigConfigInput);
  } catch (error) {
    if (!(error instanceof ConfigurationError) || error.message.includes(file)) throw error;
    throw new ConfigurationError(`${file}: ${error.message}`, { cause: error });
  }
}

function withGatewayFiles(
  gateway: FigConfig['gateway'],
  beside: (path: string) => string,
): FigConfig['gateway'] {
  const { auth, openapi } = gateway;
  return {
    ...gateway,
    ...(auth?.secretFile === undefined
      ? {}
      : { auth: { ...auth, secretFile: beside(auth.secretFile) } }),
    ...(openapi ? { openapi: { ...openapi, documents: documentsBeside(openapi, beside) } } : {}),
  };
}

function documentsBeside(
  { documents }: OpenApiConfig,
  beside: (path: string) => string,
): OpenApiConfig['documents'] {
  return Object.fromEntries(
    Object.entries(documents).map(([name, given]) => [
      name,
      typeof given === 'string' ? beside(given) : given,
    ]),
  );
}

/** Files of upstreams lie beside the configuration's, too. */
function withFiles(
  file: string,
  { upstreams }: FigConfig,
  beside: (path: string) => string,
): FigConfig['upstreams'] {
  return Object.fromEntries(
    Object.entries(upstreams).map(([name, upstream]) => {
      if (typeof upstream === 'string') return [name, upstream];
      const { ca, socket } = upstream;
      const found = {
        ...upstream,
        ...(socket === undefined ? {} : { socket: beside(socket) }),
        ...(ca === undefined ? {} : { ca: beside(ca) }),
      };
      const trouble = found.ca === undefined ? undefined : troubleWithCertificates(found.ca);
      if (trouble !== undefined) throw unusable(file, `upstreams.${name}.ca: ${trouble}`);
      return [name, found];
    }),
  );
}

function troubleWithCertificates(file: string): string | undefined {
  try {
    void new X509Certificate(readFileSync(file));
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code?.startsWith('ERR_OSSL')
      ? `${file} is no PEM file of certificates`
      : errorText(error);
  }
}

async function readInput(file: string, env: Environment): Promise<unknown> {
  const extension = extname(file);
  if (['.json', '.yaml', '.yml'].includes(extension)) return readData(file, env);
  if (isTypeScript(file) || ['.js', '.mjs'].includes(extension)) return readModule(file);
  throw unusable(file, 'give a file that ends in .ts, .js, .mjs, .json, .yaml or .yml');
}

/** JSON is read as YAML, of which it is a part: the messages tell line and column. */
async function readData(file: string, env: Environment): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw unusable(file, errorText(error));
  }
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors.length > 0) {
    throw unusable(file, document.errors.map(({ message }) => message.trim()).join('\n  '));
  }
  const missing = new Set<string>();
  const data = document.toJS() as unknown;
  // For editors, by which they find the schema.
  if (typeof data === 'object' && data !== null) Reflect.deleteProperty(data, '$schema');
  const input = withVariables(data, env, missing);
  if (missing.size > 0) throw unusable(file, `not in the environment: ${[...missing].join(', ')}`);
  return input;
}

function withVariables(value: unknown, env: Environment, missing: Set<string>): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\{(\w+)(?::-([^}]*))?\}/g, (_all, name: string, other?: string) => {
      const found = env[name] || other;
      if (found === undefined) missing.add(name);
      return found ?? '';
    });
  }
  if (Array.isArray(value)) return value.map((each) => withVariables(each, env, missing));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, withVariables(each, env, missing)]),
  );
}

async function readModule(file: string): Promise<unknown> {
  let module: { default?: unknown };
  try {
    module = await importFresh(file);
  } catch (error) {
    // Also one of another copy of that class, which a configuration in TypeScript may bring along.
    if (error instanceof Error && error.name === 'ConfigurationError') {
      throw new ConfigurationError(error.message, { cause: error });
    }
    throw unusable(file, errorText(error), error);
  }
  if (module.default === undefined) throw unusable(file, 'it has no default export');
  return module.default;
}

async function importFresh(file: string): Promise<{ default?: unknown }> {
  const bundled = isTypeScript(file) ? await importBundled(file) : undefined;
  if (bundled !== undefined) return bundled;
  // Node caches modules by their URL: one that has changed gets another.
  const { mtimeMs } = await stat(file);
  try {
    return (await import(`${pathToFileURL(file).href}?changed=${mtimeMs}`)) as {
      default?: unknown;
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw error;
    // JavaScript may import TypeScript.
    const module = await importBundled(file);
    if (module !== undefined) return module;
    throw new Error(
      'to read TypeScript this Node needs the package esbuild, which is not installed; ' +
        'give a .js, .json or .yaml file, or use Node 22.18 or newer',
      { cause: error },
    );
  }
}

function isTypeScript(file: string): boolean {
  return ['.ts', '.mts'].includes(extname(file));
}

function unusable(file: string, reason: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError(`the configuration ${file} can't be loaded:\n  ${reason}`, {
    cause,
  });
}

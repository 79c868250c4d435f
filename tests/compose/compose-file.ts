import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../../system/index.ts';

export interface Service {
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly ports?: readonly string[];
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly configs: Readonly<Record<string, { readonly content: string }>>;
}

export const composeFile = parse(readFileSync(join(projectRoot, 'docker-compose.yml'), 'utf8'), {
  merge: true,
}) as ComposeFile;

/** The services that run this project's image, in the order in which the file has them start. */
export function ourServices(): readonly (readonly [string, Service])[] {
  const { services } = composeFile;
  const started = new Set<string>();
  const start = (name: string): void => {
    for (const before of Object.keys(services[name]?.depends_on ?? {})) start(before);
    started.add(name);
  };
  for (const name of Object.keys(services)) start(name);
  return [...started].flatMap((name) => {
    const service = services[name];
    return service?.build === '.' ? [[name, service] as const] : [];
  });
}

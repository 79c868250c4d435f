import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../../system/index.ts';

/** A service of docker-compose.yml that runs our image. */
export interface ComposeService {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

interface Service {
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Those in the order in which they are written, which is that in which they depend on each other. */
export function composeServices(): readonly ComposeService[] {
  const text = readFileSync(join(projectRoot, 'docker-compose.yml'), 'utf8');
  const { services } = parse(text, { merge: true }) as { services: Record<string, Service> };
  return Object.entries(services)
    .filter(([, { build }]) => build === '.')
    .map(([name, { command = [], environment = {} }]) => ({
      name,
      command,
      environment: Object.fromEntries(
        Object.entries(environment).map(([variable, value]) => [variable, withoutVariables(value)]),
      ),
    }));
}

/** `${NAME:-default}` with nothing set. */
function withoutVariables(text: string): string {
  return text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
}

/** The commands that README.md has its readers run in a container of the engine. */
export function readmeCommands(): readonly string[] {
  const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');
  const section = /^## In containers\n(.*?)^## /ms.exec(readme)?.[1] ?? '';
  return [...section.matchAll(/`docker compose exec engine ([^`]+)`/g)].map(([, command = '']) =>
    command.replaceAll(/\s+/g, ' '),
  );
}

import { QUESTION, quoted, variableOf } from './mapping-text.ts';

interface ConfigOptions {
  readonly name: string;
  readonly monolithUrl: string;
  readonly databaseUrl: string;
  /** As they were given or found; empty where nobody said any. */
  readonly routes: readonly string[];
  readonly from: string;
}

/** The configuration, in TypeScript; it names no password. */
export function configText(options: ConfigOptions): string {
  const { name, monolithUrl, databaseUrl, routes, from } = options;
  const known = routes.length > 0 ? routes : [`/${name}`];
  const paths = known.flatMap((route) => [route, `${route.replace(/\/$/, '')}/*`]);
  const upper = name.toUpperCase();
  return `import { defineConfig } from ${quoted(from)};
import { ${variableOf(name)} } from './${name}.mapping.ts';

const { env } = process;

export default defineConfig({
  upstreams: {
    monolith: env['MONOLITH_URL'] ?? ${quoted(monolithUrl)},
    // ${QUESTION} where does the new service listen?
    ${name}: env['${upper}_URL'] ?? 'http://127.0.0.1:5001',
  },
  monolith: 'monolith',
  // ${QUESTION} does the monolith answer 421 where its database refuses a write? If so, take this line out: writes that
  // are under way are then never waited for.
  drainFirst: ['monolith'],
  flagsFile: 'flags.json',
  capabilities: {
    ${name}: {
      legacy: 'monolith',
      extracted: '${name}',
      ${routes.length > 0 ? '' : `// ${QUESTION} which paths belong to it?\n      `}routes: [
${paths.map((path) => `        ${quoted(path)},`).join('\n')}
      ],
      databases: {
        legacy: env['MONOLITH_DATABASE_URL'] ?? ${quoted(withoutPassword(databaseUrl))},
        // ${QUESTION} where is the service's database?
        extracted: env['${upper}_DATABASE_URL'] ?? 'postgres://127.0.0.1:5432/${name}',
      },
      mapping: ${variableOf(name)},
    },
  },
  // ${QUESTION} which other routes of the monolith write to its tables? Name each, so that they wait for a handover, too.
  // touches: [{ method: 'POST', path: '/checkout', capabilities: ['${name}'] }],
});
`;
}

/** Passwords come from the environment, and are in no file. */
export function withoutPassword(url: string): string {
  const without = new URL(url);
  without.password = '';
  return without.href;
}

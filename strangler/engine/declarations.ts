import { ConfigurationError } from '../../chassis/index.ts';
import type { ServerSettings } from '../../chassis/index.ts';
import { remedyNames } from '../replication/cascades.ts';
import { tablesOf } from '../mapping/index.ts';
import type { Mapping } from '../mapping/index.ts';
import { upstreamSettings } from '../../routing/index.ts';
import type { CapabilityConfig, FigConfig } from '../../routing/index.ts';
import type { DataDeclaration } from './open-capability.ts';

function isMapping(value: unknown): value is Mapping {
  const { capability, pairs, hash } = (value ?? {}) as Partial<Mapping>;
  return typeof capability === 'string' && Array.isArray(pairs) && typeof hash === 'string';
}

/**
 * The capabilities whose rows move, out of a configuration; where only requests are routed there is
 * nothing for an engine to do.
 * @throws ConfigurationError for a mapping that was not made by `defineMapping`, or for another one
 */
export function declarationsOf(
  config: FigConfig,
  contractFile: string,
): Record<string, DataDeclaration> {
  const declarations: Record<string, DataDeclaration> = {};
  for (const [capability, { databases, mapping }] of Object.entries(config.capabilities)) {
    if (!databases || mapping === undefined) continue;
    if (!isMapping(mapping)) {
      throw new ConfigurationError(
        `capabilities.${capability}.mapping is no mapping; make it with defineMapping`,
      );
    }
    if (mapping.capability !== capability) {
      throw new ConfigurationError(
        `capabilities.${capability}.mapping is the mapping of ${mapping.capability}`,
      );
    }
    declarations[capability] = {
      urls: databases,
      mapping,
      ...restOf(config, capability, contractFile),
    };
  }
  refuseSharedChildren(Object.values(declarations));
  return declarations;
}

/**
 * What one capability carries out in a table that another one moves would meet that one's fence once
 * it is owned elsewhere. No database knows of both before both are installed.
 */
function refuseSharedChildren(declarations: readonly DataDeclaration[]): void {
  for (const side of ['legacy', 'extracted'] as const) {
    for (const { mapping, urls } of declarations) {
      const names = tablesOf(mapping, side).flatMap((table) =>
        remedyNames(mapping, side, table, 'cascade'),
      );
      for (const other of declarations) {
        if (other.mapping === mapping || other.urls[side] !== urls[side]) continue;
        for (const table of tablesOf(other.mapping, side)) {
          const named = names.find((name) => name.startsWith(`${table}(`));
          if (named === undefined) continue;
          throw new ConfigurationError(
            `${mapping.capability} can't carry out '${named}': ${table} moves with ` +
              `${other.mapping.capability}; move both tables with one capability, or give ` +
              `'${named}' a reason in place of cascade`,
          );
        }
      }
    }
  }
}

function serverOf({ upstreams }: FigConfig, name: string): ServerSettings {
  return upstreamSettings(upstreams[name] ?? '');
}

function restOf(
  config: FigConfig,
  capability: string,
  file: string,
): Omit<DataDeclaration, 'urls' | 'mapping'> {
  const settings = config.capabilities[capability] as CapabilityConfig;
  const { invariants, contract, completion, cohorts } = settings;
  const upstreams = {
    legacy: serverOf(config, settings.legacy),
    extracted: serverOf(config, settings.extracted),
  };
  const { soakMs, quietMs, sunset, successor = upstreams.extracted.url } = completion;
  return {
    invariants,
    cohorts,
    ...(contract ? { contract: { file, upstreams } } : {}),
    drainFirst: (['legacy', 'extracted'] as const).filter((side) =>
      config.drainFirst.includes(settings[side]),
    ),
    completion: {
      soakMs,
      quietMs,
      sunset: sunset === undefined ? undefined : Date.parse(sunset),
      successor: successor.replace(/\/$/, ''),
      leftovers: leftoversOf(config, capability),
    },
  };
}

/** What nobody needs any more once a capability is completed, in words. */
function leftoversOf({ capabilities, touches }: FigConfig, capability: string): readonly string[] {
  const { routes = [], completion } = capabilities[capability] ?? {};
  const touching = touches.filter((touch) => touch.capabilities.includes(capability));
  return [
    `flags ${['shadow', 'reads', 'writes'].map((flag) => `${capability}.${flag}`).join(', ')}`,
    `configuration capabilities.${capability}; its routes (${routes.map((route) => (typeof route === 'string' ? route : route.path)).join(', ')}) are its service's own`,
    ...touching.map(
      ({ method, path }) => `configuration ${capability} in touches ${method} ${path}`,
    ),
    ...(completion?.legacyCode ?? []).map((path) => `code ${path}`),
  ];
}

import { ConfigurationError } from '../../chassis/index.ts';
import type { Mapping } from '../mapping/index.ts';
import type { FigConfig } from '../routing/index.ts';
import type { DataDeclaration } from './plane.ts';

function isMapping(value: unknown): value is Mapping {
  const { capability, pairs, hash } = (value ?? {}) as Partial<Mapping>;
  return typeof capability === 'string' && Array.isArray(pairs) && typeof hash === 'string';
}

/**
 * The capabilities whose rows move, out of a configuration; where only requests are routed there is
 * nothing for an engine to do.
 * @throws ConfigurationError for a mapping that was not made by `defineMapping`, or for another one
 */
export function declarationsOf(config: FigConfig): Record<string, DataDeclaration> {
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
    declarations[capability] = { urls: databases, mapping };
  }
  return declarations;
}

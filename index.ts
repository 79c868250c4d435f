/**
 * What a configuration is written with: the public API of the package. What is not exported here may change with
 * any release; what is follows semantic versions (docs/package.md).
 */
export { defineConfig } from './routing/index.ts';
export type { CapabilityConfig, FigConfig, FigConfigInput } from './routing/index.ts';
export {
  cascade,
  constant,
  copyOf,
  decimalToMinor,
  defineMapping,
  derived,
  enumeration,
  equalBy,
  jsonDocument,
  MappingError,
  numericWorth,
  prefixed,
  refuse,
  rename,
  same,
  secret,
  timestamp,
  transform,
  unsignedZero,
} from './strangler/mapping/index.ts';
export type {
  BorderRemedy,
  Codec,
  CohortKey,
  CopyOf,
  Mapping,
  Pair,
  PairSide,
  PartOf,
  Row,
  RowFilter,
  SqlValue,
} from './strangler/mapping/index.ts';

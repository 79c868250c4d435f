import type { Row } from './mapping/index.ts';

/** A row of one side, by its table and key. */
export interface RowName {
  readonly table: string;
  readonly key: Row;
}

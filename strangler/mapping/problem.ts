/** One reason why a mapping can't be used. `code` is stable; `message` names what and why. */
export interface MappingProblem {
  readonly code: string;
  readonly pair: string | null;
  readonly message: string;
  /** `TABLE` or `TABLE.COLUMN`, where one is at fault. */
  readonly place?: string;
}

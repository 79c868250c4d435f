import { CommandError, EXIT } from '../../chassis/cli/index.ts';

/** What a problem of the engine says, or one of our own where no engine is asked. */
export interface ProblemBody {
  readonly code?: string;
  readonly detail?: string;
  readonly next?: string | null;
  readonly standing?: string;
  /** Where the engine that leads takes orders, if this one does not. */
  readonly leader?: string;
}

/** Codes that say: it is not safe, or makes no sense, as things are; nothing was changed. */
const REFUSALS = new Set([
  'gate_refused',
  'nothing_to_abort',
  'past_commit_point',
  'foreign_strategies',
  'nothing_to_repair',
  'rows_hidden',
  'mapping_unfit',
  'would_delete_rows',
  'no_owner',
]);

/** The failure of a command that such a problem has ended. */
export function refusal(status: number, problem: ProblemBody): CommandError {
  const {
    code = `http_${status}`,
    detail = `the engine answered ${status}`,
    next = null,
  } = problem;
  const exit = REFUSALS.has(code) ? EXIT.refused : EXIT.failed;
  const { next: _told, detail: _message, ...facts } = problem;
  return new CommandError(exit, code, detail, next, facts);
}

import { databaseNow } from '../../chassis/index.ts';
import type {
  HistoryEntry,
  Knex,
  SagaHistoryEntry,
  StepResult,
  Transaction,
} from '../../chassis/index.ts';

interface LogRow {
  readonly SEQ_NO: number;
  readonly STEP_NM: string;
  readonly DIR_CD: 'F' | 'B';
  readonly RES_TXT: StepResult;
  readonly RSN_TXT: string | null;
  readonly ATT_NO: number;
  readonly CNT: number;
  readonly BEG_TS: number | string;
  readonly END_TS: number | string;
}

/** What a step may have again and again: it is one line, with a count. */
const REPEATED: ReadonlySet<StepResult> = new Set(['failed', 'unknown']);

/**
 * Notes in a saga's history what has become of a step, in the transaction that records it in the saga itself, which keeps
 * other writers of this history out. A step that fails for a day stays one line of each kind, with its last reason.
 */
export async function addToLog(
  trx: Transaction,
  sagaId: string,
  entry: HistoryEntry,
): Promise<void> {
  if (REPEATED.has(entry.result) && (await addToLine(trx, sagaId, entry))) return;
  const { step, direction, result, reason, attempt, startedAt, endedAt } = entry;
  const last = trx('ORD_SAGA_LOG').where({ SAGA_ID: sagaId }).max('SEQ_NO');
  await trx('ORD_SAGA_LOG').insert({
    SAGA_ID: sagaId,
    SEQ_NO: trx.raw('COALESCE((?), 0) + 1', [last]),
    STEP_NM: step,
    DIR_CD: codeOf(direction),
    RES_TXT: result,
    RSN_TXT: reason,
    ATT_NO: attempt,
    CNT: 1,
    BEG_TS: startedAt === 0 ? databaseNow(trx) : startedAt,
    END_TS: endedAt === 0 ? databaseNow(trx) : endedAt,
  });
}

/** A refusal and an unknown outcome may alternate: they are two lines. */
const LINES_OF_FAILURES = 2;

async function addToLine(
  trx: Transaction,
  sagaId: string,
  { step, direction, result, reason, attempt, endedAt }: HistoryEntry,
): Promise<boolean> {
  const newest = (await trx('ORD_SAGA_LOG')
    .where({ SAGA_ID: sagaId })
    .orderBy('SEQ_NO', 'desc')
    .limit(LINES_OF_FAILURES)) as LogRow[];
  const other = newest.findIndex(
    (row) => row.STEP_NM !== step || row.DIR_CD !== codeOf(direction) || !REPEATED.has(row.RES_TXT),
  );
  const failures = other < 0 ? newest : newest.slice(0, other);
  const line = failures.find(({ RES_TXT }) => RES_TXT === result);
  if (!line) return false;
  await trx('ORD_SAGA_LOG')
    .where({ SAGA_ID: sagaId, SEQ_NO: line.SEQ_NO })
    .update({ RSN_TXT: reason, ATT_NO: attempt, CNT: line.CNT + 1, END_TS: endedAt });
  return true;
}

const codeOf = (direction: HistoryEntry['direction']): 'F' | 'B' =>
  direction === 'forward' ? 'F' : 'B';

/** A saga's history, oldest first. */
export async function readLog(
  connection: Knex,
  sagaId: string,
): Promise<readonly SagaHistoryEntry[]> {
  const rows = (await connection('ORD_SAGA_LOG')
    .where({ SAGA_ID: sagaId })
    .orderBy('SEQ_NO')) as LogRow[];
  return rows.map((row) => ({
    step: row.STEP_NM,
    direction: row.DIR_CD === 'F' ? 'forward' : 'backward',
    result: row.RES_TXT,
    reason: row.RSN_TXT,
    attempt: row.ATT_NO,
    times: row.CNT,
    startedAt: Number(row.BEG_TS),
    endedAt: Number(row.END_TS),
  }));
}

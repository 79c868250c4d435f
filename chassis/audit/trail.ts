import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Environment } from '../env.ts';
import type { Logger } from '../log.ts';
import { redacted } from '../redact.ts';
import type { AuditEvent } from './event.ts';

/** Of what is posted or answered; beyond that it says how long it was. */
const MOST_CHARACTERS = 20_000;

/** The file of the audit trail: FIG_AUDIT_FILE, or `audit.jsonl` in the data folder. */
export function auditFile(env: Environment): string {
  return resolve(env['FIG_AUDIT_FILE'] || join(env['FIG_DATA_DIR'] || '.fig', 'audit.jsonl'));
}

/** The trail of a process that serves. */
export function openAuditTrail(env: Environment, log: Logger): AuditTrail {
  return new AuditTrail(auditFile(env), (error) => {
    log.error(
      { err: error },
      'what an operator asked for could not be recorded; it is done all the same',
    );
  });
}

/** What is recorded, and how many lines of it can't be read: a process may have died while it wrote one. */
export interface AuditRecord {
  readonly events: readonly AuditEvent[];
  readonly damaged: number;
}

/** What operators have asked for, event by event. Nothing in it is ever changed. */
export class AuditTrail {
  readonly #file: string;
  readonly #onTrouble: (error: Error) => void;
  #last: Promise<void> = Promise.resolve();

  /** @param onTrouble called when an event could not be written: the action goes on all the same */
  constructor(file: string, onTrouble: (error: Error) => void) {
    this.#file = file;
    this.#onTrouble = onTrouble;
  }

  /** Appends an event, without secrets; resolves when it is on the disk. Never rejects. */
  record(event: AuditEvent): Promise<void> {
    this.#last = this.#last.then(() =>
      append(this.#file, event).catch((error: unknown) => this.#onTrouble(error as Error)),
    );
    return this.#last;
  }

  /** @throws Error of the file system; a trail that is not there is empty */
  async read(): Promise<AuditRecord> {
    const text = await readFile(this.#file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    const events = lines.flatMap((line) => eventIn(line) ?? []);
    return { events, damaged: lines.length - events.length };
  }
}

/** One write to the end of the file, of one line: processes that write at once do not mix their lines. */
async function append(file: string, event: AuditEvent): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(file, 'a+', 0o600);
  try {
    const { size } = await handle.stat();
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
    // A process that dies in the middle of a line spoils that line alone.
    const isTorn = size > 0 && buffer.toString() !== '\n';
    await handle.appendFile(`${isTorn ? '\n' : ''}${JSON.stringify(bounded(event))}\n`);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

function bounded(event: AuditEvent): unknown {
  const safe = redacted(event) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(safe).map(([name, value]) => {
      const { length } = JSON.stringify(value) ?? '';
      return [name, length > MOST_CHARACTERS ? { omitted: `${length} characters` } : value];
    }),
  );
}

function eventIn(line: string): AuditEvent | undefined {
  try {
    const event = JSON.parse(line) as AuditEvent;
    return event.event === 'asked' || event.event === 'ended' ? event : undefined;
  } catch {
    return undefined;
  }
}

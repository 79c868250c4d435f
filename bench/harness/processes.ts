import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a process has used since it started. */
export interface Usage {
  /** Time of a processor, in ms. */
  readonly processorMs: number;
  /** Resident memory in bytes. */
  readonly memory: number;
}

export interface ProcessRow extends Usage {
  readonly pid: number;
  readonly parent: number;
}

/** All processes of this machine. */
export type ProcessTable = ReadonlyMap<number, ProcessRow>;

/** @returns an empty table where the system does not tell */
export async function processTable(): Promise<ProcessTable> {
  const rows = process.platform === 'linux' ? await fromProc() : await fromPs();
  return new Map(rows.map((row) => [row.pid, row]));
}

/** Of a process and all below it; undefined when there is no such process. */
export function usageBelow(table: ProcessTable, pid: number): Usage | undefined {
  const own = table.get(pid);
  if (own === undefined) return undefined;
  let { processorMs, memory } = own;
  for (const row of table.values()) {
    if (row.parent !== pid) continue;
    const below = usageBelow(table, row.pid);
    processorMs += below?.processorMs ?? 0;
    memory += below?.memory ?? 0;
  }
  return { processorMs, memory };
}

async function fromProc(): Promise<readonly ProcessRow[]> {
  const [tickMs, pageBytes] = await units();
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const rows = await Promise.all(
    pids.map(async (pid) => {
      try {
        return statRow(await readFile(`/proc/${pid}/stat`, 'utf8'), tickMs, pageBytes);
      } catch {
        // It has ended meanwhile.
        return undefined;
      }
    }),
  );
  return rows.filter((row) => row !== undefined);
}

let known: Promise<[tickMs: number, pageBytes: number]> | undefined;

function units(): Promise<[number, number]> {
  const ask = async (name: string): Promise<number> =>
    Number((await run('getconf', [name])).stdout);
  known ??= (async () => [1_000 / (await ask('CLK_TCK')), await ask('PAGESIZE')])();
  return known;
}

/** See proc(5): the name is in brackets and may hold anything, brackets included. */
export function statRow(stat: string, tickMs: number, pageBytes: number): ProcessRow {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return {
    pid: Number.parseInt(stat, 10),
    parent: field(4),
    processorMs: (field(14) + field(15)) * tickMs,
    memory: field(24) * pageBytes,
  };
}

async function fromPs(): Promise<readonly ProcessRow[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,rss=,time=']);
  return stdout.split('\n').flatMap((line) => {
    const [pid, parent, kilobytes, time] = line.trim().split(/\s+/);
    if (time === undefined) return [];
    const memory = Number(kilobytes) * 1_024;
    return [{ pid: Number(pid), parent: Number(parent), memory, processorMs: timeToMs(time) }];
  });
}

/** `ps` writes `12:34.56` or `1-02:03:04`. */
export function timeToMs(text: string): number {
  const [time = '', days = '0'] = text.split('-').toReversed();
  const seconds = time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return (Number(days) * 86_400 + seconds) * 1_000;
}

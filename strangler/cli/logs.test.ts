import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { LogReader, LogWriter, logFolder } from '../../chassis/logs/index.ts';
import { withTempDir } from '../../tests/support/index.ts';
import { runCommand } from './run.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

function line(name: string, level: number, time: number, msg: string, traceId?: string): string {
  return JSON.stringify({ level, time, name, msg, ...(traceId !== undefined && { traceId }) });
}

/** What `npm start` keeps of three processes. */
async function withLogs(
  use: (
    fig: (words: string) => Promise<{ code: number; stdout: string; stderr: string }>,
  ) => Promise<void>,
): Promise<void> {
  await withTempDir(async (dataDir) => {
    const writer = new LogWriter(logFolder(dataDir));
    writer.write('monolith', line('monolith', 30, 2_000, 'order placed', TRACE));
    writer.write('monolith', line('monolith', 50, 4_000, 'it failed', TRACE));
    writer.write('facade', line('facade', 40, 3_000, 'an upstream failed'));
    writer.write('redis', '* Ready to accept connections');
    writer.close();
    await use(async (words) => {
      let [stdout, stderr] = ['', ''];
      const code = await runCommand(words.split(' '), {
        stdout: { write: (text: string) => (stdout += text) },
        stderr: { write: (text: string) => (stderr += text) },
        env: { FIG_DATA_DIR: dataDir },
      });
      return { code, stdout, stderr };
    });
  });
}

const messages = (text: string): readonly string[] =>
  text
    .split('\n')
    .flatMap((each) => /(?:(?:INFO|WARN|ERROR): |\| )([^[{]+?)(?: \{|$)/.exec(each)?.[1] ?? []);

describe('fig logs', () => {
  it('prints the lines of all processes in the order of their times, or of one, a level or a trace', () =>
    withLogs(async (fig) => {
      const all = await fig('logs');
      expect(messages(all.stdout)).toEqual([
        '* Ready to accept connections',
        'order placed',
        'an upstream failed',
        'it failed',
      ]);
      expect(all.stdout).toMatch(/^monolith {2}\| \[\d\d:\d\d:02\.000\] INFO: order placed/m);
      expect(all.stdout).not.toContain('\u001b');
      expect(messages((await fig('logs --level warn')).stdout)).toEqual([
        'an upstream failed',
        'it failed',
      ]);
      expect(messages((await fig('logs monolith -n 1')).stdout)).toEqual(['it failed']);
      for (const given of [TRACE, '0AF7', `00-${TRACE}-b7ad6b7169203331-01`]) {
        const { stdout } = await fig(`logs --trace ${given}`);
        expect(messages(stdout)).toEqual(['order placed', 'it failed']);
      }
      const json = (await fig('logs facade --json')).stdout.trim().split('\n');
      expect(json.map((each) => JSON.parse(each) as unknown)).toEqual([
        { schemaVersion: 1, name: 'facade', level: 40, time: 3_000, msg: 'an upstream failed' },
      ]);
    }));

  it('says what is not there', () =>
    withLogs(async (fig) => {
      expect(await fig('logs monolit')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('"monolit"; kept are those of facade, monolith, redis'),
      });
      expect(await fig('logs --trace xyz')).toMatchObject({ code: 2 });
      expect(await fig('logs --trace abcd')).toMatchObject({
        code: 0,
        stdout: '',
        stderr: 'no line is kept of trace abcd\n',
      });
      await withTempDir(async (empty) => {
        mkdirSync(join(empty, 'other'));
        let stderr = '';
        const code = await runCommand(['logs'], {
          stdout: { write: () => true },
          stderr: { write: (text: string) => (stderr += text) },
          env: { FIG_DATA_DIR: empty },
        });
        expect([code, stderr]).toEqual([
          1,
          expect.stringContaining(`no logs are kept in ${empty}`),
        ]);
      });
    }));
});

describe('kept lines', () => {
  it('fill two files at most, and a follower misses none', () =>
    withTempDir(async (folder) => {
      const writer = new LogWriter(folder, 100);
      const reader = new LogReader(folder, 'engine');
      expect(reader.next()).toEqual([]);
      const written: string[] = [];
      const read: string[] = [];
      for (let number = 0; number < 40; number += 1) {
        const text = `line ${number} `.padEnd(30, '.');
        writer.write('engine', text);
        written.push(text);
        if (number % 2 === 0) read.push(...reader.next());
      }
      read.push(...reader.next());
      expect(read).toEqual(written);
      const late = new LogReader(folder, 'engine').next();
      expect(late.length).toBeLessThan(10);
      expect(written.slice(-late.length)).toEqual(late);
      writer.close();
    }));
});

import { setTimeout as delay } from 'node:timers/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import RawDatabase from 'better-sqlite3';
import { WalSync } from './wal-sync.ts';

/** A disk that says how it was asked. */
class Disk {
  readonly asked: string[] = [];
  readonly #ms: number;

  constructor(ms: number) {
    this.#ms = ms;
  }

  async sync(): Promise<void> {
    this.asked.push('beside');
    if (this.#ms > 0) await delay(this.#ms);
  }

  syncNow(): void {
    this.asked.push('at once');
  }

  async close(): Promise<void> {}
}

describe('putting a log on the disk', () => {
  it('is waited for where the disk is quick and nobody else is kept waiting', async () => {
    const disk = new Disk(0);
    const log = new WalSync(disk);
    for (const alone of [true, true, false, true]) await log.flushed(alone);
    expect(disk.asked).toEqual(['beside', 'at once', 'beside', 'at once']);
  });

  it('leaves the process to others where the disk is slow', async () => {
    const disk = new Disk(5);
    const log = new WalSync(disk);
    for (const alone of [true, true]) await log.flushed(alone);
    expect(disk.asked).toEqual(['beside', 'beside']);
  });

  it('serves all who come while it is at work by one more turn', async () => {
    const disk = new Disk(5);
    const log = new WalSync(disk);
    await Promise.all([log.flushed(), log.flushed(), log.flushed(), log.flushed()]);
    expect(disk.asked).toHaveLength(2);
  });

  it('finds the log of a database that was closed and opened again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fig-wal-sync-'));
    const file = join(folder, 'test.db');
    const log = WalSync.of(file);
    await log.flushed();
    for (const table of ['a', 'b']) {
      const database = new RawDatabase(file);
      database.pragma('journal_mode = WAL');
      database.exec(`CREATE TABLE ${table} (n)`);
      await log.flushed();
      database.close();
      await log.flushed();
    }
    await log.close();
    await rm(folder, { recursive: true });
  });
});

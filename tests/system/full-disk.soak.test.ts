import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { projectRoot, withoutSystem } from '../../system/index.ts';
import { eventually, FREE_PORTS, onFailure, request } from '../support/index.ts';
import { runCommand } from '../scripts/run-command.ts';

const MINUTES = 60_000;
const isRoot = process.getuid?.() === 0;
/** A mount that only these processes see: as root, or as one in a namespace of its own. */
const UNSHARE = isRoot ? ['unshare', '-m'] : ['unshare', '-rm'];

interface Told {
  readonly id?: string;
  readonly code?: string;
  readonly available?: number;
}

/** A whole system whose data is on a small disk of its own. */
class SystemOnSmallDisk {
  readonly #disk = mkdtempSync(join(tmpdir(), 'fig-disk-'));
  readonly #env = {
    ...withoutSystem(process.env),
    ...FREE_PORTS,
    FIG_DATA_DIR: join(this.#disk, 'data'),
    FIG_CONTRACT: 'off',
  };
  readonly #child = spawn(
    UNSHARE[0] as string,
    [
      ...UNSHARE.slice(1),
      'sh',
      '-c',
      `mount -t tmpfs -o size=48m none ${this.#disk} && exec "$0" dist/system/main.js`,
      process.execPath,
    ],
    { cwd: projectRoot, env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  facade = '';

  async start(): Promise<void> {
    let output = '';
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    onFailure(() => output);
    await eventually(
      () => {
        this.facade = /the facade +(http[^"\s]+)/.exec(output)?.[1] ?? '';
        if (this.#child.exitCode !== null) throw new Error(output);
        return this.facade !== '';
      },
      { timeoutMs: 2 * MINUTES },
    );
  }

  /** Leaves no byte of the disk. */
  fill(): void {
    const file = openSync(this.#filler, 'a');
    try {
      for (let size = 65_536; size >= 1; size /= 2) this.#fillBy(file, Buffer.alloc(size));
    } finally {
      closeSync(file);
    }
  }

  makeRoom(): void {
    rmSync(this.#filler);
  }

  /** Runs `bin/fig` where the disk can be seen. */
  fig(...words: string[]): Promise<{ readonly code: number | null; readonly output: string }> {
    const enter = isRoot ? ['-m'] : ['-U', '-m', '--preserve-credentials'];
    const pid = String(this.#child.pid);
    const command = ['nsenter', '-t', pid, ...enter, `--wd=${projectRoot}`, 'bin/fig', ...words];
    return runCommand(command, { cwd: projectRoot, env: { ...this.#env, FIG_YES: '1' } });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const gone = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await gone;
    }
    rmSync(this.#disk, { recursive: true, force: true });
  }

  get #filler(): string {
    return `/proc/${this.#child.pid}/root${this.#disk}/filler`;
  }

  #fillBy(file: number, bytes: Buffer): void {
    try {
      for (;;) writeSync(file, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
}

describe('a system whose disk becomes full', () => {
  it(
    'tells clients 503 and loses nothing, and goes on by itself when there is room again',
    async () => {
      const system = new SystemOnSmallDisk();
      try {
        await system.start();
        const order = (key: string) =>
          request<Told>('POST', `${system.facade}/api/orders`, {
            body: {
              customerId: 'CORK',
              items: [{ sku: 'SHIP-001', quantity: 1 }],
              paymentMethod: 'card_ok',
            },
            headers: { 'idempotency-key': key, 'x-customer-id': 'CORK' },
          });
        const stock = async (): Promise<number> => {
          const { body } = await request<Told>('GET', `${system.facade}/api/inventory/SHIP-001`);
          return body.available ?? NaN;
        };
        expect((await system.fig('backfill', 'inventory')).code).toBe(0);
        const before = await stock();

        system.fill();
        const keys: string[] = [];
        let refused = 0;
        await eventually(
          async () => {
            system.fill();
            keys.push(`full-${keys.length}`);
            const { status, headers, body } = await order(keys.at(-1) ?? '');
            if (status !== 201) {
              expect([status, body.code, headers['retry-after']]).toEqual([
                503,
                expect.any(String),
                expect.any(String),
              ]);
              refused += 1;
            }
            expect((await request('GET', `${system.facade}/api/products`)).status).toBe(200);
            return refused >= 5;
          },
          { timeoutMs: 2 * MINUTES },
        );

        system.makeRoom();
        const ids = new Set<string>();
        for (const key of keys) {
          const placed = await eventually(async () => {
            const told = await order(key);
            expect([told.status, told.body]).toEqual([201, expect.anything()]);
            return told;
          });
          ids.add(placed.body.id ?? '');
        }
        expect(ids.size).toBe(keys.length);
        await eventually(async () => expect(await stock()).toBe(before - keys.length));
        await eventually(
          async () => {
            expect(await system.fig('reconcile', 'inventory')).toMatchObject({ code: 0 });
            expect(await system.fig('doctor')).toMatchObject({ code: 0 });
          },
          { timeoutMs: MINUTES },
        );
      } finally {
        await system.stop();
      }
    },
    6 * MINUTES,
  );
});

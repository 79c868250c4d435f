import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOperator } from '../../rehearsal/index.ts';
import { asOperator, figProcesses, startSystem, withoutSystem } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import { showOnFailure } from '../support/index.ts';
import type { RunningFacade } from './facade-target.ts';
import type { Resources } from '../../contract-check/index.ts';
import { PROVIDER_TIMES, writeWorld } from '../../contract-check/index.ts';

/** A whole system in processes of its own, loaded with the cases' world. */
export interface RunningSystem {
  readonly system: System;
  readonly facade: RunningFacade;
  /** Runs `bin/fig` as an operator. @throws when it does not end with 0 */
  fig(...words: readonly string[]): Promise<void>;
}

export async function openSystem(resources: Resources): Promise<RunningSystem> {
  const directory = resources.keep(await mkdtemp(join(tmpdir(), 'fig-contract-')), (path) =>
    rm(path, { recursive: true, force: true, maxRetries: 5 }),
  );
  await writeWorld(join(directory, 'world'));
  const env = {
    ...withoutSystem(process.env),
    FIG_CONTRACT: 'off',
    PROVIDER_TIMEOUT_MS: `${PROVIDER_TIMES.timeoutMs}`,
    PROVIDER_SLOW_MS: `${PROVIDER_TIMES.slowMs}`,
  };
  const system = showOnFailure(
    await startSystem({
      dataDir: join(directory, 'data'),
      ports: 'free',
      env,
      load: { data: join(directory, 'world') },
    }),
  );
  resources.keep(system, (started) => started.stop());
  const operator = createOperator({ ...env, ...system.env });
  return {
    system,
    facade: {
      baseUrl: system.urls['facade'] ?? '',
      adminUrl: system.urls['admin'] ?? '',
      operator: asOperator(system),
    },
    async fig(...words) {
      const { code, output, errors } = await operator(...words);
      if (code === 0) return;
      const said = JSON.stringify(output);
      throw new Error(`fig ${words.join(' ')} ended with ${code}: ${said} ${errors}`);
    },
  };
}

/** Starts one more facade of a running system; it may be told other addresses of its servers. */
export async function openFacade(
  resources: Resources,
  { env: systemEnv }: System,
  variables: Readonly<Record<string, string>>,
): Promise<RunningFacade> {
  const entry = figProcesses.find(({ name }) => name === 'facade')?.entry ?? '';
  const free = { FACADE_PORT: '0', ADMIN_PORT: '0', LOG_LEVEL: 'silent' };
  const env = { ...withoutSystem(process.env), ...systemEnv, ...free, ...variables };
  const child = resources.keep(fork(entry, { env, stdio: 'inherit' }), async (started) => {
    const gone = once(started, 'exit');
    if (started.exitCode !== null) return;
    started.kill();
    await gone;
  });
  const [{ ports }] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the facade ended with ${String(code)} before it listened`);
    }),
  ])) as [{ ports: { facade: number; admin: number } }];
  return {
    baseUrl: `http://127.0.0.1:${ports.facade}`,
    adminUrl: `http://127.0.0.1:${ports.admin}`,
    operator: asOperator({ env }),
  };
}

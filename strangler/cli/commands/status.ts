import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../context.ts';
import { EngineClient } from '../engine-client.ts';
import type { Output } from '../output.ts';
import { findStatus } from '../read-status.ts';
import { statusText } from '../status-text.ts';

const REFRESH_MS = 1_000;
const CLEAR = '\u001b[H\u001b[2J';

interface StatusOptions {
  readonly watch: boolean;
}

/** Shows where every capability is, from the engine or, without one, from the databases. */
export async function status(
  context: Context,
  output: Output,
  { watch }: StatusOptions,
): Promise<void> {
  const engine = new EngineClient(context.engineUrl, 0, () => undefined);
  for (;;) {
    const found = await findStatus(context, engine);
    const source =
      found.source === 'engine'
        ? `engine at ${found.engineUrl}`
        : `no engine answers at ${found.engineUrl}; this is what the databases say`;
    output.result(found, () => {
      const text = statusText(source, found.capabilities, output.paint);
      return watch && output.live ? CLEAR + text : text;
    });
    if (!watch) return;
    await delay(REFRESH_MS);
  }
}

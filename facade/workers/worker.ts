import { listen, listenHost, readPort } from '../../chassis/index.ts';
import type { Environment, Logger, Running } from '../../chassis/index.ts';
import { watchConfig } from '../../routing/index.ts';
import type { Facade } from '../app.ts';
import { HoldLog } from '../counting/index.ts';
import type { HeldWrite } from '../counting/index.ts';
import { openFacade } from '../open-facade.ts';
import type { ToPrimary, ToWorker, WorkerRequest } from './messages.ts';
import { WorkerPeers } from './worker-peers.ts';

/** One of several processes at the same port: it serves clients, and tells the primary the rest. */
export async function runWorker(env: Environment, log: Logger): Promise<Running> {
  let facade: Facade | undefined;
  const peers = new WorkerPeers({ send, notedIn: (name) => facade?.notedIn(name) });
  const opened = await openFacade(env, log, { peers, holds: new ToldHolds() });
  ({ facade } = opened);
  // Before anybody is served: whoever writes elsewhere must not read here what it has not written.
  await new Promise<void>((resolve) => {
    process.on('message', (message: ToWorker) => {
      if (message.type === 'ask') void answer(opened.facade, message.id, message.request);
      else if (message.type === 'recalled') resolve();
      else peers.hear(message);
    });
    send({ type: 'hello' });
  });
  await opened.facade.start();
  const clients = await listen(opened.facade.server, {
    host: listenHost(env),
    port: readPort(env, 'FACADE_PORT', 8080),
    variable: 'FACADE_PORT',
  });
  const stopWatching = watchConfig({
    process: 'facade',
    config: opened.config,
    env,
    log,
    adopt: (config) => opened.facade.adopt(config),
  });
  return {
    ports: { facade: clients.port },
    async close() {
      stopWatching();
      await clients.close();
      await opened.close();
    },
  };
}

function send(message: ToPrimary): void {
  if (process.connected) process.send?.(message);
}

async function answer({ facts }: Facade, id: number, request: WorkerRequest): Promise<void> {
  try {
    send({ type: 'answer', id, value: await fulfil(facts, request) });
  } catch {
    send({ type: 'answer', id });
  }
}

async function fulfil(facts: Facade['facts'], request: WorkerRequest): Promise<unknown> {
  if (request.what === 'explain') return facts.explain(request.question);
  if (request.what === 'metrics') return facts.rawMetrics();
  return facts[request.what]();
}

/** Held writes of all workers are one log: the primary's. */
class ToldHolds extends HoldLog {
  override add(write: Omit<HeldWrite, 'sequence'>): void {
    send({ type: 'held', write });
  }
}

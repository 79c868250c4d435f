import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { projectRoot } from '../../../system/index.ts';

/** Gives `use` the port of a rival of the bench, as it is built, before an upstream. */
export async function withRival(
  name: string,
  upstreamUrl: string,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const program = join(projectRoot, 'dist', 'bench', 'facade', 'rivals', `${name}.js`);
  const child = fork(program, [], { env: { UPSTREAM_URL: upstreamUrl }, stdio: 'ignore' });
  const ended = once(child, 'exit');
  try {
    const [message] = (await once(child, 'message')) as [{ ports: { http: number } }];
    await use(message.ports.http);
  } finally {
    child.kill();
    await ended;
  }
}

import { chownSync, cpSync } from 'node:fs';
import { CommandFailed, programRuns, run } from '../supervisor/index.ts';
import type { Identity, Program } from '../supervisor/index.ts';

/**
 * Who is to run a program that refuses to run as root: `postgres` where there is such a user, else
 * `nobody`; undefined where we are not root and do so ourselves.
 */
export async function unprivileged(): Promise<Identity | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  return (await idsOf('postgres')) ?? (await idsOf('nobody')) ?? NOBODY;
}

/**
 * A program that this user can run: unpacked packages in a folder that only root may enter, such as
 * one below /root, are copied.
 * @param copy where to, if need be
 */
export async function reachable(
  program: Program,
  identity: Identity | undefined,
  copy: string,
): Promise<Program> {
  const { root } = program;
  if (identity === undefined || root === undefined || (await programRuns(program, identity))) {
    return program;
  }
  cpSync(root, copy, { recursive: true, verbatimSymlinks: true });
  chownSync(copy, identity.uid, identity.gid);
  const moved = (text: string): string => text.replaceAll(root, copy);
  const env = Object.entries(program.env).map(([name, value]) => [name, moved(value)]);
  return { path: moved(program.path), env: Object.fromEntries(env) as Program['env'], root: copy };
}

const NOBODY: Identity = { uid: 65_534, gid: 65_534 };

async function idsOf(user: string): Promise<Identity | undefined> {
  try {
    const [uid, gid] = [await run('id', ['-u', user]), await run('id', ['-g', user])];
    return { uid: Number(uid), gid: Number(gid) };
  } catch (error) {
    if (error instanceof CommandFailed) return undefined;
    throw error;
  }
}

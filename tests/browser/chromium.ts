import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

const PROGRAM = '/usr/bin/chromium';
const APT = ['install', '--yes', '--no-install-recommends', 'chromium'];
const run = promisify(execFile);

/** Debian's Chromium, installed where it is missing, which needs root. */
async function installed(): Promise<string> {
  if (existsSync(PROGRAM)) return PROGRAM;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', APT, { env }).catch(async () => {
    await run('apt-get', ['update'], { env });
    await run('apt-get', APT, { env });
  });
  return PROGRAM;
}

/**
 * Starts a browser without a window.
 * @param names each is looked up as this machine, whatever a name server says
 */
export async function startChromium(names: readonly string[]): Promise<Browser> {
  const rules = names.map((name) => `MAP ${name} 127.0.0.1`).join(', ');
  return chromium.launch({
    executablePath: await installed(),
    args: ['--no-sandbox', `--host-resolver-rules=${rules}`],
  });
}

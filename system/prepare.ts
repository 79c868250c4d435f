import type { Program, Progress } from '../supervisor/index.ts';

/**
 * Finds or fetches a server, telling the terminal; sets the exit code where there is none.
 * @param variable names a server that is used instead, so that none has to be found
 * @param missing the error that says how to get one
 */
export async function prepare(
  variable: string,
  missing: new (...parameters: never[]) => Error,
  find: (log: Progress) => Promise<Program>,
): Promise<void> {
  if (process.env[variable]) return;
  const info = (facts: object | string, message = ''): void =>
    say(typeof facts === 'string' ? facts : message);
  try {
    await find({ info });
  } catch (error) {
    if (!(error instanceof missing)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}

function say(text: string): void {
  console.error(`prepare: ${text}`);
}

import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ConfigurationError } from './env.ts';
import { START_COMMAND } from './start-command.ts';

const systemFile = z.looseObject({
  /** The supervisor's process. */
  pid: z.int().optional(),
  env: z.record(z.string(), z.string()).default({}),
});
type SystemFile = z.infer<typeof systemFile>;

/**
 * What `fig up` or `npm start` has written down of a running system: the variables by which a command line reaches it.
 * @throws ConfigurationError where the file is damaged
 */
export async function readSystemEnv(file: string): Promise<SystemFile> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { env: {} };
    throw error;
  }
  try {
    return systemFile.parse(JSON.parse(text));
  } catch (error) {
    throw new ConfigurationError(
      `${file} is damaged; start the system again with ${START_COMMAND}, or delete the file`,
      { cause: error },
    );
  }
}

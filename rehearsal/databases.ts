import { startPostgres } from '../system/index.ts';

/** What a rehearsed system keeps its data in. */
export interface Databases {
  /** Variables that lead its processes there. */
  readonly variables: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Files in the system's data folder. */
export const files: Databases = { variables: {}, close: () => Promise.resolve() };

const PROCESSES = ['MONOLITH', 'INVENTORY', 'PAYMENT'];

/** One database for each process, on a PostgreSQL that is started for them and removed afterwards. */
export async function startDatabases(): Promise<Databases> {
  const postgres = await startPostgres();
  const variables: Record<string, string> = {};
  for (const name of PROCESSES) {
    variables[`${name}_DATABASE_URL`] = (await postgres.createDatabase()).url;
  }
  return { variables, close: () => postgres.stop() };
}

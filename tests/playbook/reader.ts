import { freePort, withoutSystem } from '../../system/index.ts';

/** The ports that the documents speak of. */
const PORTS = {
  FACADE_PORT: 8080,
  ADMIN_PORT: 8081,
  MONOLITH_PORT: 4000,
  INVENTORY_PORT: 4001,
  PAYMENT_PORT: 4002,
  ENGINE_PORT: 4003,
  NOTIFICATION_PORT: 4004,
  ORDER_VIEW_PORT: 4005,
  PROVIDER_PORT: 4010,
} as const;

/** Somebody who follows the documents with other ports and another data folder. */
export interface Reader {
  readonly env: NodeJS.ProcessEnv;
  /** A text of the documents, as it is for this reader. */
  adapt(text: string): string;
}

export async function createReader(dataDir: string): Promise<Reader> {
  const mine = new Map<number, number>();
  const env: NodeJS.ProcessEnv = { ...withoutSystem(process.env), FIG_DATA_DIR: dataDir };
  for (const [variable, port] of Object.entries(PORTS)) {
    mine.set(port, await freePort());
    env[variable] = String(mine.get(port));
  }
  return {
    // Whoever follows the playbook at a terminal is asked, and says yes.
    env: { ...env, NO_COLOR: '1', FIG_YES: '1' },
    adapt: (text) =>
      text
        .replaceAll(/\b(localhost|127\.0\.0\.1):(\d+)/g, (found, _host, port: string) => {
          const own = mine.get(Number(port));
          return own === undefined ? found : `127.0.0.1:${own}`;
        })
        .replaceAll(/(?:\.\/)?\.fig(?=[/\s]|$)/g, dataDir),
  };
}

import { createHttpClient, errorText } from '../../chassis/index.ts';
import type { ServerSettings } from '../../chassis/index.ts';
import type { ContractFact } from '../ownership/handover/proofs.ts';
import { readContractRuns } from '../../routing/index.ts';
import type { Build } from '../../routing/index.ts';
import type { SideName } from '../../routing/side.ts';

/** Where to find out whether what runs answers alike. */
export interface ContractDeclaration {
  /** Where contract runs leave their results. */
  readonly file: string;
  readonly upstreams: Readonly<Record<SideName, ServerSettings>>;
}

const ASK_MS = 1_000;
/** Gates are looked at several times a second while a flag asks for a handover. */
const REMEMBERED_MS = 1_000;
const COMMAND = 'npm run contract';

/** Knows whether the answers of what runs on both sides were compared. */
export class ContractWatch {
  readonly #capability: string;
  readonly #declaration: ContractDeclaration | undefined;
  #known: { readonly fact: ContractFact; readonly at: number } | undefined;

  constructor(capability: string, declaration: ContractDeclaration | undefined) {
    this.#capability = capability;
    this.#declaration = declaration;
  }

  /** Null where nothing is declared. */
  async look(): Promise<ContractFact | null> {
    if (this.#declaration === undefined) return null;
    const now = performance.now();
    if (this.#known && now - this.#known.at < REMEMBERED_MS) return this.#known.fact;
    const fact = await this.#look(this.#declaration);
    this.#known = { fact, at: now };
    return fact;
  }

  async #look({ file, upstreams }: ContractDeclaration): Promise<ContractFact> {
    try {
      const runs = await readContractRuns(file);
      const [old, next] = await Promise.all([
        askBuild(upstreams.legacy),
        askBuild(upstreams.extracted),
      ]);
      const run = runs[this.#capability] ?? null;
      return { run, running: { old, new: next }, command: COMMAND };
    } catch (error) {
      const trouble = errorText(error);
      return { run: null, running: { trouble }, command: COMMAND };
    }
  }
}

/** @throws an error that names the URL when nobody tells a version there */
async function askBuild(server: ServerSettings): Promise<Build> {
  const client = createHttpClient(server, ASK_MS);
  try {
    const { status, body } = await client.call('GET', '/livez');
    const { name, version } = (body ?? {}) as Partial<Build>;
    if (status === 200 && typeof name === 'string' && typeof version === 'string') {
      return { name, version };
    }
    throw new Error(`${server.url}/livez does not tell a name and a version`);
  } finally {
    await client.close();
  }
}

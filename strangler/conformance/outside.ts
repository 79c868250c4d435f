import { failed, passed } from './finding.ts';
import type { Finding } from './finding.ts';
import type { Service } from './service.ts';

/** Whether the process says that it lives. */
export async function livez(service: Service): Promise<Finding> {
  const { status } = await service.get('/livez');
  if (status === 200) return passed();
  return failed(
    `GET /livez answered ${status}`,
    'answer 200 while the process runs; ask nothing else',
  );
}

/** Whether it says that it can serve. */
export async function readyz(service: Service): Promise<Finding> {
  const { status } = await service.get('/readyz');
  if (status === 200) return passed();
  return failed(
    `GET /readyz answered ${status}`,
    'answer 200 while the database answers, and 503 otherwise or while the process stops',
  );
}

/** One of the fences that a service lists. */
export interface ListedFence {
  readonly capability: string;
  readonly key: string;
  readonly state: string;
  readonly epoch: number;
}

const SHAPE = '{"fences": [{"capability": "...", "key": "*", "state": "open", "epoch": 1}]}';

/** The fences that a service lists, or what is wrong with the list. */
export async function listedFences(
  service: Service,
  token: Readonly<Record<string, string>>,
): Promise<readonly ListedFence[] | Finding> {
  const { status, body } = await service.get('/fences', token);
  if (status === 401 || status === 403) {
    return failed(
      `GET /fences answered ${status}`,
      'accept the operators’ token and the one for fences, which is derived from it; ' +
        'FIG_TOKEN_FILE names the file that fig takes it from',
    );
  }
  const remedy = `answer 200 with ${SHAPE}`;
  if (status !== 200) return failed(`GET /fences answered ${status}`, remedy);
  const fences = (body as { readonly fences?: unknown } | null)?.fences;
  if (!Array.isArray(fences)) return failed('GET /fences has no list "fences"', remedy);
  const wrong = fences.find((fence) => !isListedFence(fence)) as unknown;
  if (wrong !== undefined) {
    return failed(`GET /fences lists ${JSON.stringify(wrong)}, which is no fence`, remedy);
  }
  return fences as readonly ListedFence[];
}

function isListedFence(value: unknown): value is ListedFence {
  if (typeof value !== 'object' || value === null) return false;
  const { capability, key, state, epoch } = value as Readonly<Record<string, unknown>>;
  return (
    typeof capability === 'string' &&
    typeof key === 'string' &&
    ['open', 'closed', 'ceded'].includes(String(state)) &&
    Number.isSafeInteger(epoch)
  );
}

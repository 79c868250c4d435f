import { it } from '@jest/globals';
import { inSoak } from './soak.ts';

type Define = (name: string, test: () => Promise<unknown>, timeoutMs?: number) => void;

/**
 * `it`, for what the soak alone runs: a `.soak.test.ts` that imports the file. For the cases of a matrix
 * take `inSoak`.
 */
export const itInSoak: Define = inSoak<Define>(it, () => undefined);

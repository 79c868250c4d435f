import type { Figure } from './metrics.ts';

/** How many dead letters there are of one kind, and of which capability where it is about one. */
export interface DeadLetterCount {
  readonly kind: string;
  readonly capability?: string;
  readonly count: number;
}

/** How many dead letters a process has; it counts them when a monitor asks. */
export function deadLetterFigure(count: () => Promise<readonly DeadLetterCount[]>): Figure {
  return {
    name: 'fig_dead_letters',
    help: 'Work that was given up until an operator decides, by kind',
    labels: ['kind', 'capability'],
    read: async () =>
      (await count()).map(({ count: value, ...labels }) => {
        return { value, labels };
      }),
  };
}

import { currentTrace, inSpan, parentIn } from '../trace.ts';
import type { AroundStep } from './step-attempt.ts';

/** A span for each attempt at a step. A request that goes on with another's saga links to the one that began it. */
export const traceStep: AroundStep = (attempt, take) => {
  const { type, saga, step, direction, traceparent } = attempt;
  const began = parentIn(traceparent);
  const current = currentTrace();
  const isElsewhere =
    began !== undefined && current !== undefined && began.traceId !== current.traceId;
  return inSpan(
    {
      name: `saga ${type} ${direction === 'backward' ? 'undo ' : ''}${step}`,
      kind: 'internal',
      attributes: { 'fig.saga': saga, 'fig.saga.step': step, 'fig.saga.direction': direction },
      ...(isElsewhere && { links: [began] }),
    },
    current,
    take,
  );
};

/** Sagas: steps over owners that may be away, each recorded before the next is taken. Free of any domain. */
export { advance } from './advance.ts';
export { createStepDeadLetters } from './dead-letters.ts';
export { decideSaga, nameOf } from './decisions.ts';
export type { Decision, NotDecided } from './decisions.ts';
export { DEFAULT_POLICY, STUCK_AFTER, StepFailure, stepsOf, versionsOf } from './definition.ts';
export { createSagaDesk } from './desk.ts';
export type { OpenedSaga, SagaDesk, SagaView } from './desk.ts';
export type {
  SagaDefinition,
  SagaStep,
  StepOutcome,
  StepPolicy,
  StuckAfter,
} from './definition.ts';
export type { HistoryEntry, SagaHistoryEntry, StepResult } from './history.ts';
export { isUnderWay, newSaga, SAGA_STATES, stateOf } from './record.ts';
export type { SagaRecord, SagaState, SagaStatus } from './record.ts';
export { createSagaRunner } from './runner.ts';
export type { SagaRunner } from './runner.ts';
export type { AroundStep, StepAttempt } from './step-attempt.ts';
export { OPEN_STATES } from './store.ts';
export type { Lease, OpenState, SagaDecision, SagaStore, StoredSaga } from './store.ts';

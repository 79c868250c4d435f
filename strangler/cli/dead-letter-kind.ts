/** What a dead letter is about: a change of a capability, an event or a saga's step of an application. */
export const KINDS = ['change', 'event', 'step'] as const;
export type Kind = (typeof KINDS)[number];

/** Who may come in, how much, and what happens while a service is ill: one small file a pattern. */
export { admit } from './admit.ts';
export { Gateway, publishedKeys } from './gateway.ts';

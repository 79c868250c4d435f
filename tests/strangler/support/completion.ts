import type { CompletionDeclaration } from '../../../strangler/engine/index.ts';

/** A completion that waits for nothing. */
export const AT_ONCE: CompletionDeclaration = {
  soakMs: 0,
  quietMs: 0,
  successor: 'http://shop.example',
  leftovers: ['flags shop.shadow, shop.reads, shop.writes', 'code old/shop/'],
};

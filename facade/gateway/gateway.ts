import type { FigConfig } from '../../routing/index.ts';
import type { Guard } from '../forward/index.ts';

/** The patterns at the edge, as a configuration switches them on. */
export class Gateway {
  /** What requests pass before they are routed: identity, then limits. */
  guardsFor(_config: FigConfig): readonly Guard[] {
    return [];
  }
}

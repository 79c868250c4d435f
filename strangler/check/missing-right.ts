import type { SideName } from '../../routing/side.ts';

/** A database can't be opened, since our user may not; each text names what, and the statement that allows it. */
export class MissingRightError extends Error {
  override readonly name = 'MissingRightError';
  readonly missing: readonly string[];

  constructor(missing: readonly string[], options?: ErrorOptions) {
    super(missing.join('; '), options);
    this.missing = missing;
  }
}

/** Of both sides, those that our user may not open. */
export class UnopenedError extends Error {
  override readonly name = 'UnopenedError';
  readonly missing: readonly { readonly side: SideName; readonly right: string }[];

  constructor(missing: UnopenedError['missing']) {
    super(
      missing.map(({ side, right }) => `the ${side} database can't be opened: ${right}`).join('; '),
    );
    this.missing = missing;
  }
}

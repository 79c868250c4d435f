import type { Shape } from './rows.ts';

/** A row's columns in the order in which a script written for the bench reads them. */
export type Values = (string | number)[];

const STATUS: Readonly<Record<string, string>> = { P: 'pending', S: 'settled', D: 'declined' };

/** What a script written for the bench makes of a legacy row, by the shape of the data. */
export const translateByHand: Readonly<Record<Shape, (row: Values) => Values>> = {
  plain: (row) => row,
  real: ([id = '', order = '', amount, status, at]) => [
    id,
    order,
    Math.round(Number(amount) * 100),
    STATUS[String(status)] ?? '',
    Date.parse(`${String(at).replace(' ', 'T')}Z`),
  ],
};

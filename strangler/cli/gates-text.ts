import type { Gate, Refusal } from '../ownership/handover/gate.ts';
import { table } from '../../chassis/cli/index.ts';
import type { Paint } from '../../chassis/cli/index.ts';

/** Every gate on a line of its own, with what there is to say of it. */
export function gatesText(gates: readonly Gate<string>[], paint: Paint): string {
  const lines = table(
    gates.map((gate) => [wordOf(gate).padEnd(7), gate.gate, remark(gate)]),
    '  ',
  );
  return lines.replaceAll(/^ {2}refused/gm, `  ${paint('red', 'refused')}`);
}

/** The same on one line; null where there is nothing to say. */
export function gatesLine(gates: readonly Gate[] | null | undefined): string | null {
  if (!gates) return null;
  const refusals = gates.filter((gate): gate is Refusal => wordOf(gate) === 'refused');
  const notes = gates.flatMap((gate) => (gate.ok && gate.note !== null ? [gate.note] : []));
  const [first] = refusals;
  const names = refusals.map(({ gate }) => gate).join(', ');
  const notRun = gates.filter((gate) => wordOf(gate) === 'untried').length;
  const verdict = first
    ? `refused: ${names}; ${first.reason}`
    : notRun > 0
      ? `passed so far (${notRun} not run)`
      : 'all passed';
  // That a capability has no contract is nothing new each time.
  return [verdict, ...notes.filter((note) => note.includes('fig '))].join('; ');
}

function wordOf(gate: Gate<string>): 'ok' | 'refused' | 'untried' {
  if (gate.ok) return 'ok';
  return gate.untried ? 'untried' : 'refused';
}

function remark(gate: Gate<string>): string {
  if (gate.ok) return gate.note ?? '';
  if (gate.untried) return '';
  return gate.next === null ? gate.reason : `${gate.reason}; ${gate.next}`;
}

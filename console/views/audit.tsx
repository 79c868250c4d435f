import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { HandoverList } from '../../strangler/engine/index.ts';
import { get } from '../api.ts';
import { Command } from '../parts/command.tsx';
import { duration } from '../../chassis/text/index.ts';
import { moment } from '../words.ts';

/** What the databases record of who moved what: handovers. It says what is not recorded. */
export function Audit({ now }: { readonly now: number }): JSX.Element {
  const [list, setList] = useState<HandoverList>();
  useEffect(() => {
    void get<HandoverList>('/engine/handovers').then((answer) => answer.ok && setList(answer.body));
  }, []);
  return (
    <div class="audit">
      <h1>Audit</h1>
      <p class="dim">
        Recorded: each handover, with its steps and its reason, in the database that it left. Not
        recorded yet: who asked, from where and why, changes of flags, copies, comparisons, and
        decisions about dead letters; the engine’s log has some of them.
      </p>
      {list && list.handovers.length === 0 && <p>No handover is recorded.</p>}
      {list && list.handovers.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">when</th>
              <th scope="col">what</th>
              <th scope="col">outcome</th>
              <th scope="col">evidence</th>
            </tr>
          </thead>
          <tbody>
            {list.handovers.map((one) => (
              <tr key={one.id}>
                <td class="dim">{moment(one.startedAt)}</td>
                <td>
                  {one.capability}: {one.from} to {one.to}, epoch {one.epoch}
                </td>
                <td class={one.outcome === 'aborted' ? 'warn' : ''}>
                  {one.outcome === null ? 'under way' : one.outcome}
                  {one.reason !== null && `: ${one.reason}`}
                </td>
                <td class="dim">
                  {one.steps.length} steps in {duration((one.finishedAt ?? now) - one.startedAt)}
                  {one.position !== null && `, at position ${one.position}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Command text="fig journal" />
    </div>
  );
}

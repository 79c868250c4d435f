import { useEffect, useState } from 'preact/hooks';
import type { LetterList, Status } from '../../facade/admin/index.ts';
import type { LastComparisons, ParkedList } from '../../strangler/engine/index.ts';
import { get } from '../api.ts';
import type { Refusal } from '../api.ts';
import type { Live } from '../live.ts';
import { Command } from '../parts/command.tsx';
import { Refused } from '../parts/refused.tsx';
import { Answers } from './answers.tsx';
import { ApplicationLetters, ParkedChanges } from './letters.tsx';
import { RowDifferences } from './row-differences.tsx';

interface Found {
  readonly status: Status | undefined;
  readonly comparisons: LastComparisons | undefined;
  readonly parked: ParkedList | undefined;
  readonly letters: LetterList | undefined;
}

/** Whether both sides say and hold the same: answers, rows, and what could not be carried. */
export function Differences({ live, now }: { readonly live: Live; readonly now: number }) {
  const [found, setFound] = useState<Found>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [turn, setTurn] = useState(0);
  const news = (live.state?.facade.capabilities ?? [])
    .map(({ experiments }) => `${experiments.mismatched} ${experiments.compared > 0}`)
    .concat(
      (live.engine?.status.capabilities ?? []).map(
        ({ reconcile, parked }) => `${reconcile?.at} ${parked?.changes}`,
      ),
    )
    .join();
  useEffect(() => {
    const read = async (): Promise<void> => {
      const all = await readAll();
      setFound(all.found);
      setRefusal(all.refusal);
    };
    void read();
  }, [news, turn]);
  if (!found) {
    return (
      <div class="differences">
        <h1>Differences</h1>
        <p class="dim">reading …</p>
      </div>
    );
  }
  const again = (): void => setTurn((before) => before + 1);
  return (
    <div class="differences">
      <h1>Differences</h1>
      {refusal && <Refused refusal={refusal} mend={(command) => <Command text={command} />} />}
      <Answers status={found.status} now={now} />
      <RowDifferences comparisons={found.comparisons} now={now} />
      <ParkedChanges parked={found.parked} now={now} again={again} />
      <ApplicationLetters letters={found.letters} now={now} again={again} />
    </div>
  );
}

async function readAll(): Promise<{
  readonly found: Found;
  readonly refusal: Refusal | undefined;
}> {
  const [status, comparisons, parked, letters] = await Promise.all([
    get<Status>('/status'),
    get<LastComparisons>('/engine/comparisons'),
    get<ParkedList>('/engine/parked'),
    get<LetterList>('/dead-letters'),
  ]);
  const refused = [status, comparisons, parked, letters].find((answer) => !answer.ok);
  return {
    found: {
      status: status.ok ? status.body : undefined,
      comparisons: comparisons.ok ? comparisons.body : undefined,
      parked: parked.ok ? parked.body : undefined,
      letters: letters.ok ? letters.body : undefined,
    },
    refusal: refused && !refused.ok ? refused.refusal : undefined,
  };
}

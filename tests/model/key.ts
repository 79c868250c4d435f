import type { Coordinator, Facade, Side, World } from './world.ts';

/**
 * Short names for parts of worlds. A part is named once: worlds share the parts that did not move.
 */
class Names<Part extends object> {
  readonly #text: (part: Part) => string;
  readonly #byPart = new WeakMap<Part, number>();
  readonly #byText = new Map<string, number>();

  constructor(text: (part: Part) => string) {
    this.#text = text;
  }

  of(part: Part): number {
    const known = this.#byPart.get(part);
    if (known !== undefined) return known;
    const text = this.#text(part);
    const name = this.#byText.get(text) ?? this.#byText.size;
    this.#byText.set(text, name);
    this.#byPart.set(part, name);
    return name;
  }
}

/** Equal for equal worlds; which of two coordinators or facades is which makes no difference. */
export function createKey(): (world: World) => string {
  const fragile = new Names(
    (side: Side) => `${textOf(side)}/${textOf({ ...side, ...side.saved })}`,
  );
  const sturdy = new Names(textOf);
  const coordinators = new Names((one: Coordinator) => JSON.stringify(one));
  const facades = new Names((one: Facade) => JSON.stringify(one));
  return (world) => {
    const { legacy, extracted, writesLeft, handoversLeft, takeoversLeft, powerCutsLeft } = world;
    // Without another power cut to come, it does not matter what would survive one.
    const sides = powerCutsLeft > 0 ? fragile : sturdy;
    const left = `${writesLeft}${handoversLeft}${takeoversLeft}${powerCutsLeft}`;
    const [first, second] = world.coordinators;
    const who = pairOf(coordinators.of(first), coordinators.of(second));
    const doors = world.facades.map((facade) => facades.of(facade));
    const [one = 0, other = 0] = doors;
    return `${sides.of(legacy)},${sides.of(extracted)},${who},${pairOf(one, other)},${left}`;
  };
}

const pairOf = (one: number, other: number): string =>
  one < other ? `${one},${other}` : `${other},${one}`;

function textOf({ fence, written, applied, token, handover }: Side): string {
  const record = handover === null ? '' : `${handover.epoch},${handover.position}`;
  return `${fence.state}${fence.epoch},${written},${applied},${token},${record}`;
}

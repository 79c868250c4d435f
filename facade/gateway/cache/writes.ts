/** Begins every name under which workers tell each other of writes to what is kept. */
const PREFIX = 'cache:';

/** Writes to one route, or to one capability, whose answers are kept. */
export class Writes {
  /** Grows with each that begins or ends, here or in another worker. */
  changes = 0;
  #elsewhere = 0;

  /** Another worker begins one: until it has ended, what is read may be from before or after it. */
  begin(): void {
    this.changes += 1;
    this.#elsewhere += 1;
  }

  end(): void {
    this.changes += 1;
    // One that began before this configuration was in use has not been counted.
    this.#elsewhere = Math.max(0, this.#elsewhere - 1);
  }

  get areUnderWay(): boolean {
    return this.#elsewhere > 0;
  }
}

/** The writes that a process knows of, by what they change. */
export class KnownWrites {
  readonly #known = new Map<string, Writes>();

  /** @param what the pattern of a route, or a capability's name */
  to(what: string): Writes {
    return this.#named(topicOf(what));
  }

  /** What another worker's write counts for; undefined where that is nothing of the cache's. */
  named(topic: string): Writes | undefined {
    return topic.startsWith(PREFIX) ? this.#named(topic) : undefined;
  }

  #named(topic: string): Writes {
    let writes = this.#known.get(topic);
    if (!writes) this.#known.set(topic, (writes = new Writes()));
    return writes;
  }
}

/** A pattern begins with a slash, and a capability's name does not. */
export function topicOf(what: string): string {
  return PREFIX + what;
}

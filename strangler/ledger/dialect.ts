/** What a statement's place takes: `Dialect.elements` makes rows of a list. */
export type LedgerValue = string | number | bigint | boolean | null | readonly string[];

/**
 * Statements that give rows. `$1` is the place of the first value; a statement may name a place several
 * times. Truth values come back as booleans or as 1 and 0.
 */
export interface Reads {
  all<R>(sql: string, values?: readonly LedgerValue[]): Promise<readonly R[]>;
  /** The first row; undefined where there is none. */
  get<R>(sql: string, values?: readonly LedgerValue[]): Promise<R | undefined>;
}

/** The statements of one transaction. */
export interface Tx extends Reads {
  /** @returns how many rows were written */
  run(sql: string, values?: readonly LedgerValue[]): Promise<number>;
}

/** The words in which databases differ, as far as Fig's own tables need them. All but functions are SQL. */
export interface Dialect {
  /** ms since 1970 by the database's clock. */
  readonly now: string;
  /** The function that gives the greater of two values. */
  readonly greatest: string;
  /** Ends a query whose rows other transactions may read, and must not change, until this one ends. */
  readonly forShare: string;
  /** Ends a query whose rows other transactions must not lock to change, until this one ends. */
  readonly forUpdate: string;
  /** A column of handovers and completions that grows with each row. */
  readonly inserted: string;
  /** Follows an expression by which rows are sorted, so that its bytes count. */
  readonly inBytes: string;
  /** A name of a table or column, as SQL. */
  readonly name: (identifier: string) => string;
  /** The table of a capability's feed. */
  readonly feedTable: (capability: string) => string;
  /** A query that has a row where there is a table of a name. */
  readonly hasTable: string;
  /** A table with the column `value`, made of the list that a place takes. */
  readonly elements: (place: string) => string;
  /** How a text of any characters is stored, and what it was; JSON means the same in either form. */
  readonly stored: (text: string) => string;
  readonly unstored: (text: string) => string;
}

export interface LedgerTransactionOptions {
  /** Whether the commit must survive a power cut; true when left out. */
  readonly durable?: boolean;
  /** How long a statement may wait for a lock, in ms. */
  readonly lockMs?: number;
}

/**
 * One database that holds Fig's own tables, as the code that keeps them sees it.
 * @typeParam T what the dialect needs of a transaction besides statements
 */
export interface Ledger<T extends Tx = Tx> {
  /** Names it, for people. */
  readonly url: string;
  readonly dialect: Dialect;
  /** Each statement reads at a moment of its own. */
  readonly reads: Reads;
  /** Runs `work`, whose reads all see one and the same moment. */
  snapshot<R>(work: (tx: T) => Promise<R>): Promise<R>;
  /**
   * Runs `work` in a transaction, which commits when `work` is fulfilled and else rolls back. `work` waits
   * for nothing but its own statements: where a database has one writer, all writers wait for its end.
   */
  transaction<R>(work: (tx: T) => Promise<R>, options?: LedgerTransactionOptions): Promise<R>;
  /**
   * The same for work that moves fences of a capability: all who want to write wait behind it, so it gives up
   * before they do.
   * @throws where transactions of others keep the fences where they are
   */
  movingFences<R>(capability: string, work: (tx: T) => Promise<R>): Promise<R>;
}

/** The end of one capability's feed: databases give positions out in ways of their own. */
export interface FeedEnd {
  /** Whether `last` gives positions out, which must then survive a power cut. */
  readonly assigns: boolean;
  /** The last position, behind everything that was committed before the call. */
  last(tx: Tx): Promise<number>;
  /** Has the feed go on above a position, where it does not yet. */
  skipTo(tx: Tx, position: number): Promise<void>;
}

/** An index over a whole table; one over expressions has '' for them. */
export interface IndexFacts {
  readonly unique: boolean;
  readonly columns: readonly string[];
  /** Whether it orders text by its bytes. */
  readonly binary: boolean;
  /** Whether it takes values for equal that differ: 'a' and 'A', say. */
  readonly folds?: boolean;
  /** Whether that it is unique can be left to the end of a transaction. */
  readonly deferrable?: boolean;
}

/** A code, what is wrong, and the column that is at fault, where one is. */
export type Finding = readonly [code: string, message: string, column?: string];

/** A foreign key. */
export interface Reference {
  /** The table whose rows refer to others. */
  readonly child: string;
  readonly columns: readonly string[];
  readonly parent: string;
  /** Columns of the parent, in the order of those that name them. */
  readonly parentColumns: readonly string[];
  /** In words of SQL: NO ACTION, CASCADE and so on. */
  readonly onDelete: string;
  readonly onUpdate: string;
  /** What the database says of the child; undefined where the child moves, or is not to be found by its name. */
  readonly childFacts?: ChildFacts | undefined;
}

/** What a database says of a table that does not move and whose rows refer to one that does. */
export interface ChildFacts {
  readonly indexes: readonly IndexFacts[];
  /** Columns that may be null. */
  readonly nullable: readonly string[];
  readonly triggers: readonly string[];
  /** Foreign keys to it, its own included. */
  readonly referrers: readonly Pick<Reference, 'child' | 'columns' | 'parentColumns'>[];
  /** Rights on it that the user of the database lacks. */
  readonly lacks: readonly string[];
  /** Who that is, as SQL names it; null where a database knows no users. */
  readonly role: string | null;
}

/** A foreign key as mappings and messages name it. */
export function referenceName({ child, columns }: Pick<Reference, 'child' | 'columns'>): string {
  return `${child}(${columns.join(', ')})`;
}

/** What a database says of itself, read without changing anything in it. */
export interface Survey {
  /** Shown to people: 'PostgreSQL 15.4' or 'SQLite'. */
  readonly server: string;
  readonly database: string;
  /** Who asks, as SQL names it; null where a database knows no users. */
  readonly user: string | null;
  readonly superuser: boolean;
  /** The managed service that it runs on, as far as it shows. */
  readonly cloud: Cloud | null;
  readonly tables: readonly SurveyedTable[];
  /** What else writes, as far as the database tells. */
  readonly writers: readonly Writer[];
  /** What could not be looked at, and why. */
  readonly unseen: readonly string[];
}

export type Cloud = 'rds' | 'cloudsql' | 'azure';

export interface SurveyedTable {
  readonly name: string;
  readonly schema: string;
  /** Whether sessions of this user find it by its name alone. */
  readonly visible: boolean;
  readonly kind: 'table' | 'partitioned' | 'partition' | 'view' | 'foreign';
  /** About; null where the database has never counted. */
  readonly rows: number | null;
  readonly bytes: number;
  readonly columns: readonly SurveyedColumn[];
  /** Empty where it has none. */
  readonly primaryKey: readonly string[];
  readonly uniques: readonly (readonly string[])[];
  /** Statements that make its other indexes again. */
  readonly indexes: readonly string[];
  readonly references: readonly SurveyedReference[];
  readonly checks: readonly SurveyedCheck[];
  readonly triggers: readonly SurveyedTrigger[];
  readonly rowSecurity: boolean;
  /** Rows written since the statistics began; null where the database does not count. */
  readonly written: Written | null;
}

export interface SurveyedColumn {
  readonly name: string;
  /** As it was declared: `numeric(10,2)`. */
  readonly type: string;
  /** The type below a domain, as a table without the domain would declare it. */
  readonly plainType: string;
  readonly nullable: boolean;
  /** Its DEFAULT as SQL. */
  readonly default: string | null;
  readonly generated: boolean;
  readonly identity: 'always' | 'default' | null;
  /** The sequence that gives it values. */
  readonly sequence: string | null;
  /** The only values that an enumerated type or a CHECK allows; null for others. */
  readonly values: readonly string[] | null;
  /** The few values that the database has seen in a text column that may hold any; null where they are many. */
  readonly seen: readonly string[] | null;
}

/** A foreign key of a table. */
export interface SurveyedReference {
  readonly columns: readonly string[];
  readonly parent: string;
  readonly parentColumns: readonly string[];
  readonly onDelete: string;
}

export interface SurveyedCheck {
  readonly columns: readonly string[];
  /** `CHECK (...)`. */
  readonly sql: string;
}

export interface SurveyedTrigger {
  readonly name: string;
  /** How it was made, as SQL. */
  readonly sql: string;
}

interface Written {
  readonly rows: number;
  /** Since when they were counted, in ms since 1970; null where that is not known. */
  readonly since: number | null;
}

/** Something that may write to tables without going through the application. */
export interface Writer {
  readonly kind: 'job' | 'routine' | 'statement' | 'session' | 'subscription';
  readonly name: string;
  /** The tables that its text names; empty where the database does not say. */
  readonly tables: readonly string[];
  readonly detail: string;
}

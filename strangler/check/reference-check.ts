import { keysByTable, remediesOf, remedyNames } from '../replication/cascades.ts';
import type { ChildRemedy } from '../replication/cascades.ts';
import { tablesOf } from '../mapping/index.ts';
import type { Mapping } from '../mapping/index.ts';
import { referenceName } from './reference.ts';
import type { ChildFacts, Finding, Reference } from './reference.ts';
import type { SideName } from '../../routing/side.ts';
import { identifier } from '../wording.ts';

/**
 * Foreign keys between a table that moves and one that does not: once the other side owns the one, no
 * database keeps both in step. Each needs a remedy that the mapping declares.
 */
export function checkReferences(
  mapping: Mapping,
  side: SideName,
  table: string,
  references: readonly Reference[],
): Finding[] {
  const moved = tablesOf(mapping, side);
  const remedies = remediesOf(mapping, side, table);
  const border = references.filter(
    ({ child, parent }) => !(moved.includes(child) && moved.includes(parent)),
  );
  const known = new Set(border.map((reference) => referenceName(reference)));
  return [
    ...border.flatMap((reference): Finding[] => {
      const remedy = remedies[referenceName(reference)];
      if (remedy === undefined) return [['border_reference', undeclared(side, table, reference)]];
      if (typeof remedy === 'string') return [];
      const kind = 'cascade' in remedy ? 'cascade' : 'refuse';
      return obstacles(mapping, side, table, reference, kind).map((obstacle): Finding => {
        const next = `or give '${referenceName(reference)}' a reason in place of ${kind}`;
        return ['border_reference', `${described(reference)}: ${obstacle}, ${next}`];
      });
    }),
    ...(['cascade', 'refuse'] as const)
      .flatMap((kind) => remedyNames(mapping, side, table, kind))
      .filter((named) => !known.has(named))
      .map((named): Finding => [
        'border_reference',
        `no foreign key ${named} refers to ${table} from a table that does not move; ` +
          'take it out of references, or name it as the database does',
      ]),
  ];
}

function described(reference: Reference): string {
  const { parent, onDelete, onUpdate } = reference;
  return `${referenceName(reference)} refers to ${parent} (ON DELETE ${onDelete}, ON UPDATE ${onUpdate})`;
}

function undeclared(side: SideName, table: string, reference: Reference): string {
  const { child, parent } = reference;
  const harm =
    child === table
      ? `${parent} does not move: once the other side owns ${child}, a row of ${parent} that is deleted ` +
        'or gets another key here meets the fence, or leaves rows over there without their parent'
      : `${child} does not move: once the other side owns ${parent}, what is deleted there leaves rows of ` +
        `${child} here without their parent, and nothing is carried out for them`;
  const named = referenceName(reference);
  const remedy = child === table ? 'with the reason' : 'as cascade or refuse, or with the reason';
  return (
    `${described(reference)}, and ${harm}; move both, drop the constraint, or name '${named}' in ` +
    `references of the mapping's ${side} side ${remedy} why that does no harm`
  );
}

/** Why a foreign key can't be carried out when deletes are applied, each with what can be done. */
function obstacles(
  mapping: Mapping,
  side: SideName,
  table: string,
  reference: Reference,
  kind: ChildRemedy,
): readonly string[] {
  const { child, parent, onDelete, childFacts } = reference;
  if (child === table) {
    return [
      `rows of ${parent} are deleted here, where nothing is applied to them; move both, drop the constraint`,
    ];
  }
  if (kind === 'cascade' && onDelete !== 'CASCADE' && onDelete !== 'SET NULL') {
    return [
      `ON DELETE ${onDelete} leaves nothing to carry out; declare it ON DELETE CASCADE or SET NULL`,
    ];
  }
  if (childFacts === undefined) {
    return [
      `${child} is in a schema that is not searched first for its name; put it in the search_path`,
    ];
  }
  const keys = keysByTable(mapping, side, table);
  if (kind === 'refuse') {
    // Rows are counted, and nothing is written.
    const read = childFacts.lacks.filter((right) => right !== 'UPDATE' && right !== 'DELETE');
    return [
      ...nameObstacles(reference, keys),
      ...indexObstacles(reference, childFacts),
      ...rightObstacles(child, { ...childFacts, lacks: read }),
    ];
  }
  return [
    ...keyObstacles(reference, keys),
    ...columnObstacles(reference, childFacts),
    ...stepObstacles(reference, childFacts),
    ...writeObstacles(reference, childFacts),
  ];
}

/** What is deleted has to be what the foreign key names, and to stay so. */
function keyObstacles(
  reference: Reference,
  keys: readonly (readonly string[])[],
): readonly string[] {
  const { onUpdate } = reference;
  const found: string[] = [];
  if (onUpdate !== 'NO ACTION' && onUpdate !== 'RESTRICT') {
    found.push(`ON UPDATE ${onUpdate} is not carried out; declare it ON UPDATE NO ACTION`);
  }
  return [...found, ...nameObstacles(reference, keys)];
}

function nameObstacles(
  { parent, parentColumns }: Reference,
  keys: readonly (readonly string[])[],
): readonly string[] {
  const other = keys.find((key) => !sameColumns(key, parentColumns));
  if (other === undefined) return [];
  return [
    `it names ${parent}(${parentColumns.join(', ')}), and rows are deleted by ` +
      `${parent}(${other.join(', ')}); let it name those columns`,
  ];
}

/** Children have to be found without reading all of them, and may have to be without a parent. */
function columnObstacles(reference: Reference, facts: ChildFacts): readonly string[] {
  const { child, columns, onDelete } = reference;
  const { nullable } = facts;
  const found = [...indexObstacles(reference, facts)];
  const rigid = columns.filter((column) => !nullable.includes(column));
  if (onDelete === 'SET NULL' && rigid.length > 0) {
    found.push(`${child}.${rigid.join(', ')} takes no NULL; drop its NOT NULL`);
  }
  return found;
}

function indexObstacles({ child, columns }: Reference, { indexes }: ChildFacts): readonly string[] {
  const list = columns.join(', ');
  const served = indexes.some(
    (index) => index.folds !== true && sameColumns(index.columns.slice(0, columns.length), columns),
  );
  if (served) return [];
  return [
    `no index finds rows of ${child} by (${list}), so each delete would read all of them; ` +
      `CREATE INDEX ... ON ${child} (${list})`,
  ];
}

/** Children that are parents themselves would leave children of their own. */
function stepObstacles(
  { child, columns, onDelete }: Reference,
  { referrers }: ChildFacts,
): readonly string[] {
  return referrers
    .filter(
      ({ parentColumns }) =>
        onDelete === 'CASCADE' || parentColumns.some((column) => columns.includes(column)),
    )
    .map(
      (referrer) =>
        `rows of ${referrer.child} refer to those of ${child} by ${referenceName(referrer)}, and only ` +
        'one step is carried out; drop that constraint',
    );
}

function writeObstacles({ child }: Reference, facts: ChildFacts): readonly string[] {
  const [trigger] = facts.triggers;
  const found = rightObstacles(child, facts);
  if (trigger === undefined) return found;
  return [
    `${child} has a trigger ${trigger}, which may write what no feed has seen; remove it`,
    ...found,
  ];
}

function rightObstacles(child: string, { lacks, role }: ChildFacts): readonly string[] {
  if (lacks.length === 0) return [];
  return [
    `${role ?? 'our user'} lacks ${lacks.join(' and ')} on ${child}; ${grants(child, lacks, role)}`,
  ];
}

/** Statements to copy. */
function grants(child: string, lacks: readonly string[], role: string | null): string {
  const rights = lacks.filter((right) => right !== 'BYPASSRLS');
  return [
    ...(rights.length > 0
      ? [`GRANT ${rights.join(', ')} ON ${identifier(child)} TO ${role ?? ''}`]
      : []),
    ...(lacks.includes('BYPASSRLS') ? [`ALTER ROLE ${role ?? ''} BYPASSRLS`] : []),
  ].join('; ');
}

function sameColumns(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((column) => right.includes(column));
}

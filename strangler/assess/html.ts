import type { AssessedDatabase, AssessedTable, Assessment, Item, ManagedNote } from './report.ts';
import { bytesText, loadLines, summaryOf, WORDS, writesText } from './text.ts';

const STYLE = `
body { font: 15px/1.45 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1c2024; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; } h3 { font-size: 1rem; margin-bottom: .25rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #e4e6e8; }
code, pre { font: 13px/1.4 ui-monospace, monospace; } pre { background: #f4f5f6; padding: .75rem; overflow-x: auto; white-space: pre-wrap; }
.fits { color: #1a7f4b; } .choice { color: #8a5a00; } .cannot { color: #b3261e; } .quiet { color: #62676c; } li { margin: .25rem 0; }
@media (prefers-color-scheme: dark) { body { color: #e6e8ea; background: #16181a; } th, td { border-color: #33373b; } pre { background: #22262a; }
  .fits { color: #5cc98d; } .choice { color: #e2b04a; } .cannot { color: #f28b82; } .quiet { color: #9aa0a6; } }
`;

/**
 * The report as one page that needs nothing else: no script, no file beside it.
 * @param at when it was made
 */
export function assessmentPage(assessments: readonly Assessment[], at: Date): string {
  const title = assessments.map(nameOf).join(', ');
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>fig assess: ${escaped(title)}</title>
<style>${STYLE}</style></head>
<body>
<h1>Can it be moved? ${escaped(title)}</h1>
<p class="quiet">Read from the databases by <code>fig assess</code> on ${at.toISOString()}; nothing in them was changed.</p>
${assessments.map(assessmentSection).join('\n')}
</body>
</html>
`;
}

function nameOf({ capability, databases }: Assessment): string {
  return capability ?? databases[0]?.database ?? '';
}

function assessmentSection(assessment: Assessment): string {
  const { verdict, items, databases, rowsTried } = assessment;
  const tried =
    rowsTried === null
      ? 'No rows were tried: <code>fig check</code> takes each of them there and back.'
      : `${rowsTried.toLocaleString('en-US')} rows were taken there and back.`;
  return `<section>
<h2>${escaped(nameOf(assessment))}: <span class="${verdict}">${WORDS[verdict]}</span></h2>
<p>${escaped(summaryOf(assessment))}. ${tried}</p>
${itemList(items)}
${databases.map(databaseSection).join('\n')}
</section>`;
}

function databaseSection(database: AssessedDatabase): string {
  const { side, server, user, tables, rights, writers, unseen, load } = database;
  return `<h2>${side === null ? '' : `${side}: `}${escaped(database.database)} <span class="quiet">${escaped(server)}${user === null ? '' : `, as ${escaped(user)}`}</span></h2>
${load === null ? '' : `<ul>${loadLines(load).map(listItem).join('')}</ul><p class="quiet">${load.from.map(escaped).join('.<br>')}.</p>`}
<table><thead><tr><th>Table</th><th>Verdict</th><th>Size</th><th>Writes</th><th>What to know</th></tr></thead>
<tbody>${tables.map(tableRow).join('\n')}</tbody></table>
${tables.map(columnsSection).join('\n')}
${rights.grants.length === 0 ? '' : `<h3>Rights that the engine needs</h3><pre>${rights.grants.map(escaped).join('\n')}</pre>`}
${rights.managed.map(managedSection).join('\n')}
<h3>What else may write</h3>
<ul>${writers
    .map(({ kind, name, tables: named, detail }) =>
      listItem(`${kind} ${name}${named.length > 0 ? ` (${named.join(', ')})` : ''}: ${detail}`),
    )
    .join('')}${unseen.map((what) => listItem(`not seen: ${what}`)).join('')}</ul>`;
}

function tableRow(table: AssessedTable): string {
  const { verdict, rows, bytes, items, references, referredBy, triggers, sequences } = table;
  const facts = [
    ...references.map(
      ({ columns, parent, onDelete }) =>
        `foreign key (${columns.join(', ')}) to ${parent}, ON DELETE ${onDelete}`,
    ),
    ...referredBy.map((child) => `referred to by ${child}`),
    ...triggers.map((trigger) => `trigger ${trigger}`),
    ...sequences.map((sequence) => `sequence ${sequence}`),
    ...(table.rowSecurity ? ['row-level security'] : []),
  ];
  const size = `${rows === null ? 'not counted' : `${rows.toLocaleString('en-US')} rows`}, ${bytesText(bytes)}`;
  return `<tr><td><code>${escaped(table.table)}</code></td><td class="${verdict}">${WORDS[verdict]}</td><td>${size}</td><td>${escaped(writesText(table))}</td>
<td>${itemList(items)}${facts.length === 0 ? '' : `<span class="quiet">${facts.map(escaped).join('<br>')}</span>`}</td></tr>`;
}

function columnsSection({ table, columns }: AssessedTable): string {
  if (columns.length === 0) return '';
  const rows = columns.map(
    ({ column, type, verdict, items }) =>
      `<tr><td><code>${escaped(column)}</code></td><td><code>${escaped(type)}</code></td><td class="${verdict}">${WORDS[verdict]}</td><td>${itemList(items)}</td></tr>`,
  );
  return `<h3>${escaped(table)}</h3><table><tbody>${rows.join('\n')}</tbody></table>`;
}

function managedSection({ name, here, notes }: ManagedNote): string {
  return `<h3>On ${escaped(name)}${here ? ' (this server looks like it)' : ''}</h3><ul>${notes.map(listItem).join('')}</ul>`;
}

function itemList(items: readonly Item[]): string {
  if (items.length === 0) return '';
  const lines = items.map(({ code, verdict, message, help }) => {
    const helps = help === null || message.includes(help) ? '' : `; ${help}`;
    return `<li><span class="${verdict}">${escaped(code)}</span>: ${escaped(message + helps)}</li>`;
  });
  return `<ul>${lines.join('')}</ul>`;
}

function listItem(text: string): string {
  return `<li>${escaped(text)}</li>`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

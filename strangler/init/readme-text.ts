interface ReadmeOptions {
  readonly name: string;
  readonly databaseUrl: string;
}

/** What to do next, in order. */
export function readmeText({ name, databaseUrl }: ReadmeOptions): string {
  const upper = name.toUpperCase();
  return `# Moving ${name} out

\`fig init\` has written what it could read from the database, and marked the rest: search for \`QUESTION:\`.

| file                  | what it says                                        |
| --------------------- | --------------------------------------------------- |
| \`fig.config.ts\`       | what moves, from where, and which requests it means |
| \`${name}.mapping.ts\` | how each row becomes one of the service, and back   |
| \`${name}.sql\`        | the service's tables                                |
| \`flags.json\`          | how many of the reads and writes go to the service  |

Databases and servers come from the environment, so that no password is in a file:

\`\`\`sh
export MONOLITH_DATABASE_URL='${databaseUrl}'
export ${upper}_DATABASE_URL='postgres://127.0.0.1:5432/${name}'
export MONOLITH_URL=... ${upper}_URL=...
\`\`\`

Then, in this order; each command says what comes next:

\`\`\`sh
psql "$${upper}_DATABASE_URL" -f ${name}.sql   # the service's tables
fig assess --html report.html              # what fits, what needs a choice, what it costs; reads only
fig check                                  # refuses until every QUESTION about the mapping is answered
fig backfill ${name}                     # copy, then follow
fig reconcile ${name}                    # compare row by row
fig shadow ${name} 100                   # compare the answers to reads
fig ramp ${name} 100                     # the service answers reads
fig switch ${name}                       # the service owns the writes
fig reverse ${name}                      # the way back, at any time before fig complete
fig uninstall                              # takes everything of Fig out of both databases
\`\`\`
`;
}

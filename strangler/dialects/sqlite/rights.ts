import { accessSync, constants, existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';

/** What this process may not do with a database's file and its folder; nothing where there is no such file. */
export function missingRights(file: string): readonly string[] {
  if (file === '' || !existsSync(file)) return [];
  const folder = dirname(file);
  return [
    ...(may(file, constants.R_OK | constants.W_OK)
      ? []
      : [`file ${file}: ${user()} may not read and write it; ${grant('rw', file)}`]),
    ...(may(folder, constants.R_OK | constants.W_OK | constants.X_OK)
      ? []
      : [
          `folder ${folder}: ${user()} may not make files in it, which SQLite does beside ${file}; ` +
            grant('rwx', folder),
        ]),
  ];
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

/** Whom this process runs as; in a container, there may be no name for it. */
function user(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'this user');
  }
}

function grant(rights: string, path: string): string {
  return `setfacl -m u:${user()}:${rights} '${path.replaceAll("'", `'\\''`)}'`;
}

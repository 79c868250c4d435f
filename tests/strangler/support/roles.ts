const PASSWORD = 'geheim';

/** SQL that makes a role which may log in, and has no other right. */
export function newRole(role: string): string {
  return `CREATE ROLE ${role} LOGIN PASSWORD '${PASSWORD}'`;
}

/** A database's URL for a role of `newRole`. */
export function urlAs(url: string, role: string): string {
  return Object.assign(new URL(url), { username: role, password: PASSWORD }).href;
}

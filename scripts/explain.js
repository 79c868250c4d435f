import { PrepareFailed } from './command.js';

/**
 * An error as a person needs it: what to do about those that come from the machine, the stack of
 * those that nobody foresaw.
 *
 * @param {Error & { code?: string, path?: string }} error
 * @param {string} root folder of the project
 * @returns {string}
 */
export function explain(error, root) {
  if (error instanceof PrepareFailed) return error.message;
  const where = error.path ?? root;
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return `the disk is full: ${where} can't be written (${error.code}); free some space and start again`;
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return (
        `${where} can't be written (${error.code}), and something has to be installed or built in ` +
        `${root}; do that once as a user who may write there: node scripts/prepare.js`
      );
    default:
      return error.stack ?? String(error);
  }
}

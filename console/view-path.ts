export const BASE = '/console/';

/** The view that an address names, such as `capabilities/a`; empty for the overview. */
export function viewIn(pathname: string): string {
  return decoded(pathname).slice(BASE.length).replace(/\/$/, '');
}

/** An address that is no text is of no view, which the page says: it must not fail before. */
function decoded(pathname: string): string {
  try {
    return decodeURI(pathname);
  } catch {
    return pathname;
  }
}

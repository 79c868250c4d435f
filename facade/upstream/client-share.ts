/** A client may not have all of what there is for itself. */
const SHARE = 0.75;

/** How many of so many one client's address may have where the configuration does not say. */
export function clientShare(all: number): number {
  return Math.ceil(all * SHARE);
}

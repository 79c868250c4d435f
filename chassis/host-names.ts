/** A Host header, or a part of a URL that names a host, in lower case; undefined for what is none. */
export function hostOf(text: string): URL | undefined {
  return /^[^\s/?#@\\]+$/.test(text) && URL.canParse(`http://${text}`)
    ? new URL(`http://${text}`)
    : undefined;
}

/** The name without port, brackets and the dot of the root. */
export function nameOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

/** Of everything that is told as JSON: grows when a field changes its meaning, or goes. */
export const SCHEMA_VERSION = 1;

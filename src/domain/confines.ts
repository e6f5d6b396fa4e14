// What may hold for a process that decodes strangers' files: layers of its cage, each true or not.

export const CONFINES = [
  'no-network',
  'no-capabilities',
  'no-new-privileges',
  'no-core-dump',
  'no-bytes-written',
  'node-permissions',
] as const
export type Confine = (typeof CONFINES)[number]

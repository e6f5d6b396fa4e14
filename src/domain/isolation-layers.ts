// What may hold for a process that decodes strangers' files: layers of its cage, each true or not.

/** The last one is what the worker tried from inside; a process sees the others of itself. */
export const ISOLATION_LAYERS = [
  'no-network',
  'no-capabilities',
  'no-new-privileges',
  'no-core-dump',
  'no-bytes-written',
  'node-permissions',
  'no-writable-mounts',
  'no-other-processes',
  'no-secret-files',
] as const
export type IsolationLayer = (typeof ISOLATION_LAYERS)[number]

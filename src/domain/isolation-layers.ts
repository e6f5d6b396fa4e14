// The isolation layers that can protect a process that decodes untrusted files.

/** A decoding process reports layers about itself. The worker tests the last three from inside the sandbox, before it starts any. */
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
  'one-process',
  'few-threads',
] as const
export type IsolationLayer = (typeof ISOLATION_LAYERS)[number]

// The isolation layers that can protect a process that decodes untrusted files.

/** A decoding process reports all but the last layer about itself. The worker tests the last one, `no-secret-files`, from inside the sandbox. */
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

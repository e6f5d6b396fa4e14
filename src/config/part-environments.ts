// Which process of the service gets which variable.

import type { Variable } from './variables.js'

/** A process of the service. */
export type Part = 'api' | 'workers' | 'messenger'
export type Environment = Readonly<Record<string, string | undefined>>

/** Variables of each part. The part that decodes untrusted pictures gets no key, so it cannot leak one. */
const givenTo: Record<Part, readonly Variable[]> = {
  api: [
    'TABIR_HOST',
    'TABIR_PORT',
    'TABIR_DATA_DIR',
    'TABIR_HANDOFF_HOST',
    'TABIR_HANDOFF_PORT',
    'TABIR_HANDOFF_TLS_CERT',
    'TABIR_HANDOFF_TLS_KEY',
    'TABIR_MAX_IMAGE_BYTES',
    'TABIR_MAX_IMAGES_PER_REQUEST',
    'TABIR_MAX_INFLIGHT_BYTES',
    'TABIR_MAX_INFLIGHT_VIDEO_BYTES',
    'TABIR_SEAL_KEYS',
    'TABIR_SEAL_KEY_FILE',
    'TABIR_WITHDRAWALS_DIR',
    'TABIR_SNAPSHOT_INTERVAL_S',
    'TABIR_CASE_RETENTION_DAYS',
    'TABIR_AUDIT_KEEP_DAYS',
    'TABIR_WITHDRAWALS_KEEP_DAYS',
    'TABIR_MAX_IMAGES_PER_CASE',
    'TABIR_MAX_IMAGES_PER_NEW_CASE',
    'TABIR_MAX_UNATTESTED_HASHES_PER_DAY',
    'TABIR_MAX_SIGNALS_PER_ORG_PER_DAY',
    'TABIR_MAX_WATCHES_PER_ORG',
    'TABIR_PROOF_ROUNDS',
    'TABIR_EXTENDED_PROTECTION',
    'TABIR_HEIC',
    'TABIR_COUNTRY',
    'TABIR_PAGE_EXIT_URL',
    'TABIR_OPERATOR_NAME',
    'TABIR_OPERATOR_LINK',
    'TABIR_OPERATOR_COUNTRY',
    'TABIR_OPERATOR_AUTHORITY',
    'TABIR_PLATFORM_NAMES',
    'TABIR_NOTICE_CONTACTS',
    'TABIR_PAGE_BANNER',
    'TABIR_CONTACT_NAME',
    'TABIR_CONTACT_LINK',
    'TABIR_CORS_ORIGINS',
    'TABIR_TRUST_PROXY',
    'TABIR_TLS_CERT',
    'TABIR_TLS_KEY',
    'TABIR_EXPOSURE',
    'TABIR_FEED_DELAY_MINUTES',
    'TABIR_PROBING',
    'TABIR_MAX_QUERIES_PER_ORG_PER_DAY',
    'TABIR_WEBHOOK_ORIGINS',
    'TABIR_FETCH_FROM',
    'TABIR_EXCHANGES_FILE',
    'TABIR_TRACES_URL',
    'TABIR_LOG_LEVEL',
    'TABIR_LOG_SAMPLE',
    'TABIR_ENV',
  ],
  workers: [
    // Only names of folders and files: decoders must not reach them.
    'TABIR_DATA_DIR',
    'TABIR_SEAL_KEY_FILE',
    'TABIR_WITHDRAWALS_DIR',
    'TABIR_EXCHANGES_FILE',
    'TABIR_TLS_CERT',
    'TABIR_TLS_KEY',
    'TABIR_HANDOFF_TLS_CERT',
    'TABIR_HANDOFF_TLS_KEY',
    'TABIR_HANDOFF_CA',
    'TABIR_MAX_IMAGE_BYTES',
    'TABIR_HASHERS',
    'TABIR_HASHER_MEMORY_MB',
    'TABIR_VIDEO_HASHERS',
    'TABIR_FFMPEG',
    'TABIR_HEIC',
    'TABIR_ERASE_INTERVAL_S',
    'TABIR_TRACES_URL',
    'TABIR_LOG_LEVEL',
    'TABIR_ENV',
  ],
  messenger: [
    'TABIR_DATA_DIR',
    'TABIR_SEAL_KEYS',
    'TABIR_SEAL_KEY_FILE',
    'TABIR_WEBHOOK_ORIGINS',
    'TABIR_LOG_LEVEL',
    'TABIR_ENV',
  ],
}

/** Variables that Node, its TLS and temporary files use. */
const systemVariable =
  /^(PATH|HOME|TMPDIR|TZ|LANG|LC_\w+|NODE_(ENV|OPTIONS|EXTRA_CA_CERTS|V8_COVERAGE)|UV_THREADPOOL_SIZE|SSL_CERT_(FILE|DIR))$/

/** @returns the environment of one part: the variables that it needs, and the Redis that was opened for it. */
export function environmentOf(
  part: Part,
  redis: { readonly url?: string; readonly socket?: string },
  env: Environment,
): Environment {
  const names: readonly string[] = givenTo[part]
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => systemVariable.test(name) || names.includes(name))),
    ...(redis.url !== undefined && { REDIS_URL: redis.url }),
    ...(redis.socket !== undefined && { REDIS_SOCKET: redis.socket }),
  }
}

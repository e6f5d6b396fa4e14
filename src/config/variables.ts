// The environment variables: one line each, with its default and the error message for a wrong value. Messages never repeat a value.

import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { TIER_NAMES } from '../../packages/core/src/matching/signal.js'
import { isProxyNetwork } from '../net/networks.js'
import { PROBING_MODES } from '../services/matching/probing/probing-guard.js'
import { MIN_AUDIT_DAYS, MIN_WITHDRAWALS_DAYS } from '../services/records/record-keeping.js'
import { FEED_DELAY } from '../store/exchange/feed-batches.js'

const MiB = 1024 * 1024
export const MINUTE_MS = 60_000

export const Variables = z.object({
  TABIR_HOST: text('must name the address to listen on').default('127.0.0.1'),
  TABIR_PORT: wholeNumber(0, 65_535).default(8080),
  TABIR_DATA_DIR: text('must name a folder').default('./data'),
  REDIS_URL: z
    .string()
    .regex(/^rediss?(\+sentinel)?:\/\/\S+$/, 'must start with redis://, rediss:// or redis+sentinel://')
    .optional(),
  REDIS_SOCKET: text('must be the path of a unix socket').optional(),
  TABIR_REDIS_BIN: text('must be the path of a redis-server or valkey-server').optional(),
  TABIR_NPM_REDIS: z.enum(['on', 'off'], { error: 'must be on or off' }).default('on'),
  NODE_OPTIONS: z
    .string()
    .regex(
      // Node accepts an underscore for a hyphen.
      /^(?!.*--(report|diagnostic|heapsnapshot|heap[-_]prof|cpu[-_]prof|prof\b|inspect|abort[-_]on|tls[-_]keylog))/,
      'must not ask for reports, snapshots, profiles, dumps, keys of TLS or the inspector: pictures and keys are in memory',
    )
    .optional(),
  NODE_TLS_REJECT_UNAUTHORIZED: z
    .string()
    .regex(/^1$/, 'must not switch off the verification of certificates: Redis, feeds and webhooks go by it')
    .optional(),
  PATH: z.string().default(''), // the operating system's; searched for a Redis
  TABIR_HANDOFF_HOST: text('must name the address to listen on').default('127.0.0.1'),
  TABIR_HANDOFF_PORT: wholeNumber(0, 65_535).default(0),
  TABIR_HANDOFF_TLS_CERT: text('must be the path of a file with certificates in PEM').optional(),
  TABIR_HANDOFF_TLS_KEY: text('must be the path of a file with a private key in PEM').optional(),
  TABIR_HANDOFF_CA: text('must be the path of a file with certificates in PEM').optional(),
  TABIR_MAX_IMAGE_BYTES: wholeNumber(1, 1024 * MiB).default(20 * MiB),
  TABIR_MAX_IMAGES_PER_REQUEST: wholeNumber(1, 1000).default(20),
  TABIR_MAX_INFLIGHT_BYTES: wholeNumber(1, 64 * 1024 * MiB).optional(),
  TABIR_HASHERS: wholeNumber(1, 256).default(() => availableParallelism()),
  TABIR_HASHER_MEMORY_MB: wholeNumber(64, 65_536).default(1536),
  TABIR_MAX_INFLIGHT_VIDEO_BYTES: wholeNumber(MiB, 64 * 1024 * MiB).default(400 * MiB),
  TABIR_VIDEO_HASHERS: wholeNumber(1, 64).default(1),
  TABIR_FFMPEG: text('must be the path of an ffmpeg').optional(),
  TABIR_HEIC: z.enum(['on', 'off'], { error: 'must be on or off' }).default('on'),
  TABIR_SEAL_KEYS: z
    .string()
    .trim()
    .regex(/^[\w.-]+:[\w+/-]+=*(,[\w.-]+:[\w+/-]+=*)*$/, 'must be id:base64, or several of them with commas between')
    .optional(),
  TABIR_SEAL_KEY_FILE: text('must be the path of the file with the seal keys').optional(),
  TABIR_WITHDRAWALS_DIR: text('must name a folder').optional(),
  TABIR_SNAPSHOT_INTERVAL_S: wholeNumber(0, 86_400).default(900),
  TABIR_CASE_RETENTION_DAYS: wholeNumber(1, 36_500).default(365),
  TABIR_AUDIT_KEEP_DAYS: daysToKeep(MIN_AUDIT_DAYS),
  TABIR_WITHDRAWALS_KEEP_DAYS: daysToKeep(MIN_WITHDRAWALS_DAYS),
  TABIR_ERASE_INTERVAL_S: wholeNumber(1, 86_400).default(900),
  TABIR_MAX_IMAGES_PER_CASE: wholeNumber(1, 1_000_000).default(10_000),
  TABIR_MAX_IMAGES_PER_NEW_CASE: wholeNumber(1, 1_000_000).optional(),
  TABIR_MAX_UNATTESTED_HASHES_PER_DAY: wholeNumber(1, 1_000_000_000).optional(),
  TABIR_MAX_SIGNALS_PER_ORG_PER_DAY: wholeNumber(0, 1_000_000_000).default(0),
  TABIR_MAX_WATCHES_PER_ORG: wholeNumber(0, 10_000_000).default(250_000),
  TABIR_PROOF_ROUNDS: wholeNumber(0, 100_000).optional(),
  TABIR_EXTENDED_PROTECTION: z.enum(['on', 'off'], { error: 'must be on or off' }).default('on'),
  TABIR_COUNTRY: countryCode().optional(),
  TABIR_PAGE_EXIT_URL: z
    .string()
    .regex(/^https:\/\/\S+$/, 'must start with https://')
    .default('https://www.wikipedia.org/'),
  TABIR_OPERATOR_NAME: text('must name who runs the service').optional(),
  TABIR_OPERATOR_LINK: link().optional(),
  TABIR_OPERATOR_COUNTRY: countryCode().optional(),
  TABIR_OPERATOR_AUTHORITY: text('must name the authority that takes complaints about the operator').optional(),
  TABIR_PLATFORM_NAMES: names(),
  TABIR_NOTICE_CONTACTS: names(),
  TABIR_PAGE_BANNER: z.string().max(500, 'must have at most 500 characters').default(''),
  TABIR_CONTACT_NAME: text('must name an organisation').optional(),
  TABIR_CONTACT_LINK: link().optional(),
  TABIR_WEBHOOK_ORIGINS: listOf(
    isOrigin,
    'must be origins such as http://10.0.0.5:8000, without user and password, with commas between',
  ),
  TABIR_FETCH_FROM: listOf(
    (text) => text === 'public' || isOrigin(text),
    'must be public, or origins such as https://media.example, without user and password, with commas between',
  ),
  TABIR_EXCHANGES_FILE: text('must be the path of a file').optional(),
  // The running api that the command line and the examples use.
  TABIR_URL: z
    .string()
    .regex(/^https?:\/\/[^\s@]+$/, 'must be the address of an api, such as https://tabir.example')
    .optional(),
  TABIR_API_KEY: z.string().regex(/^\S+$/, 'must be an API key').optional(), // for requests of the command line to a running api
  TABIR_CORS_ORIGINS: listOf(
    (text) => isOrigin(text) && new URL(text).origin === text,
    'must be origins such as https://tools.example, with commas between',
  ),
  TABIR_TRUST_PROXY: z
    .string()
    .transform((text) => (text.trim() === 'none' ? [] : text.split(',').map((part) => part.trim())))
    .refine(
      (parts) => parts.every(isProxyNetwork),
      'must be addresses or networks of proxies, with commas between and none so wide that strangers are in it, or none',
    )
    .optional(),
  TABIR_TLS_CERT: text('must be the path of a file with certificates in PEM').optional(),
  TABIR_TLS_KEY: text('must be the path of a file with a private key in PEM').optional(),
  TABIR_EXPOSURE: z.enum(['private', 'public'], { error: 'must be private or public' }).default('private'),
  TABIR_FEED_DELAY_MINUTES: wholeNumber(0, 1440).default(FEED_DELAY.maxMs / MINUTE_MS),
  TABIR_PROBING: z.enum(PROBING_MODES, { error: `must be one of ${PROBING_MODES.join(', ')}` }).optional(),
  TABIR_GATE_TIERS: z.enum(TIER_NAMES, { error: `must be one of ${TIER_NAMES.join(', ')}` }).default('ngo-attested'),
  TABIR_MAX_QUERIES_PER_ORG_PER_DAY: wholeNumber(0, 1_000_000_000_000).default(0),
  TABIR_TRACES_URL: z
    .string()
    .regex(/^https?:\/\/[^\s@]+$/, 'must be the address of an OTLP collector, such as http://127.0.0.1:4318/v1/traces')
    .optional(),
  TABIR_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      error: 'must be fatal, error, warn, info, debug, trace or silent',
    })
    .default('info'),
  TABIR_LOG_SAMPLE: z
    .string()
    .regex(/^(0?\.\d{1,6}|[01](\.0{1,6})?)$/, 'must be a share from 0 to 1, such as 0.01')
    .transform(Number)
    .default(1),
  TABIR_ENV: z
    .string()
    .regex(/^[a-z]{2,8}$/, 'must be 2 to 8 lowercase letters')
    .default('live'),
})

export type Variable = keyof z.infer<typeof Variables>

/** An origin is scheme, host and port. Longer addresses are refused: the rest, such as a password, would be ignored. */
function isOrigin(text: string): boolean {
  return /^https?:\/\/[^\s/?#@*\\]+$/.test(text) && URL.canParse(text)
}

function text(reason: string) {
  return z.string().regex(/\S/, reason)
}

function link() {
  return z.string().regex(/^(https:\/\/|mailto:|tel:)\S+$/, 'must start with https://, mailto: or tel:')
}

function countryCode() {
  return z.string().regex(/^[A-Z]{2}$/, 'must be a country code of two capital letters')
}

function listOf(isOne: (text: string) => boolean, reason: string) {
  return z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .refine((parts) => parts.every(isOne), reason)
    .default([])
}

function names() {
  return listOf(
    (name) => name.length > 0 && name.length <= 60,
    'must be names of at most 60 characters, with commas between',
  )
}

/** Days to keep records; 0 keeps them for ever. */
function daysToKeep(least: number) {
  const reason = `must be 0 for ever, or a number of days from ${least} to 36500`
  return z
    .string()
    .regex(/^\d{1,5}$/, reason)
    .transform(Number)
    .refine((days) => days === 0 || (days >= least && days <= 36_500), reason)
    .default(400)
}

function wholeNumber(min: number, max: number) {
  const reason = `must be a whole number from ${min} to ${max}`
  return z
    .string()
    .regex(/^\d{1,15}$/, reason)
    .transform(Number)
    .pipe(z.number().min(min, reason).max(max, reason))
}

// What browsers are told to forbid, and not to keep.

/** For every answer of the page. */
const ALWAYS = {
  // Not even the scripts may stay on the device: that they are there would tell that the page was opened.
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'x-robots-tag': 'noindex, noarchive',
} as const

/**
 * Scripts whose hash the page does not name are not loaded, where a browser knows this; elsewhere the integrity of those that
 * are named is checked all the same. It says what a policy with exact hashes would, which old telephones do not understand (decision 0040).
 */
const ONLY_WITH_HASH = { 'integrity-policy': 'blocked-destinations=(script)' } as const

const NO_SCRIPT_FROM_TEXT = "require-trusted-types-for 'script'"

/** A page may load and ask its own origin, and nothing else at all. */
export const PAGE_HEADERS = {
  ...ALWAYS,
  ...ONLY_WITH_HASH,
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    NO_SCRIPT_FROM_TEXT,
    'trusted-types tabir',
  ].join('; '),
  'permissions-policy':
    'camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=(), bluetooth=(), serial=(), browsing-topics=()',
} as const

/** As strict, for the console: it starts no worker, and no text becomes a program by any policy. */
export const CONSOLE_HEADERS = {
  ...PAGE_HEADERS,
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    NO_SCRIPT_FROM_TEXT,
    "trusted-types 'none'",
  ].join('; '),
} as const

/**
 * The worker sees pictures, so it may not connect to anything, its own origin included: `default-src 'none'` without any
 * `connect-src`. A worker that is loaded by an address has the policy of its own answer.
 */
export const WORKER_HEADERS = {
  ...ALWAYS,
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'wasm-unsafe-eval'",
    NO_SCRIPT_FROM_TEXT,
    "trusted-types 'none'",
  ].join('; '),
} as const

export const ASSET_HEADERS = { ...ALWAYS, 'content-security-policy': "default-src 'none'" } as const

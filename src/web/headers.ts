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

const NO_SCRIPT_FROM_TEXT = "require-trusted-types-for 'script'"

/** A page may load and ask its own origin, and nothing else at all. */
export const PAGE_HEADERS = {
  ...ALWAYS,
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

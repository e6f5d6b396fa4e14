// What browsers are told to forbid, beside what every answer says (http/plugins/browser-rules.ts).

/** For every answer of the page. */
const ALWAYS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'x-robots-tag': 'noindex, noarchive',
} as const

/** What alone may run and dress a document, each as `sha384-…` of its content. */
export interface OwnContent {
  readonly script: string
  readonly style: string
}

/** Says the same as the hash of the policy, once more for scripts that name no hash of their own. */
const ONLY_WITH_HASH = { 'integrity-policy': 'blocked-destinations=(script)' } as const

const NO_SCRIPT_FROM_TEXT = "require-trusted-types-for 'script'"

/** What every document is told: one script, one style, and an own origin to show an icon from and to ask. */
function documentPolicy({ script, style }: OwnContent): readonly string[] {
  return [
    "default-src 'none'",
    `script-src '${script}'`,
    `style-src '${style}'`,
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    NO_SCRIPT_FROM_TEXT,
  ]
}

/**
 * A page runs the script with this content, wears the style with this content, and may load and ask its own origin; nothing else at all.
 * Of a script it is the integrity of its element that has to be the hash (CSP 3, external hashes; decision 0040).
 */
export function pageHeaders(own: OwnContent) {
  return documentHeaders([...documentPolicy(own), "worker-src 'self'", 'trusted-types tabir'])
}

/** As strict, for the console: it starts no worker, and no text becomes a program by any policy. */
export function consoleHeaders(own: OwnContent) {
  return documentHeaders([...documentPolicy(own), "trusted-types 'none'"])
}

function documentHeaders(policy: readonly string[]) {
  return {
    ...ALWAYS,
    ...ONLY_WITH_HASH,
    'content-security-policy': policy.join('; '),
    'permissions-policy':
      'camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=(), bluetooth=(), serial=(), browsing-topics=()',
  }
}

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

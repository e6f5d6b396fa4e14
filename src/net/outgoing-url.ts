// Checks whether a request may be sent to a URL. The addresses of its host are checked later, in `outgoing.ts`.

import { isIP } from 'node:net'
import { isPublicAddress } from './address.js'

const MAX_URL_CHARS = 2048

/** Names of the local machine or network (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`). */
const LOCAL_NAMES = /(^|\.)(localhost|local|internal|home\.arpa|onion|test|invalid)$/

/**
 * Origins that the operator configured, such as `https://hma.example:8443` or `http://127.0.0.1:5000`. They may be in private networks and
 * without TLS. Never add an origin that a caller sent.
 */
export type TrustedOrigins = ReadonlySet<string>

/**
 * Parses a URL that somebody wants the service to call.
 *
 * Checks the parsed URL, never the text: `URL` turns `0x7f.1`, `2130706433` and `127.0.0.1.` into `127.0.0.1`, and letters of other scripts
 * into Punycode.
 *
 * @returns the URL without its fragment. `undefined` if it has more than 2048 characters, or a user or password; and, unless its origin is
 * trusted, if it is not https, or its host is not a public address or name.
 */
export function outgoingUrl(text: string, trusted: TrustedOrigins): URL | undefined {
  if (text.length > MAX_URL_CHARS || !URL.canParse(text)) return undefined
  const url = new URL(text)
  url.hash = ''
  if (url.username !== '' || url.password !== '') return undefined
  if (isTrusted(url, trusted)) return url
  return url.protocol === 'https:' && mayBePublic(hostOf(url)) ? url : undefined
}

export function isTrusted(url: URL, trusted: TrustedOrigins): boolean {
  return (url.protocol === 'https:' || url.protocol === 'http:') && trusted.has(url.origin)
}

/** The host of a URL: a name, or an address without brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}

function mayBePublic(host: string): boolean {
  if (isIP(host) !== 0) return isPublicAddress(host)
  const name = host.replace(/\.$/, '') // the dot of the root; a second one would leave an empty label
  return /^[^.]+(\.[^.]+)+$/.test(name) && !LOCAL_NAMES.test(name)
}

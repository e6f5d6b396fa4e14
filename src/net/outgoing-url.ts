// Where a request may go, as far as its URL tells: the rest is decided when its name has become an address.

import { isIP } from 'node:net'
import { isPublicAddress } from './address.js'

const MAX_URL_CHARS = 2048

/** Ends of names that mean something on the machine or in the house only (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`). */
const LOCAL_NAMES = /(^|\.)(localhost|local|internal|home\.arpa|onion|test|invalid)$/

/**
 * Origins that the operator vouches for, `https://hma.example:8443` or `http://127.0.0.1:5000`: they may be anywhere and without
 * TLS. Never what a caller sent.
 */
export type TrustedOrigins = ReadonlySet<string>

/**
 * Reads a URL that somebody wants us to call.
 *
 * What `URL` makes of it counts, never the text: `0x7f.1`, `2130706433` and `127.0.0.1.` have become `127.0.0.1` by then, and
 * other scripts' letters their Punycode.
 *
 * @returns the URL without its fragment; `undefined` unless it is https, without user and password, of at most 2048 characters,
 * and its host is a public address or a name of the public internet; or of a trusted origin.
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

/** An address without its brackets, or a name. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}

function mayBePublic(host: string): boolean {
  if (isIP(host) !== 0) return isPublicAddress(host)
  const name = host.replace(/\.$/, '') // the root's own dot; a second one leaves an empty label
  return /^[^.]+(\.[^.]+)+$/.test(name) && !LOCAL_NAMES.test(name)
}

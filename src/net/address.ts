// IP addresses: their canonical form, the customer that one belongs to, and whether requests may be sent to it.

import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Metadata services of clouds in public address ranges: Azure's. Those of other clouds are in link-local and shared ranges. */
const METADATA_ADDRESSES: readonly string[] = ['168.63.129.16']

/** The only public range of IPv6. All others are local, reserved, or contain an IPv4 address (RFC 4291, RFC 6052). */
const GLOBAL_UNICAST = ipaddr.IPv6.parse('2000::')
const GLOBAL_UNICAST_BITS = 3

/**
 * Whether an address is reachable from the whole internet: not private, shared (RFC 6598), link-local, loopback,
 * multicast, reserved, for documentation, a cloud's metadata service, or an IPv6 form of an IPv4 address.
 *
 * @param address as a resolver or the URL parser writes it. Other forms (octal, hex, a single number, with a zone) count as not public.
 * @see the IANA registries of special-purpose addresses, as `ipaddr.js` has them.
 */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0 || address.includes('%')) return false
  if (METADATA_ADDRESSES.includes(address)) return false
  const parsed = ipaddr.parse(address)
  if (parsed instanceof ipaddr.IPv6 && !parsed.match(GLOBAL_UNICAST, GLOBAL_UNICAST_BITS)) return false
  return parsed.range() === 'unicast'
}

/** Converts an IPv4-mapped IPv6 address, in any notation, to IPv4. Returns any other text unchanged. */
export function plainAddress(address: string): string {
  const parsed = isIP(address) === 6 ? ipaddr.IPv6.parse(address) : undefined
  return parsed?.isIPv4MappedAddress() === true ? parsed.toIPv4Address().toString() : address
}

/**
 * The key by which clients are limited: an IPv4 address, or the first 64 bits of an IPv6 address, because customers choose the other bits
 * themselves. All notations of an address give the same key.
 *
 * A port, which some proxies add to the address that they forward, is ignored, or each connection would get a limit of its own. All invalid
 * addresses share one key, so sending garbage through a proxy gains nothing.
 * @see RFC 6177, RFC 5952
 */
export function customerOf(address: string): string {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\](?::\d{1,5})?|(\d+\.\d+\.\d+\.\d+):\d{1,5})$/.exec(address) ?? []
  const plain = plainAddress(bracketed ?? dotted ?? address)
  const family = isIP(plain)
  if (family !== 6) return family === 4 ? plain : 'no address'
  const { parts } = ipaddr.IPv6.parse(plain)
  return parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')
}

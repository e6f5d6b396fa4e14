// Which addresses of the internet a stranger may send us to.

import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Public by its range, and yet a cloud's own: Azure's virtual machines ask their host there. Others hide in link-local and shared space. */
const METADATA_ADDRESSES: readonly string[] = ['168.63.129.16']

/** What is routed between networks at all. Everything beside it is local, reserved, or has an IPv4 address inside (RFC 4291, RFC 6052). */
const GLOBAL_UNICAST = ipaddr.IPv6.parse('2000::')
const GLOBAL_UNICAST_BITS = 3

/**
 * Whether an address is one that anybody on the internet could reach: not private, shared (RFC 6598), link-local, loopback,
 * multicast, reserved, for documentation, a cloud's metadata service, nor an IPv6 address that stands for an IPv4 one.
 *
 * @param address as a resolver or the URL parser writes it. Other spellings (octal, hex, one number, with a zone) are not public.
 * @see the IANA registries of special-purpose addresses, as `ipaddr.js` has them.
 */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0 || address.includes('%')) return false
  if (METADATA_ADDRESSES.includes(address)) return false
  const parsed = ipaddr.parse(address)
  if (parsed instanceof ipaddr.IPv6 && !parsed.match(GLOBAL_UNICAST, GLOBAL_UNICAST_BITS)) return false
  return parsed.range() === 'unicast'
}

// Addresses: how one is written, which customer it belongs to, and which of them a stranger may send us to.

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

/** An IPv4 address without the prefix that stands for it in IPv6, however that is spelled; any other text as it is. */
export function plainAddress(address: string): string {
  const parsed = isIP(address) === 6 ? ipaddr.IPv6.parse(address) : undefined
  return parsed?.isIPv4MappedAddress() === true ? parsed.toIPv4Address().toString() : address
}

/**
 * What belongs to one customer: an IPv4 address, or the first 64 bits of an IPv6 address, because the rest is the customer's to choose. One address is
 * one customer however it is spelled.
 *
 * Some proxies add a port to the address that they forward: it is left out, or every connection would count as another customer. All text that
 * is no address counts as one customer, so that nobody gains by sending nonsense through a proxy that lets it pass.
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

// Networks in CIDR notation: an address, or an address and a number of bits (RFC 4632, 4291). They restrict API keys and list proxies.

import { BlockList, isIP, isIPv4 } from 'node:net'
import { plainAddress } from './address.js'

export { customerOf } from './address.js'

/** Whether a text is a network: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.7`. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const most = isIPv4(address) ? 32 : 128
  if (isIP(address) === 0 || rest.length > 0 || address.includes('%')) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)
}

/**
 * Whether proxies may be trusted in this network. False for one so wide that strangers are in it: they could write any address into
 * `X-Forwarded-For` and escape all limits.
 */
export function isProxyNetwork(text: string): boolean {
  const [address = '', bits] = text.split('/')
  if (!isNetwork(text) || /^::ffff:/i.test(address)) return false // `::ffff:0:0/96` would be all of IPv4
  return bits === undefined || Number(bits) >= minProxyBits(address)
}

/** The smallest prefix length. All private ranges are allowed (RFC 1918, RFC 4193). */
function minProxyBits(address: string): number {
  if (isIPv4(address)) return 8
  return /^f[cd]/i.test(address) ? 7 : 16
}

/**
 * Whether an address is in one of the networks.
 * @param networks as `isNetwork` accepts them. Its parsed form is cached by this array object, so a request costs one look-up.
 */
export function isWithin(networks: readonly string[], address: string): boolean {
  const list = lists.get(networks) ?? listOf(networks)
  lists.set(networks, list)
  const plain = plainAddress(address)
  const family = isIP(plain)
  return family !== 0 && list.check(plain, family === 4 ? 'ipv4' : 'ipv6')
}

const lists = new WeakMap<readonly string[], BlockList>()

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    list.addSubnet(address, bits === undefined ? (family === 'ipv4' ? 32 : 128) : Number(bits), family)
  }
  return list
}

// Networks that a key may be used from, as operators write them: an address, or an address and a number of bits (RFC 4632, 4291).

import { BlockList, isIP, isIPv4 } from 'node:net'

/** Is this a network that can be told from others? `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.7`. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const most = isIPv4(address) ? 32 : 128
  if (isIP(address) === 0 || rest.length > 0 || address.includes('%')) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)
}

/** @param networks as `isNetwork` takes them. Kept for as long as the list is, so that a request pays for one look-up. */
export function isWithin(networks: readonly string[], address: string): boolean {
  const list = lists.get(networks) ?? listOf(networks)
  lists.set(networks, list)
  const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address // as a socket for both families has it
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

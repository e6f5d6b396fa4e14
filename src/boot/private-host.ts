// The private listener gives pictures to whoever has a ticket. Without TLS it must not stand where the internet reaches it.

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isPublicAddress, plainAddress } from '../net/address.js'

export interface HostParts {
  /** The addresses of a name. */
  readonly resolve: (host: string) => Promise<readonly string[]>
  /** The addresses of this host, which a wildcard listens on. */
  readonly own: () => readonly string[]
}

const THIS_HOST: HostParts = {
  resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  own: () => Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address)),
}

/** @throws {Error} for the operator to read, when a listener at this host would have a public address. */
export async function refusePublicHost(variable: string, host: string, { resolve, own } = THIS_HOST): Promise<void> {
  const isWildcard = host === '0.0.0.0' || host === '::'
  const addresses = isWildcard ? own() : isIP(host) === 0 ? await resolve(host) : [host]
  if (!addresses.some((address) => isPublicAddress(plainAddress(address)))) return
  const where = isWildcard ? 'listens on every address of this host, and one of them is public' : 'is a public address'
  throw new Error(
    `${variable} ${where}. Pictures in flight pass there without TLS: give it an address of a private network, or a certificate (TABIR_HANDOFF_TLS_CERT, TABIR_HANDOFF_TLS_KEY).`,
  )
}

/** Is it a host that no other machine reaches? */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(plainAddress(host))
}

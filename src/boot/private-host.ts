// The private listener gives a picture to every caller with its ticket. Without TLS it must not have a public address.

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isPublicAddress, plainAddress } from '../net/address.js'

export interface HostParts {
  /** @returns the addresses of a host name. */
  readonly resolve: (host: string) => Promise<readonly string[]>
  /** @returns the addresses of this host, all of which a wildcard listens on. */
  readonly own: () => readonly string[]
}

const THIS_HOST: HostParts = {
  resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  own: () => Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address)),
}

/** @throws {Error} for the operator, if a listener at this host would have a public address */
export async function refusePublicHost(variable: string, host: string, { resolve, own } = THIS_HOST): Promise<void> {
  const isWildcard = host === '0.0.0.0' || host === '::'
  const addresses = isWildcard ? own() : isIP(host) === 0 ? await resolve(host) : [host]
  if (!addresses.some((address) => isPublicAddress(plainAddress(address)))) return
  const where = isWildcard ? 'listens on every address of this host, and one of them is public' : 'is a public address'
  throw new Error(
    `${variable} ${where}. Pictures in flight pass there without TLS: give it an address of a private network, or a certificate (TABIR_HANDOFF_TLS_CERT, TABIR_HANDOFF_TLS_KEY).`,
  )
}

/** Whether no other machine can reach this host name or address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(plainAddress(host))
}

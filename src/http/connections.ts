// Limits the connections of the server. Each costs a file descriptor and memory before its client is authenticated.

import type { Server } from 'node:http'
import { customerOf, isWithin } from '../net/networks.js'

export interface ConnectionLimits {
  /** Maximum over all addresses. */
  readonly connections: number
  /** Maximum per address, or per IPv6 network of 64 bits. */
  readonly connectionsOfAddress: number
  /** Not limited by address, since all clients connect through them. */
  readonly trustedProxies: readonly string[]
}

/** From this share of the total on, idle keep-alive connections are closed, at most once per `RELIEF_INTERVAL_MS`. */
const PRESSURE = 0.9
const RELIEF_INTERVAL_MS = 1000

/**
 * Closes a new connection that exceeds these limits. The address is that of the socket: no header can change it.
 *
 * Cost: one look-up in a map for each connection, none for a request.
 */
export function limitConnections(server: Server, limits: ConnectionLimits): void {
  const { connections, connectionsOfAddress, trustedProxies } = limits
  const held = new Map<string, number>()
  let total = 0
  let relievedAtMs = Number.NEGATIVE_INFINITY
  server.maxConnections = connections

  server.on('connection', (socket) => {
    const address = socket.remoteAddress
    if (address === undefined) return void socket.destroy() // already closed by its peer
    total += 1
    socket.once('close', () => {
      total -= 1
    })
    if (total >= PRESSURE * connections && performance.now() - relievedAtMs >= RELIEF_INTERVAL_MS) {
      relievedAtMs = performance.now()
      server.closeIdleConnections()
    }
    if (isWithin(trustedProxies, address)) return
    const customer = customerOf(address)
    const count = (held.get(customer) ?? 0) + 1
    if (count > connectionsOfAddress) return void socket.destroy()
    held.set(customer, count)
    socket.once('close', () => {
      const left = (held.get(customer) ?? 1) - 1
      if (left === 0) held.delete(customer)
      else held.set(customer, left)
    })
  })
}

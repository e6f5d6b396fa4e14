// Ports for programs that cannot choose their own.

import { createServer, type Server } from 'node:net'

/** Below the ports that a system assigns by itself, so no other process gets one between the check that it is free and its use. */
const FROM = 10_000
const TO = 30_000

/** Distinct free ports of this machine. */
export async function freePorts(count: number): Promise<number[]> {
  const held: { readonly port: number; readonly server: Server }[] = []
  while (held.length < count) {
    const port = FROM + Math.floor(Math.random() * (TO - FROM))
    const server = await holding(port)
    if (server !== undefined) held.push({ port, server })
  }
  for (const { server } of held) server.close()
  return held.map(({ port }) => port)
}

/** @returns `undefined` if the port is in use. */
function holding(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

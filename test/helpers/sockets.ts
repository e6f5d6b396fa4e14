// Clients that do not finish their requests.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Multipart } from './multipart.js'

export async function listen(app: FastifyInstance): Promise<number> {
  return Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
}

/** Declares the length of the whole body and sends its first bytes. @returns the socket, once these are sent. */
export async function beginUpload(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
  { payload, headers: { 'content-type': contentType } }: Multipart,
  sentBytes = payload.length,
): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  const lines = Object.entries({
    host: 'localhost',
    connection: 'close',
    'content-type': contentType,
    'content-length': payload.length,
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`)
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  if (!socket.write(payload.subarray(0, sentBytes))) await once(socket, 'drain')
  return socket
}

/** Everything received until the server closes the connection. */
export async function readAll(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

/** The number of open connections of a server. */
export function connectionsOf(app: FastifyInstance): Promise<number> {
  return new Promise((resolve, reject) => {
    app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
  })
}

// The private listener: sends a waiting image or video to the worker that has its ticket, and receives the hashes. It has no other routes.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { ServerCertificate } from '../net/certificate.js'
import { createPrivateServer } from '../net/private-line.js'
import { isForOthers } from './for-others.js'
import { parseWorkersAnswer } from './message.js'
import type { PendingImages } from './pending-images.js'
import type { PendingVideos } from './pending-videos.js'
import { serveVideo, VIDEOS_PATH } from './video-listener.js'

export interface HandoffListener {
  /** The address that jobs name: `http://host:port`, or `https:` with a certificate. */
  readonly url: string
  close(): Promise<void>
}

const MAX_ANSWER_BYTES = 1 << 20
/**
 * A host that lost its network does not close its connections. After this long without data the kernel probes the peer ten times, a second apart
 * (Node's defaults). If it does not answer, the connection closes, and pictures that were claimed over it fail within about 11 of the 30 seconds that
 * they may take.
 */
const ASKED_AFTER_MS = 1000

/**
 * GET /<ticket> → 200 with the image, once; 410 afterwards; 409 when it waits for a worker whose answers this version reads.
 * PUT /<ticket> → 204 when a request waited for the answer; 410 when none does any more; 400 when it is not an answer; 413 when it is too long.
 * Paths below /videos/: see `serveVideo`.
 *
 * @param options.host an address that only workers can reach.
 * @param options.certificate for TLS; plain HTTP without one.
 * @param options.announcedHost the name that workers use when `host` is a wildcard.
 */
export async function listenForWorkers(
  pendingImages: PendingImages,
  options: {
    readonly host: string
    readonly port: number
    readonly announcedHost: string
    readonly certificate?: ServerCertificate | undefined
  },
  pendingVideos?: PendingVideos,
): Promise<HandoffListener> {
  const taken = takenOver(pendingImages)
  const server = createPrivateServer(options.certificate, (request, response) => {
    const isVideo = pendingVideos !== undefined && request.url?.startsWith(VIDEOS_PATH) === true
    const served = isVideo ? serveVideo(pendingVideos, request, response) : serve(pendingImages, taken, request, response)
    served.catch(() => response.destroy())
  })
  server.keepAliveTimeout = 60_000
  server.on('connection', (socket: Socket) => socket.setKeepAlive(true, ASKED_AFTER_MS))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => resolve())
  })
  const { port } = addressOf(server.address())
  const host = options.announcedHost.includes(':') ? `[${options.announcedHost}]` : options.announcedHost
  return {
    url: `${options.certificate === undefined ? 'http' : 'https'}://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/**
 * A worker keeps the connection over which it claimed a picture open for longer than a picture may take. So if it closes, the worker has died, and
 * the pictures that it claimed over this connection fail.
 * @returns a function that notes a claim.
 */
function takenOver(pendingImages: PendingImages): (socket: Socket, ticket: string) => void {
  const tickets = new WeakMap<Socket, Set<string>>()
  return (socket, ticket) => {
    const known = tickets.get(socket)
    const claimed = known ?? new Set()
    for (const other of claimed) if (!pendingImages.isTaken(other)) claimed.delete(other)
    claimed.add(ticket)
    if (known !== undefined) return
    tickets.set(socket, claimed)
    socket.once('close', () => {
      for (const other of claimed) pendingImages.fail(other)
    })
  }
}

async function serve(
  pendingImages: PendingImages,
  taken: ReturnType<typeof takenOver>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const ticket = (request.url ?? '').slice(1)
  if (request.method === 'GET') {
    if (isForOthers(request, pendingImages, ticket)) return end(response, 409)
    if (give(pendingImages, ticket, response)) taken(request.socket, ticket)
  } else if (request.method === 'PUT') {
    end(response, await receive(pendingImages, ticket, request))
  } else end(response, 405)
}

/** @returns whether there was an image to send. */
function give(pendingImages: PendingImages, ticket: string, response: ServerResponse): boolean {
  const image = pendingImages.claim(ticket)
  if (image === undefined) {
    end(response, 410)
    return false
  }
  response.on('close', () => pendingImages.wipe(ticket)) // sent or broken off: it is not sent again
  const sizeBytes = image.reduce((sum, piece) => sum + piece.length, 0)
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': sizeBytes })
  response.cork() // all pieces in one write
  for (const piece of image) response.write(piece)
  response.uncork()
  response.end()
  return true
}

async function receive(pendingImages: PendingImages, ticket: string, request: IncomingMessage): Promise<number> {
  const text = await readText(request)
  if (text === undefined) return 413
  try {
    return pendingImages.answer(ticket, parseWorkersAnswer(text)) ? 204 : 410
  } catch {
    return 400
  }
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 }).end()
}

async function readText(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) throw new Error('a request without an encoding yields Buffers')
    sizeBytes += chunk.length
    if (sizeBytes > MAX_ANSWER_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('a TCP listener has a port')
  return address
}

// The worker's side of the hand-off: a client of the private listener.

import type { IncomingMessage } from 'node:http'
import { MESSAGE_VERSION, UnknownVersion } from '../domain/message-version.js'
import { createPrivateClient, type LineClient } from '../net/private-line.js'
import { VERSION_HEADER } from './for-others.js'
import { formatAnswer, type HandoffAnswer } from './message.js'
import { formatVideoAnswer, type VideoHandoffAnswer } from './video-answers.js'
import { VIDEO_SIZE_HEADER, VIDEOS_PATH } from './video-listener.js'

export interface HandoffVisit {
  /**
   * @returns the image in the pieces it arrived in, which the caller overwrites; `undefined` when it no longer waits.
   * @throws {UnknownVersion} when it waits for a worker of another version. Also by `takeVideo`.
   */
  take(handoffUrl: string, ticket: string): Promise<readonly Buffer[] | undefined>
  /** @returns whether a request still waited for the answer. */
  answer(handoffUrl: string, ticket: string, answer: HandoffAnswer): Promise<boolean>
  /**
   * @param onChunk called with each piece as it arrives.
   * @returns a video, which the caller overwrites and releases; `undefined` when it no longer waits.
   */
  takeVideo(handoffUrl: string, ticket: string, onChunk: (chunk: Buffer) => void): Promise<TakenVideo | undefined>
  /** As `answer`. */
  answerVideo(handoffUrl: string, ticket: string, answer: VideoHandoffAnswer): Promise<boolean>
  close(): void
}

export interface TakenVideo {
  readonly pieces: readonly Buffer[]
  /** Aborted when no request waits for the answer any more. */
  readonly disconnected: AbortSignal
  /** Closes the connection. Call it if no answer will be sent. */
  release(): void
}

const TIMEOUT_MS = 10_000
const HEADERS = { [VERSION_HEADER]: MESSAGE_VERSION }
/** The picture or video waits for a worker of another version. */
const FOR_OTHERS = 409

/** Creates the client. @param line the protocol and HTTP client to use; plain HTTP by default. Addresses with another protocol are refused. */
export function visitHandoffs({ protocol, agent, request }: LineClient = createPrivateClient(undefined)): HandoffVisit {
  const open = (
    method: 'GET' | 'PUT',
    url: string,
    onAnswer: (response: IncomingMessage) => void,
    onError: (error: Error) => void,
  ) => {
    if (!url.startsWith(`${protocol}//`)) throw new Error('the hand-off address has another protocol than configured')
    const outgoing = request(url, { method, agent, headers: HEADERS, timeout: TIMEOUT_MS }, onAnswer)
    outgoing.on('timeout', () => outgoing.destroy(new Error('hand-off timed out')))
    outgoing.on('error', onError)
    return outgoing
  }
  const send = (method: 'GET' | 'PUT', url: string, body?: string) =>
    new Promise<{ status: number; body: readonly Buffer[] }>((resolve, reject) => {
      const onAnswer = (response: IncomingMessage) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', (error) => {
          for (const chunk of chunks) chunk.fill(0)
          reject(error)
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: chunks }))
      }
      open(method, url, onAnswer, reject).end(body)
    })

  return {
    async take(handoffUrl, ticket) {
      const { status, body } = await send('GET', `${handoffUrl}/${ticket}`)
      if (status === FOR_OTHERS) throw new UnknownVersion()
      return status === 200 ? body : undefined
    },
    async answer(handoffUrl, ticket, answer) {
      const { status } = await send('PUT', `${handoffUrl}/${ticket}`, formatAnswer(answer))
      return status === 204
    },
    takeVideo(handoffUrl, ticket, onChunk) {
      return new Promise((resolve, reject) => {
        const onAnswer = (response: IncomingMessage) => {
          if (response.statusCode === 200) takeVideo(response, onChunk).then(resolve, reject)
          else
            response.resume().on('end', () => {
              if (response.statusCode === FOR_OTHERS) reject(new UnknownVersion())
              else resolve(undefined)
            })
        }
        open('GET', handoffUrl + VIDEOS_PATH + ticket, onAnswer, reject).end()
      })
    },
    async answerVideo(handoffUrl, ticket, answer) {
      const { status } = await send('PUT', handoffUrl + VIDEOS_PATH + ticket, [...formatVideoAnswer(answer)].join(''))
      return status === 204
    },
    close: () => agent.destroy(),
  }
}

/** Reads the video, then watches whether the connection closes. */
function takeVideo(response: IncomingMessage, onChunk: (chunk: Buffer) => void): Promise<TakenVideo> {
  const sizeBytes = Number(response.headers[VIDEO_SIZE_HEADER])
  const disconnected = new AbortController()
  const pieces: Buffer[] = []
  let readBytes = 0
  return new Promise((resolve, reject) => {
    response.on('data', (chunk: Buffer) => {
      onChunk(chunk)
      pieces.push(chunk)
      readBytes += chunk.length
      if (readBytes !== sizeBytes) return
      response.socket.setTimeout(0) // nothing more is sent while it is hashed
      response.socket.setKeepAlive(true, KEEP_ALIVE_MS)
      resolve({ pieces, disconnected: disconnected.signal, release: () => response.destroy() })
    })
    response.on('error', () => {}) // 'close' follows
    response.on('close', () => {
      disconnected.abort()
      if (readBytes === sizeBytes) return
      for (const piece of pieces) piece.fill(0)
      reject(new Error('the hand-off broke off'))
    })
  })
}

/** After this long without data the kernel probes whether the api still answers. */
const KEEP_ALIVE_MS = 10_000

// A kept-alive connection to an api with as little work as possible: requests are prepared bytes, and only status and length of an answer are read. One
// request is in flight at a time.

import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { isRefusal } from './queries.mjs'

const END_OF_HEAD = '\r\n\r\n'
const ASKED_AGAIN_AFTER_MS = 20
const LENGTH = '\r\ncontent-length: '

/** @returns `request(bytes)`, which gives `{ status, body, retryAfterS }`; `write` for a request whose rest is still to come; `close`. */
export async function openConnection(port) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  let waiting
  let chunks = []
  let have = 0
  let head // once it is there: { status, from, to }, the place of the body

  socket.on('data', (chunk) => {
    chunks.push(chunk)
    have += chunk.length
    if (head === undefined) {
      chunks = [chunks.length === 1 ? chunk : Buffer.concat(chunks)]
      head = readHead(chunks[0])
    }
    if (head === undefined || have < head.to) return
    const { status, from, to, retryAfterS } = head
    const all = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
    const answered = waiting
    waiting = undefined
    head = undefined
    chunks = []
    have = 0
    answered?.resolve({ status, body: all.subarray(from, to), retryAfterS })
  })
  const fail = (error) => waiting?.reject(error)
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('an api hung up')))

  const answer = () =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject }
    })
  return {
    /** The api closes a connection that was idle for long. */
    get isOpen() {
      return !socket.destroyed
    },
    request(bytes) {
      if (socket.destroyed) return Promise.reject(new Error('an api hung up'))
      const answered = answer()
      socket.write(bytes)
      return answered
    },
    answer,
    write: (bytes) => socket.write(bytes),
    get unsentBytes() {
      return socket.writableLength
    },
    close: () => socket.destroy(),
  }
}

/** The bytes of a request: without a body for `undefined`, only the head of a stream for `chunked`. */
export function requestBytes(method, path, key, body, type = 'application/json') {
  const lines = [`${method} ${path} HTTP/1.1`, 'host: 127.0.0.1', `authorization: Bearer ${key}`]
  if (body !== undefined) lines.push(`content-type: ${type}`)
  if (body === 'chunked') lines.push('transfer-encoding: chunked')
  else if (body !== undefined) lines.push(`content-length: ${Buffer.byteLength(body)}`)
  return Buffer.from(`${lines.join('\r\n')}${END_OF_HEAD}${body === undefined || body === 'chunked' ? '' : body}`)
}

/** Asks again while the api cannot answer, as beside much other work. @returns the answer; when it was asked last; and how often it was refused. */
export async function untilAnswered(connection, bytes) {
  for (let refused = 0; ; refused++) {
    const sentAtMs = performance.now()
    const answer = await connection.request(bytes)
    if (!isRefusal(answer.status)) return { ...answer, sentAtMs, refused }
    await sleep(ASKED_AGAIN_AFTER_MS)
  }
}

/** @returns the answer's JSON, of the first that is no refusal. @throws {Error} when it is not the status that was expected. */
export async function json(connection, bytes, expected = 200) {
  const { status, body } = await untilAnswered(connection, bytes)
  const text = body.toString()
  if (status !== expected) throw new Error(`answered ${status}: ${text.slice(0, 500)}`)
  return text === '' ? undefined : JSON.parse(text)
}

function readHead(bytes) {
  const end = bytes.indexOf(END_OF_HEAD)
  if (end < 0) return undefined
  const head = bytes.latin1Slice(0, end).toLowerCase()
  const at = head.indexOf(LENGTH)
  const length = at < 0 ? 0 : Number.parseInt(head.slice(at + LENGTH.length), 10)
  const from = end + END_OF_HEAD.length
  const retryAfterS = /\r\nretry-after: (\d+)/.exec(head)?.[1]
  return { status: Number(head.slice(9, 12)), from, to: from + length, retryAfterS }
}

// A copy of everything that Redis holds at one moment, as its replicas are given it: an RDB file.

import { connectForRequests, type RedisTarget } from '../redis/client.js'

const SILENT_AFTER_MS = 60_000
const MAX_HEAD_BYTES = 1024

/**
 * Yields the file in pieces. Redis forks and sends it without writing it to its disk, where it would stay: what is withdrawn later would stay in it.
 * A Redis that does not send without a disk (`repl-diskless-sync no`) writes it there first. Meanwhile it goes on answering.
 *
 * @throws {Error} when Redis is unavailable, does not allow it (hosted ones do not) or ends in the middle.
 */
export async function* copyRdb(target: RedisTarget): AsyncGenerator<Buffer, void, void> {
  const redis = connectForRequests(target)
  try {
    await redis.connect()
    // From here on the line speaks another language: its bytes are ours, and not the client's to understand.
    const { stream } = redis
    stream.removeAllListeners('data')
    stream.setTimeout(SILENT_AFTER_MS, () => stream.destroy(new Error('Redis has been silent for a minute.')))
    // Whatever the answer: a Redis that does not know it, or forbids it, writes the file to its disk. SYNC has to wait for it.
    stream.write('REPLCONF capa eof\r\n')
    let isAsked = false
    let head: Buffer = Buffer.alloc(0)
    let take: ((chunk: Buffer) => Taken) | undefined
    for await (const chunk of stream) {
      if (!Buffer.isBuffer(chunk)) throw new Error('a socket without an encoding yields Buffers')
      let rest = chunk
      if (take === undefined) {
        head = Buffer.concat([head, chunk])
        if (!isAsked) {
          if (!head.includes('\n')) continue
          stream.write('SYNC\r\n')
          isAsked = true
          head = Buffer.alloc(0)
          continue
        }
        const found = headIn(head)
        if (found === undefined) continue
        take = typeof found.ends === 'number' ? untilSize(found.ends) : untilMark(found.ends)
        rest = head.subarray(found.headBytes)
      }
      // What comes behind is the stream of changes, which a copy of one moment has no use for.
      const { piece, isLast } = take(rest)
      if (piece.length > 0) yield piece
      if (isLast) return
    }
    throw new Error('Redis ended the copy before it was whole.')
  } finally {
    redis.disconnect()
  }
}

interface Taken {
  readonly piece: Buffer
  readonly isLast: boolean
}

function untilSize(sizeBytes: number): (chunk: Buffer) => Taken {
  let leftBytes = sizeBytes
  return (chunk) => {
    const piece = chunk.subarray(0, leftBytes)
    leftBytes -= piece.length
    return { piece, isLast: leftBytes === 0 }
  }
}

/** @param mark what Redis drew for this copy and sends behind it. */
function untilMark(mark: Buffer): (chunk: Buffer) => Taken {
  let held: Buffer = Buffer.alloc(0) // may be the beginning of the mark
  return (chunk) => {
    const all = Buffer.concat([held, chunk])
    const at = all.indexOf(mark)
    if (at >= 0) return { piece: all.subarray(0, at), isLast: true }
    const sure = Math.max(0, all.length - mark.length + 1)
    held = all.subarray(sure)
    return { piece: all.subarray(0, sure), isLast: false }
  }
}

/** Line ends while Redis prepares the file; then `$` and its size, or `$EOF:` and the mark that ends it. */
function headIn(bytes: Buffer): { readonly headBytes: number; readonly ends: number | Buffer } | undefined {
  const text = bytes.subarray(0, MAX_HEAD_BYTES).toString('latin1')
  const found = /^(?:\+[^\n]*|[\r\n])*\$(?:EOF:([0-9a-f]{40})|(\d+))\r\n/.exec(text)
  if (found !== null) {
    const [head, mark, size] = found
    return { headBytes: head.length, ends: mark === undefined ? Number(size) : Buffer.from(mark, 'latin1') }
  }
  const refusal = /^[\r\n]*-(\S+)/.exec(text)
  if (refusal !== null) throw new Error(`Redis does not give a copy of its data: ${refusal[1]}.`)
  return undefined
}

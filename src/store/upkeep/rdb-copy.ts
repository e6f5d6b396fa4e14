// Copies all data of Redis at one moment as an RDB file, with the protocol of replicas.

import { connectForRequests, type RedisTarget } from '../redis/client.js'

const SILENT_AFTER_MS = 60_000
const MAX_HEAD_BYTES = 1024

/**
 * Yields the file in pieces. Redis forks and continues to answer. It sends the file without storing it: a stored file would keep data that is
 * withdrawn later. Only with `repl-diskless-sync no` does it write the file to its disk first.
 *
 * @throws {Error} when Redis is unavailable, does not permit it (hosted ones do not), is silent for a minute or stops early.
 */
export async function* copyRdb(target: RedisTarget): AsyncGenerator<Buffer, void, void> {
  const redis = connectForRequests(target)
  try {
    await redis.connect()
    // From here on the connection speaks the replication protocol: take its bytes away from the client.
    const { stream } = redis
    stream.removeAllListeners('data')
    stream.setTimeout(SILENT_AFTER_MS, () => stream.destroy(new Error('Redis has been silent for a minute.')))
    // The answer does not matter: a Redis that does not know or permit this writes the file to its disk. SYNC must wait for the answer.
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
      // After the file comes the replication stream, which a copy does not need.
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

/** @param mark 40 random characters that Redis chose for this copy and sends after it. */
function untilMark(mark: Buffer): (chunk: Buffer) => Taken {
  let held: Buffer = Buffer.alloc(0) // the end of the last chunk: the mark may begin in it
  return (chunk) => {
    const all = Buffer.concat([held, chunk])
    const at = all.indexOf(mark)
    if (at >= 0) return { piece: all.subarray(0, at), isLast: true }
    const sure = Math.max(0, all.length - mark.length + 1)
    held = all.subarray(sure)
    return { piece: all.subarray(0, sure), isLast: false }
  }
}

/** Parses what precedes the file: line ends while Redis prepares it, then `$<size>` or `$EOF:<mark>`. @returns undefined when incomplete. */
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

// A copy of everything that Redis holds at one moment, as its replicas are given it: an RDB file.

import { connectForRequests, type RedisTarget } from '../redis/client.js'

const SILENT_AFTER_MS = 60_000
const MAX_HEAD_BYTES = 1024

/**
 * Yields the file in pieces. Redis forks and writes it to its disk first; meanwhile it goes on answering.
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
    stream.write('SYNC\r\n')
    let head = Buffer.alloc(0)
    let leftBytes: number | undefined
    for await (const chunk of stream) {
      if (!Buffer.isBuffer(chunk)) throw new Error('a socket without an encoding yields Buffers')
      let rest = chunk
      if (leftBytes === undefined) {
        head = Buffer.concat([head, chunk])
        const found = headIn(head)
        if (found === undefined) continue
        leftBytes = found.sizeBytes
        rest = head.subarray(found.headBytes)
      }
      // What comes behind is the stream of changes, which a copy of one moment has no use for.
      const piece = rest.subarray(0, leftBytes)
      leftBytes -= piece.length
      if (piece.length > 0) yield piece
      if (leftBytes === 0) return
    }
    throw new Error('Redis ended the copy before it was whole.')
  } finally {
    redis.disconnect()
  }
}

/** Line ends while Redis writes the file, then `$` and its size. */
function headIn(bytes: Buffer): { readonly headBytes: number; readonly sizeBytes: number } | undefined {
  const text = bytes.subarray(0, MAX_HEAD_BYTES).toString('latin1')
  const found = /^(?:\+[^\n]*|[\r\n])*\$(\d+)\r\n/.exec(text)
  if (found !== null) return { headBytes: found[0].length, sizeBytes: Number(found[1]) }
  const refusal = /^[\r\n]*-(\S+)/.exec(text)
  if (refusal !== null) throw new Error(`Redis does not give a copy of its data: ${refusal[1]}.`)
  return undefined
}

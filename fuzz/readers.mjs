// Reads damaged import files and feed pages until the time is over, and two gzip bombs of 5 GB, whose memory it measures.
//
//   npm run fuzz readers [-- --minutes 10] [--seed 1]
//
// The status is 1 after the first finding, whose seed is printed, or when a bomb is not stopped or takes too much memory.

import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { readPlain } from '../dist/src/exchange/signal-lines.js'
import { readLines } from '../dist/src/exchange/text-lines.js'
import { unpacked } from '../dist/src/exchange/unpack.js'
import { chanceFrom } from '../dist/test/fuzz/chance.js'
import { fuzzReaders } from '../dist/test/fuzz/readers.js'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: String(Date.now() % 1_000_000) } },
})
const BOMB_BYTES = 5e9
const MAX_GROWTH_BYTES = 128 << 20
const ROUND_MS = 20_000
const MIB = 1 << 20

// Only zeros: a thousand times smaller when compressed.
const zeros = gzipSync(Buffer.alloc(64 * MIB), { level: 9 })
// Lines that compress just below the limit, so all of them have to be read. A gzip file may have several members.
const lines = Array.from({ length: 1000 }, () => `pdq ${randomBytes(30).toString('hex')}${'0'.repeat(1500)}\n`).join('')
const packedLines = gzipSync(lines)

await bomb('zeros', zeros, 64 * MIB, 'body-too-large')
await bomb('lines', packedLines, Buffer.byteLength(lines), undefined)

const endMs = performance.now() + 60_000 * Number(values.minutes)
let all = 0
for (let seed = Number(values.seed); performance.now() < endMs; seed++) {
  const { tried, finds } = await fuzzReaders(chanceFrom(seed), Math.min(endMs, performance.now() + ROUND_MS))
  all += tried
  if (finds.length === 0) continue
  console.error(`seed ${seed}: ${finds.join('\n')}`)
  process.exit(1)
}
console.log(`${all} files and pages, nothing found`)

/** Members of a gzip file, generated while they are read, until they would unpack to 5 GB. */
async function bomb(name, member, plainBytes, expected) {
  const sent = { bytes: 0 }
  async function* members() {
    for (let plain = 0; plain < BOMB_BYTES; plain += plainBytes) {
      for (let at = 0; at < member.length; at += 65_536) {
        const piece = member.subarray(at, at + 65_536)
        sent.bytes += piece.length
        yield piece
      }
    }
  }
  global.gc?.()
  const before = process.memoryUsage().rss
  let most = before
  let read = 0
  let refused = 0
  let stoppedBy
  const startedAt = performance.now()
  try {
    for await (const some of readLines(counted())) {
      for (const { text } of some) if (text === undefined || readPlain(text).kind === 'rejected') refused++
    }
  } catch (error) {
    stoppedBy = error.code
  }
  async function* counted() {
    for await (const chunk of unpacked(members())) {
      read += chunk.length
      most = Math.max(most, process.memoryUsage.rss())
      yield chunk
    }
  }
  const growth = most - before
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(
    `${name}: ${(sent.bytes / MIB).toFixed(1)} MiB packed, ${(read / 1e9).toFixed(2)} GB unpacked, ${refused} lines refused, stopped by ${stoppedBy ?? 'its end'} after ${seconds} s; memory grew by ${(growth / MIB).toFixed(0)} MiB`,
  )
  if (stoppedBy === expected && growth < MAX_GROWTH_BYTES) return
  console.error(`${name}: expected ${expected ?? 'its end'}, and less than ${MAX_GROWTH_BYTES / MIB} MiB`)
  process.exit(1)
}

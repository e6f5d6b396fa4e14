// Files of lines that cost the store nothing: their sender must not occupy the event loop.

import { Readable } from 'node:stream'
import t from 'tap'
import { readLines } from '../../src/exchange/text-lines.js'
import { readNdjson } from '../../src/http/ndjson.js'
import { createImports } from '../../src/services/intake/imports.js'
import { createEventLoopScheduler, LOOP } from '../../src/services/load/event-loop-scheduler.js'

const LINES = 10_000
const US_PER_LOOK = 50

/** A loop whose clock advances with each look at it, as if each line took that long. */
function loop() {
  let us = 0
  let rotated = 0
  const now = () => {
    us += US_PER_LOOK
    return us / 1000
  }
  const scheduler = createEventLoopScheduler(LOOP, now, (callback) => {
    rotated++
    setImmediate(callback)
  })
  return { scheduler, rotated: () => rotated }
}

const oneChunk = (line: string) => Readable.from([Buffer.from(line.repeat(LINES))], { objectMode: false })

const LIST = { name: 'list', purpose: 'match', orgId: 'org', thresholdBits: {}, createdAtMs: 0 } as const
const NOTHING = { removed: 0, revision: 0, invalidatedAt: new Set<number>(), absentAt: new Set<number>() }

t.test('other requests get their turn while one chunk of unusable lines is read', async (t) => {
  for (const line of ['\n', '#\n', 'x\n']) {
    const { scheduler, rotated } = loop()
    const imports = createImports({
      imports: {
        claim: async () => undefined,
        checkpoint: async () => true,
        get: async () => undefined,
        runOf: () => ({ key: '', writer: '' }),
        notes: async () => [],
        list: async () => ({ imports: [], next: undefined }),
      },
      registration: { changeBank: async () => NOTHING, settled: async () => {} },
      scheduler,
      secret: Buffer.alloc(32),
      now: () => 0,
    })
    const { progress } = await imports.take(LIST, undefined, oneChunk(line), async () => {})
    t.equal(progress.lines, LINES)
    t.ok(rotated() > 200, `${JSON.stringify(line)} in a file: ${rotated()} turns`)

    const other = loop()
    for await (const _ of readNdjson(oneChunk(line), other.scheduler.yielder())) {
      // a line that is no signal is refused without an await
    }
    t.ok(other.rotated() > 200, `${JSON.stringify(line)} as NDJSON: ${other.rotated()} turns`)
  }
})

t.test('a chunk is handed out a few lines at a time', async (t) => {
  let read = 0
  for await (const lines of readLines(oneChunk('\n'))) {
    read += lines.length
    t.ok(lines.length <= 128, `${lines.length} at once`)
    if (read > 2000) break
  }
  t.ok(read > 2000)
})

import { t } from 'tap'
import {
  BANDS,
  createEngine,
  ENTRY_BYTES,
  KERNEL_NAME,
  MAX_REACH,
  OFFSETS_BYTES,
  scratch,
} from '../../packages/core/src/search/engine.js'

t.test('the kernel and its callers agree on their constants', async (t) => {
  t.equal(BANDS, 16)
  t.equal(MAX_REACH, 6)
  t.equal(ENTRY_BYTES, 6, 'a fragment of two bytes, and four for the row number and more of the fragment')
  t.ok(OFFSETS_BYTES >= 65_537 * 4, 'the start of each of 65,536 buckets, and the end of the last')
  t.equal(scratch.maxNeedles, 64)
  t.equal(scratch.hitsAt % 4, 0)
  t.equal(scratch.bytes % 64, 0)
  t.match(KERNEL_NAME, /^\d+:[0-9a-f]+$/)
})

t.test('a kernel memory has the requested size in whole pages, and is empty beyond the kernel’s scratch', async (t) => {
  for (const size of [scratch.bytes, scratch.bytes + 1, scratch.bytes + 100_000]) {
    const { bytes, words } = createEngine(size)
    t.equal(bytes.length, Math.ceil(size / 65_536) * 65_536)
    t.equal(words.length * 4, bytes.length)
    t.equal(words.buffer, bytes.buffer)
    t.ok(bytes.subarray(scratch.bytes).every((byte) => byte === 0))
  }
})

t.test('two kernel memories are independent', async (t) => {
  const [a, b] = [createEngine(scratch.bytes + 65_536), createEngine(scratch.bytes + 65_536)]
  a.bytes.set([1, 2, 3], scratch.bytes)
  t.equal(b.bytes[scratch.bytes], 0)
  t.equal(a.scan(scratch.bytes, 1, 1, 4), 1)
  t.equal(a.scan(scratch.bytes, 1, 1, 3), 0)
  t.equal(b.scan(scratch.bytes, 1, 1, 0), 1)
})

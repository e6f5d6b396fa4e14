import { t } from 'tap'
import { BLOCK_BITS, ImageLedger } from '../../packages/core/src/search/image-ledger.js'

t.test('an image is live from its first row until its removal, and never again', async (t) => {
  const ledger = new ImageLedger()

  t.notOk(ledger.isLive(5))
  ledger.addRow(5)
  ledger.addRow(5)
  ledger.addRow(6)
  t.ok(ledger.isLive(5))
  t.equal(ledger.liveRows, 3)

  t.equal(ledger.remove(5), 2, 'the number of its rows')
  t.equal(ledger.remove(5), 0)
  t.equal(ledger.remove(70_000), 0)

  t.notOk(ledger.isLive(5))
  t.ok(ledger.isRemoved(5))
  t.ok(ledger.isLive(6))
  t.notOk(ledger.isRemoved(70_000))
  t.equal(ledger.liveRows, 1)
})

t.test('a million removals cost no memory and are remembered', async (t) => {
  const ledger = new ImageLedger()

  for (let image = 0; image < 1_000_000; image++) {
    ledger.addRow(image)
    ledger.remove(image)
  }

  t.ok(ledger.bytes <= 4096)
  t.equal(ledger.liveRows, 0)
  for (const image of [0, 1_023, 1_024, 999_999]) {
    t.ok(ledger.isRemoved(image))
    t.notOk(ledger.isLive(image))
  }
  t.notOk(ledger.isRemoved(1_000_000))
})

t.test('a barred image number counts as removed, with or without rows', async (t) => {
  const ledger = new ImageLedger()
  ledger.addRow(5)

  t.equal(ledger.removeUnseen(5), 1, 'the number of its rows')
  t.equal(ledger.removeUnseen(6), 0)
  t.equal(ledger.removeUnseen(6), 0)

  for (const image of [5, 6]) {
    t.ok(ledger.isRemoved(image))
    t.notOk(ledger.isLive(image))
  }
  t.equal(ledger.liveRows, 0)
  for (let image = 0; image < 1_024; image++) ledger.removeUnseen(image)
  t.equal(ledger.bytes, 0, 'a page whose images are all gone costs nothing')
})

t.test('a block of removed images is retired as a whole, unless one is live', async (t) => {
  const ledger = new ImageLedger()
  const block = 1 << BLOCK_BITS
  for (const image of [block + 1, block + 2000, 2 * block - 1]) ledger.addRow(image)
  for (const image of [block + 1, 2 * block - 1]) ledger.remove(image)
  ledger.retire(block)
  t.ok(ledger.isLive(block + 2000), 'not while one is live')
  t.notOk(ledger.isRemoved(block))
  ledger.remove(block + 2000)
  ledger.retire(block)
  t.equal(ledger.bytes, 0)
  for (const image of [block, block + 2000, 2 * block - 1]) t.ok(ledger.isRemoved(image))
  for (const image of [block - 1, 2 * block]) t.notOk(ledger.isRemoved(image))
})

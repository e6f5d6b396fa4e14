// A catalogue is dumped while it changes, and restored.

import assert from 'node:assert/strict'
import { t } from 'tap'
import { formatUuid } from '../../packages/core/src/ids.js'
import { CASES_BANK_NAME } from '../../packages/core/src/matching/bank.js'
import type { RegisteredImage } from '../../packages/core/src/matching/signal.js'
import { ROW_TYPES } from '../../packages/core/src/matching/signal-types.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { seeded } from '../search/rows.js'

/** A page of the table, less six. */
const IMAGES = 65_536 - 6
const IN_SEGMENTS = 30_000

/** Images with unique ids and hashes, by number; another `version` changes all hashes but one. */
function imageOf(n: number, version = 0): RegisteredImage {
  const hashOf = (row: number) => seeded(16 * n + row + 16_000_000 * version)
  const signals = [
    { type: 'pdq', view: 'whole', quality: 100, hash: seeded(16 * n) },
    { type: 'pdq', view: 'crop', quality: 100, hash: hashOf(1) },
    { type: 'blockhash', view: 'whole', quality: 100, hash: hashOf(2) },
  ] as const
  const details = {
    width: 400,
    height: 2 * (1 + (n % 200)),
    subjectGroup: n,
    rows: [{ place: n % 256, pose: 1, hash: hashOf(3) }],
  }
  const image = {
    bank: n % 3 === 0 ? CASES_BANK_NAME : `bank ${n % 3}`,
    tier: 'verified',
    category: 'nude',
    createdAtMs: 1,
  } as const
  return { ...image, ref: undefined, signals: signals.slice(0, n % 10 === 0 ? 3 : 1), ...(n % 50 === 0 && { details }) }
}

function idOf(n: number): string {
  return formatUuid(hashFromBytes(seeded(-1 - n)).subarray(0, 16))
}

/** What a catalogue should hold, by number, and what was written since the dump began. */
function written(catalogue: Catalogue) {
  const versions = new Map<number, number>()
  const changed = new Set<number>()
  const put = (n: number, version = 0) => {
    versions.set(n, version)
    changed.add(n)
    catalogue.put(idOf(n), imageOf(n, version))
  }
  return {
    versions,
    changed,
    put,
    remove(n: number) {
      versions.delete(n)
      changed.add(n)
      catalogue.remove(idOf(n))
    },
  }
}

/** Adds, removals, replacements and images of new banks, on every page and at their ends. */
function writeSome({ versions, put, remove }: ReturnType<typeof written>, turn: number): void {
  for (let i = 0; i < 12; i++) put(100_000 + 12 * turn + i)
  for (const n of [turn, 30_000 + turn, IMAGES - 1 - turn, 100_000 + 12 * turn]) remove(n)
  for (const n of [1_000 + 10 * turn, 50_000 + 50 * turn]) put(n, 1)
  if (turn > 0) put(turn - 1) // a removed image comes back
  assert.ok(versions.size > IMAGES)
}

function checkRows(catalogue: Catalogue, versions: ReadonlyMap<number, number>, some: (n: number) => boolean): void {
  const wrong: string[] = []
  for (const [n, version] of versions) {
    if (!some(n)) continue
    const { signals, details, bank } = imageOf(n, version)
    const rows = [...signals, ...(details?.rows.map(({ hash }) => ({ type: 'detail' as const, hash })) ?? [])]
    for (const { type, hash } of rows) {
      const found = catalogue.index(type).within([hash], 0)
      const [image] = found.map((hit) => catalogue.image(hit.image))
      if (found.length !== 1 || image?.id !== idOf(n) || image.bank !== bank) wrong.push(`${type} of ${n}`)
      const places = details && catalogue.places.subjectGroupOf(found[0]?.image ?? 0)
      if (places !== details?.subjectGroup) wrong.push(`places of ${n}`)
    }
  }
  assert.deepEqual(wrong.slice(0, 5), [])
}

t.test('a restored dump has the rows of every id, whatever is written between two pieces', async (t) => {
  const catalogue = new Catalogue()
  const world = written(catalogue)
  for (let n = 0; n < IN_SEGMENTS; n++) world.put(n)
  while (catalogue.tidy());
  for (let n = IN_SEGMENTS; n < IMAGES; n++) world.put(n)
  world.changed.clear()
  const copy = new Catalogue()
  let turn = 0
  for (const piece of catalogue.dump()) {
    for (const _ of copy.restore(structuredClone(piece)));
    writeSome(world, turn++)
    if (turn % 3 === 0) catalogue.tidy()
  }
  while (copy.tidy());
  t.ok(turn > 5, `${turn} pieces`)
  checkRows(catalogue, world.versions, (n) => world.changed.has(n) || n % 100 === 0)
  checkRows(copy, world.versions, (n) => !world.changed.has(n) && n % 10 === 0)

  // The change stream sends these again.
  for (const n of world.changed) {
    const version = world.versions.get(n)
    if (version === undefined) copy.remove(idOf(n))
    else copy.put(idOf(n), imageOf(n, version))
  }
  t.equal(copy.images, catalogue.images)
  for (const type of ROW_TYPES) t.equal(copy.index(type).liveRows, catalogue.index(type).liveRows, type)
  checkRows(copy, world.versions, (n) => world.changed.has(n) || n % 100 === 0)

  for (const n of world.versions.keys()) copy.remove(idOf(n))
  t.equal(copy.images, 0)
  for (const type of ROW_TYPES) t.equal(copy.index(type).liveRows, 0, `no ${type} rows of removed images are left`)
})

t.test('a dump holds the state at its call, without later writes', async (t) => {
  const catalogue = new Catalogue()
  catalogue.put(idOf(0), imageOf(0))
  const dump = catalogue.dump()
  catalogue.put(idOf(50), imageOf(50))
  const copy = new Catalogue()
  for (const piece of dump) for (const _ of copy.restore(structuredClone(piece)));
  t.equal(copy.images, 1)
  t.equal(copy.index('pdq').liveRows, 2)
  t.equal(copy.index('detail').liveRows, 1)
  t.ok(copy.isRestored)
})

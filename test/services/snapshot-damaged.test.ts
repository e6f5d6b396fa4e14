// Snapshots that decrypt but do not hold what was saved, as a bug in the writer would leave them.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import type { RegisteredImage } from '../../packages/core/src/matching/signal.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { type CataloguePiece, DamagedDump } from '../../src/services/index/catalogue-dump.js'
import { createSnapshots } from '../../src/services/index/snapshot.js'
import { lastPosition } from '../../src/store/images/changes.js'
import { createImageStore } from '../../src/store/images/images.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { hashNamed } from '../helpers/hashes.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { imageOf } from '../helpers/registered-image.js'
import { replicaOf } from '../helpers/replica.js'
import { seeded } from '../search/rows.js'

const keyring = makeKeyring([Buffer.alloc(32, 7)])
const clock = () => performance.now()

type Of<Kind extends CataloguePiece['kind']> = Extract<CataloguePiece, { readonly kind: Kind }>

/** Replaces the `nth` piece of a kind with other pieces. */
function instead<Kind extends CataloguePiece['kind']>(
  pieces: readonly CataloguePiece[],
  kind: Kind,
  nth: number,
  others: (piece: Of<Kind>) => unknown[],
): unknown[] {
  let seen = -1
  const isKind = (piece: CataloguePiece): piece is Of<Kind> => piece.kind === kind
  return pieces.flatMap((piece) => (isKind(piece) && ++seen === nth ? others(piece) : [piece]))
}

const damages: Readonly<Record<string, (pieces: readonly CataloguePiece[]) => unknown[]>> = {
  'without its first page': (all) => instead(all, 'images', 0, () => []),
  'without its last page': (all) => instead(all, 'images', 1, () => []),
  'with a page that lost its end': (all) =>
    instead(all, 'images', 0, ({ ids, banks, facts, ...page }) => [
      { ...page, ids: ids.slice(16), banks: banks.slice(1), facts: facts.slice(1) },
    ]),
  'with a page twice': (all) => instead(all, 'images', 1, (page) => [page, page]),
  'with too few ids': (all) => instead(all, 'images', 1, (page) => [{ ...page, ids: page.ids.slice(16) }]),
  'with too few banks': (all) => instead(all, 'images', 1, (page) => [{ ...page, banks: page.banks.slice(1) }]),
  'with a bank that has no name': (all) => instead(all, 'images', 1, (page) => [{ ...page, bankNames: [] }]),
  'with facts that mean nothing': (all) =>
    instead(all, 'images', 1, (page) => [{ ...page, facts: page.facts.slice().fill(0x6f) }]),
  'with an image that was none': (all) =>
    instead(all, 'images', 1, (page) => [{ ...page, facts: page.facts.slice().fill(0, 0, 1) }]),
  'without a page of places': (all) => instead(all, 'places', 0, () => []),
  'with a page of places twice': (all) => instead(all, 'places', 0, (page) => [page, page]),
  'with a short page of places': (all) => instead(all, 'places', 0, (page) => [{ ...page, words: page.words.slice(1) }]),
  'with places behind rows': (all) => [
    ...instead(all, 'places', 0, () => []).slice(0, -1),
    ...all.filter(({ kind }) => kind === 'places' || kind === 'end'),
  ],
  'without some rows': (all) => instead(all, 'rows', 0, () => []),
  'with too few views': (all) => instead(all, 'rows', 0, (rows) => [{ ...rows, views: rows.views.slice(1) }]),
  'with too few hashes': (all) => instead(all, 'rows', 0, (rows) => [{ ...rows, hashes: rows.hashes.slice(32) }]),
  'without a segment': (all) => all.filter(({ kind }) => kind !== 'segment' && kind !== 'content'),
  'with a segment without its content': (all) => all.filter(({ kind }) => kind !== 'content'),
  'without some content': (all) => instead(all, 'content', 1, () => []),
  'with content elsewhere': (all) => instead(all, 'content', 1, (piece) => [{ ...piece, at: piece.at + 1 }]),
  'with content beyond its end': (all) =>
    all.map((piece) => (piece.kind === 'content' && piece.isLast ? { ...piece, content: new Uint8Array(1 << 20) } : piece)),
  'with content of no segment': (all) => instead(all, 'segment', 0, () => []),
  'with a segment of other counts': (all) =>
    instead(all, 'segment', 0, (piece) => [{ ...piece, counts: new Float64Array(1) }]),
  'without its end': (all) => instead(all, 'end', 0, () => []),
  'with something behind its end': (all) => instead(all, 'end', 0, (end) => [end, end]),
  'with another number of ordinals': (all) => instead(all, 'end', 0, (end) => [{ ...end, ordinals: end.ordinals + 1 }]),
  'with another number of images': (all) => instead(all, 'end', 0, (end) => [{ ...end, images: end.images - 1 }]),
  'with another number of rows': (all) => instead(all, 'end', 0, (end) => [{ ...end, rows: { ...end.rows, sha256: 1 } }]),
}

t.test('a dump whose counts do not agree is rejected as damaged', async (t) => {
  const pieces = [...someCatalogue().dump()].map((piece) => structuredClone(piece))
  t.same([...new Set(pieces.map(({ kind }) => kind))], ['images', 'places', 'segment', 'content', 'rows', 'end'])
  t.ok(isRestoredFrom(pieces), 'the unchanged dump is restored')
  for (const [how, damaged] of Object.entries(damages)) t.notOk(isRestoredFrom(damaged(pieces)), how)
})

t.test('a damaged snapshot is ignored, and everything is read from the store', async (t) => {
  const { socket } = await startRedis(t)
  const target = storeAt(socket)
  const store = await openStore(target)
  t.teardown(() => store.close())
  const images = createImageStore(store, keyring)
  const registered = { id: uuidV7(1, randomBytes(10)), image: imageOf(hashNamed('registered')) }
  await images.put([registered])
  const position = await lastPosition(store)
  const snapshots = createSnapshots({ folder: t.testdir(), store, keyring, secret: Buffer.alloc(32, 9), clock })
  const catalogue = new Catalogue()
  catalogue.put(registered.id, imageOf(hashNamed('another')))
  const pieces = [...catalogue.dump()].map((piece) => structuredClone(piece))
  const saveAs = async (all: readonly unknown[]) => {
    catalogue.dump = () => all.values() as ReturnType<Catalogue['dump']>
    await snapshots.save(catalogue, position)
  }
  await saveAs(pieces)
  t.equal((await snapshots.load())?.catalogue.images, 1)
  for (const how of ['without some rows', 'with too few hashes', 'without its end', 'with another number of images']) {
    await saveAs(damages[how]?.(pieces) ?? [])
    t.equal(await snapshots.load(), undefined, how)
  }
  await saveAs(['no piece', ...pieces])
  t.equal(await snapshots.load(), undefined, 'with a malformed piece')

  const replica = replicaOf(
    { store, target, keyring },
    {
      images,
      snapshots,
      onError: (error) => t.fail(String(error)),
    },
  )
  t.teardown(() => replica.close())
  await replica.start()
  t.equal(replica.catalogue.images, 1)
  t.equal(replica.catalogue.index('pdq').within([hashNamed('registered')], 0).length, 1)
})

function isRestoredFrom(pieces: readonly unknown[]): boolean {
  const catalogue = new Catalogue()
  try {
    for (const piece of pieces) for (const _ of catalogue.restore(piece as CataloguePiece));
    return catalogue.isRestored
  } catch (error) {
    if (error instanceof DamagedDump) return false
    throw error
  }
}

/** Two pages of images, a segment, and rows outside of any segment. */
function someCatalogue(): Catalogue {
  const catalogue = new Catalogue()
  const put = (n: number, image: Partial<RegisteredImage> = {}) =>
    catalogue.put(uuidV7(n, randomBytes(10)), { ...imageOf(seeded(n)), ...image })
  for (let n = 0; n < 65_540; n++) put(n)
  while (catalogue.tidy());
  put(70_000, { details: { width: 100, height: 100, subjectGroup: 1, rows: [{ place: 1, pose: 1, hash: seeded(1) }] } })
  for (let n = 80_000; n < 80_010; n++) put(n)
  return catalogue
}

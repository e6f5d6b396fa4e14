// A stopped view matches nothing, as if it had not been registered; and the flood guard counts which view alone decided.

import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { CASES_BANK } from '../../packages/core/src/matching/bank.js'
import type { HashedSignal } from '../../packages/core/src/matching/hashed-image.js'
import { type Signal, VIEW_NAMES, type View } from '../../packages/core/src/matching/signal.js'
import { DETAILS_VIEW, MAX_STOPPED_VIEWS, MAX_VIEW } from '../../src/domain/trust/flood.js'
import { NO_TRUST_STATUS } from '../../src/domain/trust/trust.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import type { DetailFinder } from '../../src/services/matching/details/detail-finder.js'
import { createDetailsStep } from '../../src/services/matching/details/match-by-details.js'
import type { Depth, Looks } from '../../src/services/matching/match.js'
import type { MatchedImage } from '../../src/services/matching/match-recorder.js'
import type { MatcherParts } from '../../src/services/matching/matcher.js'
import { createViewIds, decidingViewOf } from '../../src/services/matching/stopped-views.js'
import { createVideoMatcher } from '../../src/services/matching/video/video-matcher.js'
import { BARE, bareMatcher, matchesOf, matchesOfVideos, viewIdOf } from '../helpers/bare-matcher.js'
import { bitsFrom, hashNamed } from '../helpers/hashes.js'
import { imageWith } from '../helpers/registered-image.js'
import { runs } from '../helpers/runs.js'

const ID = '00000000-0000-4000-8000-000000000001'
const ASKING = { orgId: 'org', banks: undefined, thresholdBits: undefined }

const row = (view: View, name: string, bits = 0): Signal => ({
  ...{ type: 'pdq-area', view, quality: 100 },
  hash: bitsFrom(hashNamed(name), bits),
})
const asked = ({ hash, ...rest }: Signal): HashedSignal => ({ ...rest, hashes: [hash] })
const WHOLE: Signal = { type: 'pdq', view: 'whole', quality: 100, hash: hashNamed('whole picture') }
const elsewhere: HashedSignal = { type: 'pdq', view: 'whole', quality: 100, hashes: [hashNamed('another picture')] }

const idOf = (signal: Signal) => viewIdOf(ID, signal)

/** As a video of one frame. */
const filmOf = (rows: readonly Signal[]) => ({
  ...imageWith(rows.map((signal) => ({ ...signal, frame: 0 }))),
  video: { durationMs: 1000, framesAtMs: [0] },
})

function worldOf(rows: readonly Signal[], stopped: readonly Signal[] = [], more: Partial<MatcherParts> = {}) {
  const catalogue = new Catalogue()
  const register = (...registered: readonly Signal[]) => catalogue.put(ID, imageWith([WHOLE, ...registered]))
  register(...rows)
  const stop = (...stoppedViews: readonly number[]) => catalogue.setTrustStatus(ID, { ...NO_TRUST_STATUS, stoppedViews })
  stop(...stopped.map(idOf))
  const noted: MatchedImage[] = []
  const matchEvents = { note: (_: string, met: readonly MatchedImage[]) => void noted.push(...met) }
  const matcher = bareMatcher({ replica: { catalogue }, matchEvents, ...more })
  const found = async (signals: readonly HashedSignal[], depth: Depth = 'hashes', looks: Looks = {}) => {
    const [matches = []] = await matchesOf(matcher, [{ signals, views: [], ...looks }], { ...ASKING, depth })
    return matches.map(({ grade, view, distanceBits }) => `${grade} ${view} ${distanceBits}`)
  }
  /** In a video of one frame. */
  const foundIn = async (...signals: readonly HashedSignal[]) => {
    const videos = createVideoMatcher({ ...BARE, replica: { catalogue } })
    const [matches = []] = await matchesOfVideos(
      videos,
      [{ frames: [{ atMs: 0, signals: [elsewhere, ...signals] }] }],
      ASKING,
    )
    return matches.map(({ grade }) => grade)
  }
  return { catalogue, register, stop, found, foundIn, noted }
}

/** Without the crop it is unknown whether the piece is of the whole: what is left may have been cut from what is in a frame. */
const FRAMED: { view: View; name: string }[] = [
  { view: 'crop', name: 'd' },
  { view: 'piece', name: 'c' },
  { view: 'deframed', name: 'd' },
  { view: 'deframed', name: 'a' },
]

t.test('an image with stopped views is found in pictures and videos as if it had been registered without them', async () => {
  const views = VIEW_NAMES.filter((view) => view !== 'whole')
  const rows = fc.uniqueArray(fc.record({ view: fc.constantFrom(...views), name: fc.constantFrom('a', 'b', 'c', 'd') }), {
    selector: ({ view, name }) => `${view} ${name}`,
    minLength: 1,
    maxLength: 8,
  })
  const queries = fc.array(
    fc.record({ view: fc.constantFrom(...VIEW_NAMES), name: fc.constantFrom('a', 'b', 'c', 'd'), bits: fc.nat(60) }),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  const stopped = fc.uniqueArray(fc.nat(7), { maxLength: MAX_STOPPED_VIEWS })
  await fc.assert(
    fc.asyncProperty(rows, queries, stopped, async (made, asking, positions) => {
      const all = made.map(({ view, name }) => row(view, name))
      const signals = [elsewhere, ...asking.map(({ view, name, bits }) => asked(row(view, name, bits)))]
      const without = worldOf(all.filter((_, i) => !positions.includes(i)))
      const stoppedViews = all.filter((_, i) => positions.includes(i))
      const stopped = worldOf(all, stoppedViews)
      assert.deepEqual(await stopped.found(signals), await without.found(signals))
      assert.deepEqual(await stopped.foundIn(...signals), await without.foundIn(...signals), 'in a video')
    }),
    {
      numRuns: runs(12),
      examples: [
        [
          FRAMED,
          [
            { view: 'whole', name: 'd', bits: 0 },
            { view: 'piece', name: 'c', bits: 0 },
          ],
          [0],
        ],
      ],
    },
  )
})

t.test('the others decide still, and a stopped one again once it is released', async (t) => {
  const banner = row('deframed', 'banner')
  const { stop, found, catalogue } = worldOf([banner, row('piece', 'quarter')], [banner])
  t.same(await found([elsewhere, asked(row('deframed', 'banner', 4))]), [])
  t.same(await found([elsewhere, asked(row('whole', 'quarter', 4))]), ['near piece 4'])
  t.same(await found([asked(WHOLE)]), ['near whole 0'])
  const [near, other] = [row('deframed', 'banner', 8), row('deframed', 'banner', 16)]
  const halfway = { ...near, hash: bitsFrom(other.hash, 8) }
  const tied = worldOf([near, halfway], [near])
  t.same(
    await tied.found([elsewhere, asked(row('deframed', 'banner'))]),
    ['near deframed 8'],
    'of two as near, one is stopped',
  )
  stop()
  t.same(await found([elsewhere, asked(row('deframed', 'banner', 4))]), ['near deframed 4'])
  stop(idOf(banner))
  catalogue.remove(ID)
  t.same(catalogue.stoppedViewsOf(ID), [], 'nothing is left of an image that was removed')
})

t.test('the name of a view tells neither its hash nor which images share it', async (t) => {
  const [one, ofOther] = [createViewIds(Buffer.alloc(32, 1)), createViewIds(Buffer.alloc(32, 2))]
  const banner = row('deframed', 'banner')
  const other = '00000000-0000-4000-8000-000000000002'
  const names = [
    ...[one(ID, banner), one(other, banner), one(ID, row('crop', 'banner')), one(ID, row('deframed', 'banner', 1))],
    ofOther(ID, banner),
  ]
  t.equal(new Set(names).size, names.length)
  t.equal(one(ID, { ...banner }), one(ID, banner))
  t.ok(names.every((name) => name !== DETAILS_VIEW && name <= MAX_VIEW))
})

t.test('a stopped view corroborates no other one, and hides none beside it', async (t) => {
  const [banner, quarter] = [row('deframed', 'banner'), row('piece', 'quarter')]
  const query = (bits: number) => [elsewhere, asked(row('whole', 'quarter', 30)), asked(row('deframed', 'banner', bits))]
  for (const bits of [44, 56]) {
    t.same(await worldOf([banner, quarter]).found(query(bits)), ['strong piece 30'])
    t.same(await worldOf([banner, quarter], [banner]).found(query(bits)), ['near piece 30'], `${bits} bits from the banner`)
  }
  const [crop, piece] = [row('crop', 'quarter'), row('piece', 'quarter')]
  for (const [stopped, view] of [
    [crop, 'piece'],
    [piece, 'crop'],
  ] as const) {
    const { found } = worldOf([crop, piece], [stopped])
    t.same(await found([elsewhere, asked(row('whole', 'quarter', 4))]), [`near ${view} 4`], 'the same hash in two views')
  }
})

t.test('a stopped view does not make a form, or an object, near enough to be a copy', async (t) => {
  const banner = row('crop', 'banner')
  const parts = [row('whole', 'whole'), row('piece', 'half'), row('deframed', 'box', 30)]
  const query = [elsewhere, ...[row('whole', 'banner', 6), row('piece', 'other half'), row('deframed', 'box')].map(asked)]
  for (const looks of [{ isForm: true }, { isObject: true }]) {
    const { stop, found } = worldOf([banner, ...parts])
    t.match(await found(query, 'hashes', looks), [/crop 6$/])
    stop(idOf(banner))
    t.same(await found(query), ['near deframed 30'])
    t.same(await found(query, 'hashes', looks), [], 'boxes of one kind are alike')
  }
})

t.test('a stopped view is found in no video, and frames of videos are not counted by view', async (t) => {
  const banner = row('deframed', 'banner')
  const query = asked(row('deframed', 'banner', 4))
  const world = worldOf([banner])
  t.same(await world.foundIn(query), ['near'])
  world.stop(idOf(banner))
  t.same(await world.foundIn(query), [])
  const film = worldOf([banner])
  film.catalogue.put(ID, filmOf([WHOLE, banner]))
  t.same(await film.found([elsewhere, query]), ['near deframed 4'])
  t.match(film.noted, [{ imageId: ID, view: undefined }])
})

t.test('a stopped view stays stopped, and no other one is, when the image is registered again', async (t) => {
  const [banner, quarter] = [row('deframed', 'banner'), row('piece', 'quarter')]
  const { register, found } = worldOf([banner, quarter], [banner])
  for (const rows of [
    [quarter, banner],
    [row('crop', 'middle'), quarter, banner],
  ]) {
    register(...rows)
    t.same(await found([elsewhere, asked(row('deframed', 'banner', 4))]), [])
    t.same(await found([elsewhere, asked(row('whole', 'quarter', 4))]), ['near piece 4'])
  }
})

t.test('a match is counted for a view that alone decides', async (t) => {
  const banner = row('deframed', 'banner')
  const { found, noted } = worldOf([row('whole', 'all'), banner, row('piece', 'quarter')])
  const counted = async (...signals: readonly Signal[]) => {
    noted.length = 0
    await found([elsewhere, ...signals.map(asked)])
    return noted.map(({ view }) => view)
  }
  t.same(await counted(row('deframed', 'banner', 4)), [idOf(banner)])
  t.same(await counted(row('deframed', 'banner', 42)), [idOf(banner)])
  t.same(await counted(row('deframed', 'banner'), row('piece', 'banner', 2)), [idOf(banner)], 'seen twice')
  t.same(await counted(row('deframed', 'banner'), row('piece', 'quarter')), [undefined], 'two do')
  t.same(await counted(row('whole', 'all', 20)), [undefined], 'the whole')
  for (const bits of [0, 20]) {
    await found([asked({ ...WHOLE, hash: bitsFrom(WHOLE.hash, bits) }), asked(row('deframed', 'banner'))])
    t.match(noted.at(-1), { view: undefined }, 'the whole, by PDQ')
  }
  const ofCases = { bank: CASES_BANK, orientation: 0 }
  const decides = (...rows: readonly Signal[]) => decidingViewOf([asked(row('whole', 'all'))], rows, ofCases, undefined)
  t.equal(decides(row('piece', 'quarter'), row('whole', 'all')), undefined, 'also if a pair of others is told')
  t.match(decides(row('piece', 'quarter'), row('crop', 'all')), { view: 'crop' })
  const cropped = worldOf([row('crop', 'middle')])
  const inside = [elsewhere, asked(row('whole', 'middle', 10)), asked(row('piece', 'of it'))]
  t.same(await cropped.found(inside), ['near crop 10'])
  t.same(cropped.noted[0]?.view, undefined, 'the upload is in all its parts what a crop shows')
})

t.test('details are counted as one view, and stopped as one', async (t) => {
  const region = { left: 0, top: 0, right: 1, bottom: 1 }
  const detail = { inliers: 12, surplus: 4, distanceBits: 9, region, isMirrored: false, isAtEdge: false }
  const finder: DetailFinder = {
    async find(_, { searcher, role }) {
      const image = searcher.image(0)
      return image === undefined || role(0) !== 'wanted' ? [] : [{ ...detail, ordinal: 0, image }]
    },
  }
  const { stop, found, noted } = worldOf([row('deframed', 'banner')], [], { details: createDetailsStep(finder) })
  t.same(await found([elsewhere], 'auto'), ['near details 9'])
  t.match(noted, [{ view: DETAILS_VIEW, look: Number }])
  stop(DETAILS_VIEW)
  t.same(await found([elsewhere], 'auto'), [])
  t.same(await found([elsewhere, asked(row('deframed', 'banner', 4))], 'auto'), ['near deframed 4'])
})

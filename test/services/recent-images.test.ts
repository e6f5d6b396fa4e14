// Images of cases that nobody attests count for a day only for one another, where grades are per upload.

import t from 'tap'
import { idBytes, uuidV7 } from '../../packages/core/src/ids.js'
import type { Signal } from '../../packages/core/src/matching/signal.js'
import { encodeSupport } from '../../src/domain/trust/tier.js'
import { NO_TRUST_STATUS } from '../../src/domain/trust/trust.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { encodeImage } from '../../src/store/images/image-record.js'
import { ColumnsBuilder } from '../../src/store/images/reader/columns.js'
import { bareMatcher, matchesOf } from '../helpers/bare-matcher.js'
import { bitsFrom, hashNamed } from '../helpers/hashes.js'
import { imageWith } from '../helpers/registered-image.js'

const ASKING = { orgId: 'org', banks: undefined, thresholdBits: undefined, grading: 'per-upload' } as const
const DAY_MS = 86_400_000

function bothOf(name: string): Signal[] {
  const hash = hashNamed(name)
  return (['pdq', 'blockhash'] as const).map((type) => ({ type, view: 'whole', quality: 90, hash }))
}

/** An old picture, and what nobody attests: one picture, and many frames of a video. */
function someRecent(nowMs: number) {
  const framesAtMs = Array.from({ length: 3000 }, (_, frame) => frame)
  const frames = framesAtMs.flatMap((frame) => bothOf(`frame ${frame}`).map((signal) => ({ ...signal, frame })))
  return [
    { ...imageWith(bothOf('old')), createdAtMs: nowMs - 2 * DAY_MS },
    { ...imageWith(bothOf('recent')), createdAtMs: nowMs },
    { ...imageWith(frames), createdAtMs: nowMs, video: { durationMs: 3000, framesAtMs } },
  ].map((image, i) => [uuidV7(1, Buffer.alloc(10, i)), image] as const)
}

async function gradesIn(catalogue: Catalogue) {
  const copyOf = (name: string) =>
    bothOf(name).map(({ hash, type, ...rest }) => ({ ...rest, type, hashes: [bitsFrom(hash, type === 'pdq' ? 28 : 2)] }))
  const answers = await matchesOf(bareMatcher({ replica: { catalogue } }), [copyOf('old'), copyOf('recent')], ASKING)
  return answers.map(([match]) => match?.grade)
}

t.test('what nobody attests weakens for a day only what is as recent', async (t) => {
  for (const how of ['put', 'restored', 'loaded'] as const) {
    let nowMs = 10 * DAY_MS
    const given = someRecent(nowMs)
    const catalogue = new Catalogue(() => nowMs)
    const before = how === 'restored' ? new Catalogue(() => nowMs) : catalogue
    const builder = new ColumnsBuilder()
    for (const [id, image] of given) {
      const bytes = Buffer.concat([idBytes(id), encodeImage(image)])
      if (how === 'loaded') builder.add(bytes, 0, 16, bytes.length)
      else before.put(id, image)
    }
    if (how === 'loaded') catalogue.load(builder.take().columns)
    if (how === 'restored') for (const piece of before.dump()) for (const _ of catalogue.restore(piece));
    t.same(catalogue.recent, { images: 2, pdqRows: 3001 }, how)
    t.same(await gradesIn(catalogue), ['strong', 'near'], how)
    nowMs += DAY_MS - 1
    t.same(await gradesIn(catalogue), ['strong', 'near'], how)
    nowMs += DAY_MS
    t.same(await gradesIn(catalogue), ['near', 'near'], `${how}, a day later`)
  }
})

t.test('what is attested or withdrawn is not recent', async (t) => {
  const catalogue = new Catalogue(() => DAY_MS)
  const [, one, other] = someRecent(DAY_MS)
  if (one === undefined || other === undefined) throw new Error('two images')
  const [[recent, image], [film, ofFilm]] = [one, other]
  for (const end of [
    () => catalogue.put(recent, { ...image, tier: 'ngo-attested' }),
    () => catalogue.remove(recent),
    () =>
      catalogue.setTrustStatus(recent, {
        ...NO_TRUST_STATUS,
        support: encodeSupport({ verifications: 1, attestations: 0, confirmations: 0, notBlocked: 0 }),
      }),
  ]) {
    catalogue.remove(recent)
    catalogue.put(recent, image)
    t.same(catalogue.recent, { images: 1, pdqRows: 1 })
    end()
    t.same(catalogue.recent, { images: 0, pdqRows: 0 })
  }
  catalogue.put(film, { ...ofFilm, bank: 'a bank' })
  t.equal(catalogue.recent.images, 0, 'an organisation answers for its bank')
})

t.test('what a wrong clock registered is not recent for long', (t) => {
  const catalogue = new Catalogue(() => DAY_MS)
  for (const [id, image] of someRecent(5 * DAY_MS)) catalogue.put(id, image)
  t.equal(catalogue.recent.images, 0)
  t.end()
})

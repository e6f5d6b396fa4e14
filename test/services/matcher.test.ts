// What a long question is answered with, when what it finds does not stay as it was found.

import { randomBytes } from 'node:crypto'
import { t } from 'tap'
import { dihedralsOf } from '../../src/hash/dihedral.js'
import { hashFromBytes } from '../../src/hash/hash256.js'
import type { Catalogue } from '../../src/services/catalogue.js'
import type { Match, MatcherParts } from '../../src/services/matcher.js'
import { bareMatcher } from '../helpers/bare-matcher.js'
import { catalogueOf } from '../helpers/registered-image.js'

const ASKING = { orgId: 'org', banks: undefined, thresholdBits: undefined }

/** A matcher over so many images, one of them for each picture. `meanwhile` is waited for behind each. */
function worldOf(
  count: number,
  meanwhile: (picture: number, catalogue: Catalogue, ids: readonly string[]) => void,
  turns?: MatcherParts['turns'],
) {
  const { catalogue, images } = catalogueOf(count)
  const ids = images.map(({ id }) => id)
  const noted: (readonly string[])[] = []
  let seen = 0
  const matcher = bareMatcher({
    replica: { catalogue },
    sightings: { note: (_, imageIds) => void noted.push(imageIds) },
    probing: {
      isOn: false,
      radiusOf: () => undefined,
      async see() {
        meanwhile(seen++, catalogue, ids)
        return undefined
      },
    },
    ...(turns !== undefined && { turns }),
  })
  const pictures = images.map(({ hash }) => [{ type: 'pdq', view: 'whole', quality: 100, hashes: [hash] }] as const)
  return { matcher, pictures, ids, noted }
}

t.test('each picture is told of as soon as it is answered', async (t) => {
  const told: number[] = []
  const toldBefore: number[] = []
  const { matcher, pictures } = worldOf(3, () => toldBefore.push(told.length))
  const answers = await matcher.match(pictures, { ...ASKING, onMatched: (picture) => told.push(picture) })
  t.same(told, [0, 1, 2])
  t.same(toldBefore, [0, 1, 2], 'before the next one is answered')
  t.same(
    answers.map(({ length }) => length),
    [1, 1, 1],
  )
})

t.test('what was withdrawn before the end is not named, also where it was told of before', async (t) => {
  const told = new Map<number, readonly Match[]>()
  const { matcher, pictures, ids, noted } = worldOf(3, (picture, catalogue, all) => {
    if (picture === 1) catalogue.remove(all[0] ?? '')
  })
  const onMatched = (picture: number, matches: readonly Match[]) => void told.set(picture, matches)
  const answers = await matcher.match(pictures, { ...ASKING, onMatched })
  const lengths = [0, 1, 1]
  t.same(
    answers.map(({ length }) => length),
    lengths,
  )
  t.same(
    [0, 1, 2].map((picture) => told.get(picture)?.length),
    lengths,
    'what is written is what is answered',
  )
  t.same(noted, [[], [ids[1]], [ids[2]]], 'nor counted')
})

t.test('what is withdrawn after it was found ahead, and before its picture is answered, is not named', async (t) => {
  const { matcher, pictures } = worldOf(3, (picture, catalogue, ids) => {
    if (picture === 0) catalogue.remove(ids[2] ?? '')
  })
  const told: number[] = []
  const answers = await matcher.match(pictures, { ...ASKING, onMatched: (_, matches) => told.push(matches.length) })
  t.same(
    answers.map(({ length }) => length),
    [1, 1, 0],
  )
  t.same(told, [1, 1, 0], 'nor told of')
})

t.test(
  'many pictures in one call are answered as each alone: with one hash, two or eight, of one type or two, of the same image',
  async (t) => {
    const { matcher, pictures } = worldOf(40, () => {})
    const asked = pictures.flatMap(([{ hashes }], i) => {
      const [hash = hashFromBytes(new Uint8Array(32))] = hashes
      const near = hashFromBytes(hash.map((byte, at) => (at === i % 32 ? byte ^ 0x81 : byte)))
      const signal = { type: 'pdq', view: 'whole', quality: 100 } as const
      return [
        [{ ...signal, hashes: [hash] }],
        [{ ...signal, hashes: [near] }],
        [{ ...signal, hashes: [near, hash] }, { ...signal, type: 'blockhash', hashes: [hash] } as const],
        [{ ...signal, hashes: dihedralsOf(near) }],
        [{ ...signal, hashes: [hashFromBytes(randomBytes(32))] }],
      ]
    })

    const together = await matcher.match(asked, ASKING)

    const alone: Match[][] = []
    for (const picture of asked) alone.push(...(await matcher.match([picture], ASKING)))
    t.same(together, alone)
    t.equal(together.filter(({ length }) => length === 1).length, 160, 'all but the strangers')
  },
)

t.test('a call stops wherever it is asked to give way, and goes on when it is its turn again', async (t) => {
  const waiting: (() => void)[] = []
  const giveWay = () => new Promise<void>((resolve) => waiting.push(resolve))
  const { matcher, pictures } = worldOf(40, () => {}, { pace: () => giveWay, atEndOfTurn: setImmediate })
  const turned = pictures.map(([signal]) => [{ ...signal, hashes: dihedralsOf(signal.hashes[0]) }])
  for (const [what, asked, leastTurns] of [
    ['with one hash each, which are searched for ahead', pictures, 40],
    ['with eight', turned, 80],
    ['one picture', turned.slice(0, 1), 2],
  ] as const) {
    let told = 0
    let isDone = false
    const call = matcher.match(asked, { ...ASKING, onMatched: () => told++ }).finally(() => {
      isDone = true
    })
    let turns = 0
    for (await turnedOften(); !isDone; await turnedOften()) {
      t.equal(waiting.length, 1, `${what}: it waits`)
      if (waiting.length !== 1) return
      t.ok(told <= ++turns, `${what}: at most one picture a turn`)
      waiting.shift()?.()
    }
    t.equal((await call).flat().length, asked.length, what)
    t.ok(turns >= leastTurns, `${what}: ${turns} turns`)
  }
})

/** Whatever does not wait is done by then. */
async function turnedOften(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

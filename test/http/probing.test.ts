// Attacks on a stored hash through the API: an attacker whose query lies at the edge of the threshold flips one bit at a time.

import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { dihedralsOf } from '../../packages/hash/src/dihedral.js'
import { formatHash, type Hash256, hashFromBytes, parseHash } from '../../packages/hash/src/hash256.js'
import { post } from '../helpers/requests.js'
import { codeOf, keyFor, openCase, randomlyFlipped, startService, submitted, until } from '../helpers/service.js'
import { ask, operator, vouchedCase } from '../helpers/trust.js'
import {
  type Ask,
  answerTo,
  atMostOnce,
  away,
  BITS,
  flipped,
  type Headers,
  harmlessBeside,
  matches,
  noise,
  recovered,
  signal,
} from './probing-attacks.js'

const here = await startService(t, { probing: 'limit', exposure: 'public' })
const there = await startService(t, { probing: 'limit', exposure: 'public', redis: here.redis })

async function registered(): Promise<Hash256> {
  const stored = parseHash((await submitted(here)).hash)
  if (stored === undefined) throw new Error('a hash is registered')
  await until(async () => (await matches(there, watcher.headers, [[signal(stored)]]))[0]?.length === 1)
  return stored
}

const watcher = await keyFor(here, 'somebody else', ['match'])
await until(() => there.services.identify(watcher.key) !== undefined)
let orgs = 0
const platform = () => keyFor(here, `platform ${orgs++}`, ['match'])

t.test('a bit-by-bit search recovers almost nothing, with decoys, orientations, HMA or two processes', async (t) => {
  const decoys = await Promise.all(Array.from({ length: 3 }, registered))
  const ways: Readonly<Record<string, { readonly bits: number; readonly asking: (headers: Headers) => Ask }>> = {
    'with a random signal before each': {
      bits: 32,
      asking: (headers) => (hash) => answerTo(here, headers, [noise(), signal(hash)]),
    },
    'with questions about other pictures in between': {
      bits: 32,
      asking: (headers) => async (hash, nth) => {
        const decoy = decoys[nth % 3] ?? hash
        await answerTo(here, headers, [signal(away(decoy, nth % 40))])
        return await answerTo(here, headers, [signal(hash)])
      },
    },
    'between two bands': { bits: 16, asking: (headers) => (hash) => answerTo(here, headers, [signal(hash)]) },
    'at a threshold given in the query': {
      bits: 46,
      asking: (headers) => (hash) => answerTo(here, headers, [signal(hash)], { thresholdBits: 45 }),
    },
    'in eight orientations': {
      bits: 32,
      asking: (headers) => (hash, nth) =>
        answerTo(here, headers, [signal(dihedralsOf(hash)[nth % 8] ?? hash)], { transforms: true }),
    },
    "by HMA's route": {
      bits: 32,
      asking: (headers) => async (hash) => {
        const url = `/m/raw_lookup?signal=${formatHash(hash)}&signal_type=pdq`
        const answer = await ask(here, 'GET', url, headers)
        if (answer.statusCode !== 200) throw new Error(codeOf(answer))
        return answer.body
      },
    },
    'in two processes by turns': {
      bits: 32,
      asking: (headers) => (hash, nth) => answerTo(nth % 2 === 0 ? here : there, headers, [signal(hash)]),
    },
  }
  for (const [name, { bits, asking }] of Object.entries(ways)) {
    // A fifth of the bits is usual (30 runs).
    const bound = (3 / 8) * bits
    const known = await atMostOnce(bound, async () => {
      const stored = await registered()
      const { key, headers } = await platform()
      await until(() => there.services.identify(key) !== undefined)
      return await recovered(stored, away(stored, bits), asking(headers))
    })
    t.ok(known < bound, `${name}: ${known} bits of ${bits}`)
  }
})

/** Registers a picture with pieces. `part` makes a signal of a query; `own` are the registered parts, and the last of them is `stored`. */
async function registeredParts(t: Test, pieces: number) {
  const part = (view: string, hash: Hash256) => ({ ...signal(hash, 'pdq-area'), view, quality: 100 })
  const randomHash = () => hashFromBytes(randomBytes(32))
  const [pdq, whole, stored] = [randomHash(), randomHash(), randomHash()]
  const others = Array.from({ length: pieces - 1 }, () => part('piece', randomHash()))
  const own = [part('whole', whole), ...others, part('piece', stored)]
  const { url, headers } = await vouchedCase(here)
  const payload = { images: [{ signals: [{ ...signal(pdq), quality: 100 }, ...own] }] }
  t.equal((await post(here.app, `${url}/hashes`, payload, headers)).statusCode, 201)
  await until(async () => (await matches(here, watcher.headers, [[signal(pdq)]]))[0]?.length === 1)
  return { pdq, whole, stored, part, own }
}

t.test('a search by the part that decides between near and strong recovers almost nothing of it', async (t) => {
  // How far the other pieces are, and the distance of the last one at which the grade changes.
  for (const [othersBits, edgeBits] of [
    [14, 40],
    [0, 14],
  ] as const) {
    const known = await atMostOnce(12, async () => {
      const { pdq, whole, stored, part, own } = await registeredParts(t, 5)
      const { headers } = await platform()
      // Two parts are near enough for a strong match, and the last piece lies at its threshold.
      const farWhole = part('whole', away(whole, 30))
      const others = own.slice(1, 5).map(({ hash }) => part('piece', away(parseHash(hash) ?? stored, othersBits)))
      const asking: Ask = (hash) =>
        answerTo(here, headers, [signal(away(pdq, 30)), farWhole, ...others, part('piece', hash)])
      const grades = await Promise.all([edgeBits - 2, edgeBits + 2].map((bits) => asking(away(stored, bits), 0)))
      t.match(grades, [/"strong"/, /"near"/], 'the piece decides the grade')
      return await recovered(stored, away(stored, edgeBits), asking)
    })
    t.ok(known < 12, `${known} bits of ${edgeBits}`)
  }
})

t.test('a search by whether a piece counts as agreeing recovers almost nothing of it', async (t) => {
  const known = await atMostOnce(12, async () => {
    const { pdq, stored, part, own } = await registeredParts(t, 8)
    const { headers } = await platform()
    const asking: Ask = (hash) => answerTo(here, headers, [signal(away(pdq, 26)), ...own.slice(0, 8), part('piece', hash)])
    const answers = await Promise.all([54, 62].map((bits) => asking(away(stored, bits), 0)))
    t.match(answers, [/^(?!.*agreement)/, /"agreement":\{"share":0.75/], 'the answer shows whether it agrees')
    return await recovered(stored, away(stored, 58), asking)
  })
  t.ok(known < 12, `${known} bits of 58`)
})

/** What organisations recover who ask in turn, starting this many bits from a picture. */
function recoveredBy(organisations: number, bits: number, prepare?: (stored: Hash256) => Promise<void>) {
  return atMostOnce(12, async () => {
    const stored = await registered()
    await prepare?.(stored)
    const all = await Promise.all(Array.from({ length: organisations }, platform))
    const asking: Ask = (hash, nth) => answerTo(here, all[nth % organisations]?.headers ?? {}, [signal(hash)])
    return await recovered(stored, away(stored, bits), asking)
  })
}

t.test('a search in one call recovers no more than in many calls, and other organisations find the image', async (t) => {
  const stored = await registered()
  const { headers } = await platform()
  const queries = BITS.map((bit) => [signal(flipped(away(stored, 32), [bit]))])
  const told = (await matches(here, headers, queries)).filter((all) => all.length > 0)
  t.ok(told.length < 16, `${told.length} bits`) // 12 by chance in 600 runs, 16 in a million
  t.match(await answerTo(here, headers, [signal(away(stored, 8))]), /"16-31"/, 'this organisation is not told the band')
  t.match(await answerTo(here, watcher.headers, [signal(away(stored, 8))]), /"1-15"/, 'and others are')
  t.equal((await matches(here, watcher.headers, [[signal(away(stored, 31))]]))[0]?.length, 1, 'and find it as before')
})

t.test('several colluding organisations recover no more than one', async (t) => {
  const known = await recoveredBy(3, 32)
  t.ok(known < 12, `${known} bits`)
})

t.test('a key with match:distance gets few exact distances near an image', async (t) => {
  const { headers } = await keyFor(here, 'benchmark', ['match', 'match:distance'])
  const stored = await registered()
  const known = await recovered(stored, away(stored, 20), (hash) => answerTo(here, headers, [signal(hash)]))
  t.ok(known < 12, `${known} bits`)
})

t.test('whatever is asked near a picture, its copies within half of the radius are found', async (t) => {
  for (const [uploads, chosen] of [
    [49, [16, 31, 32]],
    [800, [23, 31, 32, 33]],
  ] as const) {
    const stored = await registered()
    const other = await registered()
    const { headers } = await platform()
    const text = formatHash(stored)
    const queries = Array.from({ length: uploads }, (_, i) => [
      { type: 'pdq', hash: randomlyFlipped(text, chosen[i % chosen.length] ?? 32) },
    ])
    await matches(here, headers, queries)
    const copies = (from: number, to: number) =>
      Array.from({ length: 17 * 8 }, (_, i) => [{ type: 'pdq', hash: randomlyFlipped(text, from + (i % (to - from + 1))) }])
    const near = await matches(here, headers, copies(1, 16))
    t.equal(near.filter((all) => all.length === 1).length, near.length, `after ${uploads} chosen uploads`)
    t.ok(
      near.flat().every((match) => /"near".*"16-31"/.test(match)),
      'without their bands',
    )
    const far = copies(24, 24)
    const told = await matches(here, headers, far)
    const found = told.filter((all) => all.length === 1).length
    t.ok(found > 30 && found < 106, `farther ones are found at random: ${found} of ${far.length} at 24 bits`)
    t.same(await matches(here, headers, far), told, 'and alike when they are asked about once more')
    t.notSame(await answerTo(here, headers, [signal(stored)]), '', 'the same hash is found')
    t.match(await answerTo(here, headers, [signal(away(other, 8))]), /"1-15"/, 'and other pictures with their bands')
    t.equal((await matches(here, watcher.headers, far)).flat().length, far.length, 'and by others all of them')
  }
})

t.test('an organisation that searches for many images keeps its keys, and the operator is told', async (t) => {
  const admin = await operator(here)
  const { headers, key } = await keyFor(here, 'curious', ['match'])
  const { url, headers: hers } = await openCase(here.app)
  const hashes = Array.from({ length: 30 }, () => hashFromBytes(randomBytes(32)))
  const images = hashes.map((hash) => ({ signals: [{ ...signal(hash), quality: 100 }] }))
  t.equal((await post(here.app, `${url}/hashes`, { images }, hers)).statusCode, 201)
  const each = hashes.map((hash) => [signal(hash)])
  const known = () => matches(here, watcher.headers, each)
  await until(async () => (await known()).every(({ length }) => length === 1))
  // Below the budget of each image, so that only their sum is conspicuous.
  const queries = hashes.flatMap((hash) => BITS.slice(0, 12).map((bit) => [signal(flipped(away(hash, 32), [bit]))]))
  t.equal((await matches(here, headers, queries)).length, 360)
  const told = async () =>
    (await ask(here, 'GET', '/v1/events', admin.headers)).json<{ events: { kind: string; about: object }[] }>().events
  const orgId = here.services.identify(key)?.orgId
  await until(async () =>
    (await told()).some(({ kind, about }) => kind === 'key.suspected' && Reflect.get(about, 'orgId') === orgId),
  )
})

t.test('one upload near hundreds of registered images suspends no key and reduces no answer', async (t) => {
  const { headers } = await platform()
  const other = await registered()
  const picture = hashFromBytes(randomBytes(32))
  for (let cases = 0; cases < 2; cases++) {
    const { url, headers: theirs } = await openCase(here.app)
    const copy = () => ({ type: 'pdq', hash: randomlyFlipped(formatHash(picture), 33), quality: 100 })
    const images = Array.from({ length: 155 }, () => ({ signals: [copy()] }))
    t.equal((await post(here.app, `${url}/hashes`, { images }, theirs)).statusCode, 201)
  }
  const wide = () => matches(here, watcher.headers, [[signal(picture)]], { thresholdBits: 45 })
  await until(async () => (await wide())[0]?.length === 10) // five of each case
  t.equal(await answerTo(here, headers, [signal(picture)]), '')
  t.match(await answerTo(here, headers, [signal(away(other, 25))]), /"16-31"/)
})

t.test('uploading copies of own pictures to a platform costs it no answer about others', async (t) => {
  const victim = await platform()
  const other = await registered()
  for (const own of await Promise.all([registered(), registered()])) {
    for (let nth = 0; nth < 130; nth++) {
      const bits = nth < 20 ? 30 + (nth % 3) : 6 + (nth % 22)
      await answerTo(here, victim.headers, [{ type: 'pdq', hash: randomlyFlipped(formatHash(own), bits) }])
    }
    t.not(await answerTo(here, victim.headers, [signal(own)]), '', 'an unchanged upload is found')
  }
  t.not(await answerTo(here, victim.headers, [signal(away(other, 25))]), '', 'pictures of others are found')
})

t.test('a search between a registered picture and an allowlisted one recovers almost nothing', async (t) => {
  for (const organisations of [1, 3]) {
    const known = await recoveredBy(organisations, 20, (stored) => harmlessBeside(here, stored, 40))
    t.ok(known < 12, `at equal distance to both, by ${organisations}: ${known} bits of 20`)
  }
})

t.test('copies of an allowlisted picture suspend no key, even if a copy of it is registered', async (t) => {
  const stored = await registered()
  const other = await registered()
  await harmlessBeside(here, stored, 10)
  const { headers } = await platform()
  for (let nth = 0; nth < 400; nth++) {
    const copy = flipped(away(stored, nth % 23), [(nth * 101) % 256, (nth * 57) % 256])
    await answerTo(here, headers, [signal(copy), noise()])
  }
  t.not(await answerTo(here, headers, [signal(stored)]), '', 'the same picture is found')
  t.not(await answerTo(here, headers, [signal(away(other, 25))]), '', 'other images are found')
})

// The share of queries near an edge does not distinguish such a search from a picture that is posted everywhere; the flipped bits do.
t.test('a search that is hidden among copies is stopped before it recovers the hash', async (t) => {
  const stored = await registered()
  const { headers } = await platform()
  const at = away(stored, 32)
  const known = await recovered(stored, at, async (hash, nth) => {
    for (const more of [0, 1, 2])
      await answerTo(here, headers, [signal(flipped(away(stored, 20), [(3 * nth + more) % 256, nth % 7]))])
    return await answerTo(here, headers, [signal(hash)])
  })
  t.ok(known < 28, `${known} bits of 32`)
})

t.test('copies of a picture at all distances are answered correctly in any number', async (t) => {
  const stored = await registered()
  const { headers } = await platform()
  const lost: number[] = []
  for (let nth = 0; nth < 400; nth++) {
    const bits = (nth * 17) % 50
    const copy = flipped(away(stored, bits), [])
    const told = await answerTo(here, headers, [signal(copy), noise()])
    if ((told !== '') !== bits <= 31) lost.push(bits)
  }
  t.same(lost, [])
})

// What a platform could write with the three packages. test/packages.test.ts compiles it against their declarations and runs it.

import { type MatchResult, TabirProblem, tabirClient } from '@tabir/client'
import { type AskedSignal, openFeed, parseHash } from '@tabir/feed'
import { type GivenSignal, hashImage, type Pixels } from '@tabir/hash'

declare const process: { readonly argv: readonly string[] }
const [, , url = '', key = ''] = process.argv

/** Grey blocks, the same each time. */
function picture(): Pixels {
  const [width, height] = [160, 120]
  const data = Uint8Array.from({ length: width * height }, (_, i) => {
    const block = Math.floor(i / width / 10) * 16 + Math.floor((i % width) / 10)
    return (block * block * 73 + block * 151) % 251
  })
  return { data, width, height, channels: 1 }
}

const anybody = tabirClient({ url })
const { caseNumber, token } = await anybody.call('openCase', { body: { adult: true } })
const her = tabirClient({ url, key: token })
const { signals } = await hashImage(picture(), { purpose: 'register' })
await her.call('addHashes', { params: { caseNumber }, body: { images: [{ signals }] } })

const platform = tabirClient({ url, key })
const found: MatchResult = await platform.matchPixels(picture())

const feed = await openFeed({ baseUrl: url, key })
await feed.sync()
const asked = (given: GivenSignal): AskedSignal[] => {
  const hash = parseHash(given.hash)
  return hash === undefined ? [] : [{ type: given.type, view: given.view, hash, quality: given.quality }]
}
const { signals: askedAbout } = await hashImage(picture())
const [held] = feed.match(askedAbout.flatMap(asked))

const refused = await tabirClient({ url, maxTries: 1 })
  .call('listBanks', {})
  .catch((error: unknown) => (error instanceof TabirProblem ? error.code : 'another error'))

// @ts-expect-error: there is no such operation.
const wrongOperation = () => anybody.call('openCases', { body: { adult: true } })
// @ts-expect-error: a case number has to be given.
const withoutNumber = () => her.call('getCase', {})
// @ts-expect-error: five channels.
const wrongPixels = (): Pixels => ({ ...picture(), channels: 5 })
// @ts-expect-error: text is no hash.
const wrongHash = () => feed.match([{ type: 'pdq', hash: 'ff' }])
void [wrongOperation, withoutNumber, wrongPixels, wrongHash]

console.log(JSON.stringify({ grade: found.matches?.[0]?.grade, held: held?.distanceBits, size: feed.size, refused }))

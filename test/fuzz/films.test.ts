// What `npm run fuzz video` compares films with: it sees pictures at wrong moments, and moments that nothing is registered of.

import t from 'tap'
import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { FRAME_INTERVAL_MS } from '../../packages/hash/src/video-frames.js'
import { ffmpeg } from '../helpers/videos.js'
import { type Chance, chanceFrom } from './chance.js'

interface Film {
  readonly shown: readonly { readonly atMs: number; readonly hash: Hash256; readonly quality: number }[]
}
interface Registered {
  readonly durationMs: number
  readonly frames: readonly { readonly atMs: number; readonly signals: readonly object[] }[]
  readonly protectedShare: number
}
interface Films {
  readonly makeFilm: (chance: Chance) => Film | undefined
  readonly oddityOf: (film: Film, video: Registered) => string | undefined
}

const { makeFilm, oddityOf }: Films = await import(new URL('../../../fuzz/video-films.mjs', import.meta.url).href)

t.test('films are compared with what ffmpeg shows', { skip: ffmpeg === undefined && 'without ffmpeg' }, async (t) => {
  const film = makeFilm(chanceFrom(4))
  if (film === undefined) return t.pass('this ffmpeg lacks the encoder')
  const interval = (atMs: number) => Math.floor(atMs / FRAME_INTERVAL_MS)
  const frames = film.shown
    .filter(({ atMs }, i) => i === 0 || interval(atMs) > interval(film.shown[i - 1]?.atMs ?? 0))
    .map(({ atMs, hash, quality }) => ({ atMs, signals: [{ type: 'pdq', quality, hashes: [hash] }] }))
  const odd = (some: typeof frames, protectedShare = 1) =>
    oddityOf(film, { durationMs: Number.POSITIVE_INFINITY, frames: some, protectedShare })
  t.equal(odd(frames), undefined)
  const late = frames.map((frame) => ({ ...frame, atMs: frame.atMs + 2 * FRAME_INTERVAL_MS }))
  t.match(odd(late), /is a picture \d+ bits from that of ffmpeg/)
  const first = frames.slice(0, Math.ceil(frames.length / 4))
  t.match(odd(first), /of its intervals have a registered picture, and the answer says 1/)
  t.equal(odd(first, 0.25), undefined, 'where the answer says so')
})

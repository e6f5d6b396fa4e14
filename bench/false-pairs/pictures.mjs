// Many pictures of few photographs. Only pictures of one photograph are related.

import sharp from 'sharp'
import { decode } from '../../dist/workers/media/decode.js'
import { KINDS } from '../robustness/confusing-kinds.mjs'
import { openEdits } from '../robustness/edits.mjs'
import { plain, textPage } from '../robustness/pages.mjs'
import { randomOf } from '../variants/random.mjs'

const MIN_SIDE_SHARE = 0.3
const LAYOUTS = new URL('../variants/unseen.mjs', import.meta.url).pathname

/** What shows no photograph: `{ name, origin, kind, read }`, of origins that nothing else has. */
export function pagesOf(side, number) {
  sharp.unblock({ operation: ['VipsForeignLoadSvgBuffer'] }) // which the decoder shuts
  return Array.from({ length: number }, (_, i) => {
    const [kind, svg] = i % 2 === 0 ? ['text', textPage] : ['plain', plain]
    const name = `${side}.${kind}-${i}`
    const read = async () =>
      decode(
        await sharp(Buffer.from(svg(name, i % 5)))
          .flatten({ background: '#fff' })
          .jpeg({ quality: 85 })
          .toBuffer(),
      )
    return { name, origin: name, kind, read }
  })
}

/**
 * Pieces of a photograph, of any place and shape, half of them mirrored, and of those that are asked about half with little contrast. `side` is
 * part of the seed, so that no two sides have the same. The registered ones begin with all of it.
 */
export async function* piecesOf({ stem, read }, side, from, to) {
  if (side === 'registered') yield { name: stem, origin: stem, kind: 'piece', read: () => decode(read()) }
  const whole = await opened(read())
  for (let i = from; i < to; i++) {
    const name = `${stem}.${side}-${i}`
    yield { name, origin: stem, kind: 'piece', read: async () => pieceOf(whole, name, side === 'asked') }
  }
}

/** The photograph in an app, in a frame, under stickers or words, a kind by chance each. */
export async function* confusingOf(photo, side, from, to) {
  for (let i = from; i < to; i++) {
    const seed = `${side}-${i}`
    const edits = await openEdits({ layouts: LAYOUTS, only: [randomOf(`kind ${photo.stem} ${seed}`).pick(KINDS)], seed })
    for await (const { id, bytes } of edits.of({ ...photo, others: [] }))
      yield { name: `${photo.stem}.${seed}.${id}`, origin: photo.stem, kind: id, read: () => decode(bytes) }
  }
}

async function opened(bytes) {
  const { data, info } = await sharp(bytes)
    .rotate()
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}

function pieceOf({ data, width, height }, seed, mayFade) {
  const random = randomOf(seed)
  const share = (whole) => Math.round(whole * (MIN_SIDE_SHARE + random.int(0, 500) / 1000))
  const [across, down] = [share(width), share(height)]
  const [left, top] = [random.int(0, width - across), random.int(0, height - down)]
  const isMirrored = random.int(0, 1) === 1
  const pixels = Buffer.alloc(across * down * 3)
  for (let y = 0; y < down; y++) {
    const row = 3 * ((top + y) * width + left)
    data.copy(pixels, 3 * y * across, row, row + 3 * across)
    if (isMirrored) mirror(pixels, 3 * y * across, across)
  }
  if (mayFade && random.int(0, 1) === 1) fade(pixels, 0.1 + random.int(0, 500) / 1000)
  return { data: pixels, width: across, height: down, channels: 3, aspect: across / down }
}

function fade(pixels, share) {
  for (const [i, level] of pixels.entries()) pixels[i] = 128 + share * (level - 128)
}

function mirror(pixels, start, across) {
  for (let x = 0; x < across >> 1; x++) {
    const [a, b] = [start + 3 * x, start + 3 * (across - 1 - x)]
    for (let channel = 0; channel < 3; channel++) {
      const kept = pixels[a + channel]
      pixels[a + channel] = pixels[b + channel]
      pixels[b + channel] = kept
    }
  }
}

// Opens HEIC with libheif, where the browser cannot.

import factory from 'libheif-js/libheif-wasm/libheif.js'
import wasm from 'libheif-js/libheif-wasm/libheif.wasm'
import { MAX_PIXELS, MAX_SIDE_PX } from '../../packages/hash/src/pixels.js'
import { createHeifReader, type HeifPicture } from '../../src/domain/media/heif-picture.js'
import { Problem } from '../../src/domain/problem.js'
import { type Opened, type Opener, openedPicture } from './opened.js'
import { type Outcome, type Reason, rejected } from './outcome.js'
import type { ColourSpace } from './png.js'
import { rawSource } from './raw-source.js'

/** All memory of the decoder. The largest pictures of phones, 48 megapixels in tiles, take less. */
const LIMITS = { maxPixels: MAX_PIXELS, maxSidePx: MAX_SIDE_PX, maxMemoryBytes: 400 << 20 }

const WHY: Readonly<Partial<Record<Problem['code'], Reason>>> = {
  'image-too-many-pixels': 'too-many-pixels',
  'image-undecodable': 'damaged',
  'media-unsupported': 'server-cannot', // which reads HEIC with the same library
  'hashing-unavailable': 'no-memory',
}

export const openHeif: Opener = async ({ file }) => {
  reader ??= createHeifReader(factory, new WebAssembly.Module(wasm))
  const bytes = new Uint8Array(await file.arrayBuffer())
  return opened(reader, bytes).finally(() => bytes.fill(0))
}

let reader: ReturnType<typeof createHeifReader> | undefined

/** The picture is in the decoder's memory, which is overwritten when the file is closed. */
function opened({ read }: ReturnType<typeof createHeifReader>, bytes: Uint8Array): Promise<Opened | Outcome> {
  return new Promise((done, failed) => {
    const use = (picture: HeifPicture) =>
      new Promise<void>((close) => done(openedPicture(rawSource({ ...picture, space: spaceOf(picture) }), close)))
    read(bytes, LIMITS, use).catch((error: unknown) => {
      // libheif stops where a file is so broken that it does not notice.
      if (error instanceof WebAssembly.RuntimeError) return done(rejected('damaged'))
      const why = error instanceof Problem ? WHY[error.code] : undefined
      return why === undefined ? failed(error) : done(rejected(why))
    })
  })
}

/** BT.709 and sRGB, and what is not said: their code points for primaries and for transfer. */
const USUAL_PRIMARIES = [1, 2]
const USUAL_TRANSFERS = [1, 2, 6, 13]

function spaceOf({ profile, colours }: HeifPicture): ColourSpace | undefined {
  if (profile !== undefined || colours === undefined) return profile
  const isUsual = USUAL_PRIMARIES.includes(colours.primaries) && USUAL_TRANSFERS.includes(colours.transfer)
  return isUsual ? undefined : colours
}

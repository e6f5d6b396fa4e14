// Opens HEIC with libheif, where the browser cannot.

import factory from 'libheif-js/libheif-wasm/libheif.js'
import wasm from 'libheif-js/libheif-wasm/libheif.wasm'
import { MAX_PIXELS, MAX_SIDE_PX } from '../../packages/hash/src/pixels.js'
import { apertureOf, type PicturePart, withoutAperture } from '../../src/domain/media/heif/heif-aperture.js'
import { createHeifReader, type HeifPicture, type HeifReader } from '../../src/domain/media/heif/heif-picture.js'
import { Problem } from '../../src/domain/problem.js'
import type { Opener } from './opened.js'
import { type Outcome, type Reason, rejected } from './outcome.js'
import type { ColourSpace } from './png.js'
import { rawSource } from './raw-source.js'
import type { Source } from './source.js'

/** All memory of the decoder. The largest pictures of phones, 48 megapixels in tiles, take less. */
const LIMITS = { maxPixels: MAX_PIXELS, maxSidePx: MAX_SIDE_PX, maxMemoryBytes: 400 << 20 }

const WHY: Readonly<Partial<Record<Problem['code'], Reason>>> = {
  'image-too-many-pixels': 'too-many-pixels',
  'image-undecodable': 'damaged',
  'media-unsupported': 'server-cannot', // which reads HEIC with the same library
  'hashing-unavailable': 'no-memory',
}

/**
 * Yields first the whole picture, then, if there is a clean aperture, the part that it shows, like the service's decoder. Each is decoded on
 * request.
 */
export const openHeif: Opener = async ({ file }) => {
  reader ??= createHeifReader(factory, new WebAssembly.Module(wasm))
  const own = reader
  const bytes = new Uint8Array(await file.arrayBuffer())
  const whole = withoutAperture(bytes)
  const part = whole === undefined ? undefined : apertureOf(bytes)
  const parts = part === undefined ? [undefined] : [undefined, part]
  const wipe = () => {
    for (const each of [bytes, whole]) each?.fill(0)
  }
  let last = await decoded(own, whole ?? bytes, undefined).catch((error: unknown) => {
    wipe()
    throw error
  })
  let lastIndex = 0
  if ('kind' in last) {
    wipe()
    return last
  }
  return { count: parts.length, source, close }

  async function source(index: number): Promise<Source | undefined> {
    if (index !== lastIndex) {
      if (!('kind' in last)) last.close()
      last = await decoded(own, whole ?? bytes, parts[index])
      lastIndex = index
    }
    // A picture that has another size than it declares has no such part. Then the whole picture alone is hashed.
    return 'kind' in last ? undefined : last.source
  }

  function close(): void {
    if (!('kind' in last)) last.close()
    wipe()
  }
}

let reader: HeifReader | undefined

interface Decoded {
  readonly source: Source
  readonly close: () => void
}

/** The picture is in the decoder's memory, which is overwritten by `close`. */
function decoded({ read }: HeifReader, bytes: Uint8Array, part: PicturePart | undefined): Promise<Decoded | Outcome> {
  return new Promise((done, failed) => {
    const use = (picture: HeifPicture) =>
      new Promise<void>((close) => done({ source: rawSource({ ...picture, space: spaceOf(picture) }), close }))
    read(bytes, { ...LIMITS, part }, use).catch((error: unknown) => {
      // libheif traps on damage that it does not notice.
      if (error instanceof WebAssembly.RuntimeError) return done(rejected('damaged'))
      const why = error instanceof Problem ? WHY[error.code] : undefined
      return why === undefined ? failed(error) : done(rejected(why))
    })
  })
}

/** Code points for BT.709 and sRGB, and for unspecified: of primaries and of transfer. */
const USUAL_PRIMARIES = [1, 2]
const USUAL_TRANSFERS = [1, 2, 6, 13]

function spaceOf({ profile, colours }: HeifPicture): ColourSpace | undefined {
  if (profile !== undefined || colours === undefined) return profile
  const isUsual = USUAL_PRIMARIES.includes(colours.primaries) && USUAL_TRANSFERS.includes(colours.transfer)
  return isUsual ? undefined : colours
}

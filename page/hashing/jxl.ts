// Opens JPEG XL with jxl-oxide, where the browser cannot. It writes PNG, which every browser can open.

import wasm from 'jxl-oxide-wasm/module.wasm'
import { chooseFrames } from '../../packages/hash/src/file-frames.js'
import { MAX_PIXELS, MAX_SIDE_PX } from '../../packages/hash/src/pixels.js'
import { lengthOf } from '../../packages/hash/src/video/animation-frames.js'
import { jxlDurations } from '../../src/domain/media/jxl-frames.js'
import { compileJxl } from '../../src/domain/media/jxl-instance.js'
import { type JxlFile, openJxl } from '../../src/domain/media/jxl-picture.js'
import { Problem } from '../../src/domain/problem.js'
import { drawnSource } from './drawn.js'
import type { Opened, Opener } from './opened.js'
import { type Reason, rejected } from './outcome.js'
import type { Source } from './source.js'

/** All memory of the decoder: that of 15 megapixels. */
const LIMITS = { maxPixels: MAX_PIXELS, maxSidePx: MAX_SIDE_PX, maxMemoryBytes: 600 << 20, isPartShown: false }

const WHY: Readonly<Partial<Record<Problem['code'], Reason>>> = {
  'image-too-many-pixels': 'too-many-pixels',
  'image-undecodable': 'damaged',
  'media-unsupported': 'server-cannot', // which reads JPEG XL with the same library
  'hashing-unavailable': 'no-memory',
}

export const openWithJxlOxide: Opener = async ({ file }) => {
  compiled ??= compileJxl(wasm)
  const bytes = new Uint8Array(await file.arrayBuffer())
  try {
    const jxl = openJxl(compiled, bytes, LIMITS)
    return await opened(jxl, jxlDurations(bytes, jxl.frames))
  } catch (error) {
    const why = error instanceof Problem ? WHY[error.code] : undefined
    if (why === undefined) throw error
    return rejected(why)
  } finally {
    bytes.fill(0)
  }
}

let compiled: WebAssembly.Module | undefined

/** Decodes the first picture at once, so that damage is known. All memory of the decoder is overwritten when the file is closed. */
async function opened(jxl: JxlFile, durations: readonly number[]): Promise<Opened> {
  const frames = chooseFrames(durations)
  const sourceOf = async (index: number): Promise<Source> => {
    const png = new Blob([jxl.png(frames[index] ?? 0)], { type: 'image/png' })
    return drawnSource(await createImageBitmap(png), { hasAlpha: true, isDecodedWhole: true })
  }
  let at = 0
  let open = await sourceOf(0).catch((error: unknown) => {
    jxl.close()
    throw error
  })
  return {
    count: frames.length,
    ...(durations.length > 1 && {
      animation: {
        length: lengthOf(durations, []),
        shownMs: frames.map((frame) => durations[frame] ?? 0),
        async *moments() {},
      },
    }),
    async source(index) {
      if (index === at) return open
      open.close()
      open = await sourceOf(index)
      at = index
      return open
    },
    close() {
      open.close()
      jxl.close()
    },
  }
}

// The decoder of JPEG XL: jxl-oxide in WebAssembly converts each frame to PNG, which libvips decodes.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chooseFrames } from '../../packages/hash/src/file-frames.js'
import { MAX_PIXELS, MAX_SIDE_PX } from '../../packages/hash/src/pixels.js'
import { lengthOf } from '../../packages/hash/src/video/animation-frames.js'
import { jxlDurations } from '../../src/domain/media/jxl-frames.js'
import { compileJxl } from '../../src/domain/media/jxl-instance.js'
import { openJxl } from '../../src/domain/media/jxl-picture.js'
import { allowedMemoryMb } from '../../src/domain/media/picture-cost.js'
import type { Decoder } from './decoder.js'
import { libvips } from './libvips.js'

/**
 * The decoder keeps each frame that a later one is drawn on, 16 bytes a pixel. Headers do not tell which. So an animation may use what a file of its
 * size may cost, whatever its header suggests.
 */
export const jxl: Decoder = {
  async *open(bytes, _, limits) {
    compiled ??= compileJxl(readFileSync(fileURLToPath(import.meta.resolve('jxl-oxide-wasm/module.wasm'))))
    const file = openJxl(compiled, bytes, {
      maxPixels: MAX_PIXELS,
      maxSidePx: MAX_SIDE_PX,
      maxMemoryBytes: BASE_BYTES + 2 * bytes.length + 1e6 * allowedMemoryMb(bytes.length),
      isPartShown: limits.purpose === 'query',
    })
    try {
      const durations = jxlDurations(bytes, file.frames)
      if (durations.length > 1 && limits.maxFrames !== 1) limits.moments?.begin(lengthOf(durations, []))
      for (const frame of chooseFrames(durations)) {
        const png = file.png(frame)
        for await (const shown of libvips.open(Buffer.from(png.buffer, png.byteOffset, png.length), 'png', limits))
          yield { ...shown, shownMs: durations[frame] ?? 0 }
      }
    } finally {
      file.close()
    }
  },
}

/** Compiled with the first picture, once for all pictures of a process. */
let compiled: WebAssembly.Module | undefined
/** Memory of the decoder without a picture. */
const BASE_BYTES = 64 << 20

// Tells a lack of memory from damage: the first is this machine's fault, and nobody's image may be called damaged for it.

import { isOutOfMemory } from '../../packages/hash/src/wasm.js'

/** As libvips, libjpeg, libpng, libwebp, libtiff, libheif and the C++ runtime say it. */
const DECODERS_WORDS = /out of memory|not enough memory|insufficient memory|cannot allocate|allocation failed|bad_alloc/i

/** @param error what a decoder, an allocation or a kernel threw. */
export function ranOutOfMemory(error: unknown): boolean {
  return isOutOfMemory(error) || (error instanceof Error && DECODERS_WORDS.test(error.message))
}

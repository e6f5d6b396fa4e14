// Tells a lack of memory from a damaged file: an image must not be called damaged because this machine has too little memory.

import { isOutOfMemory } from '../../packages/hash/src/wasm.js'

/** The messages of libvips, libjpeg, libpng, libwebp, libtiff, libheif and the C++ runtime. */
const DECODERS_WORDS = /out of memory|not enough memory|insufficient memory|cannot allocate|allocation failed|bad_alloc/i

/** @param error what a decoder, an allocation or a kernel threw. */
export function ranOutOfMemory(error: unknown): boolean {
  return isOutOfMemory(error) || (error instanceof Error && DECODERS_WORDS.test(error.message))
}

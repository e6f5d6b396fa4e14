// imghash as an oracle for blockhash, and the pictures to compare.

import fc from 'fast-check'
import imghash from 'imghash'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { runs } from '../helpers/runs.js'
import { noisy } from './synthetic.js'

/** Sides that the 16 blocks divide, and others. */
export const SIDES = [
  [16, 16],
  [17, 33],
  [100, 75],
  [256, 256],
  [321, 200],
] as const

/** The hash that imghash computes from every pixel. */
export function allPixels({ data, width, height, channels }: Pixels): string {
  const rgba = Uint8Array.from({ length: 4 * width * height }, (_, k) =>
    k % 4 === 3 ? 255 : (data[Math.floor(k / 4) * channels + (channels === 1 ? 0 : k % 4)] ?? 0),
  )
  return imghash.hashRaw({ width, height, data: rgba }, 16)
}

/** Checks pictures that are close calls for blockhash: flat, nearly flat, dark and bright. */
export function checkCloseCalls(check: (picture: Pixels) => void): void {
  const side = fc.integer({ min: 16, max: 70 })
  fc.assert(
    fc.property(fc.nat(), side, side, fc.integer({ min: 1, max: 3 }), fc.nat(252), (seed, width, height, steps, base) => {
      const { data, ...size } = noisy(seed, width, height, 3)
      check({ ...size, data: data.map((byte) => base + (byte % (steps + 1))) })
    }),
    { numRuns: runs(60) },
  )
  for (const grey of [127, 128, 129]) check({ data: new Uint8Array(32 * 32).fill(grey), width: 32, height: 32, channels: 1 })
}

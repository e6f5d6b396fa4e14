// Sixteen pictures with the results of Meta's reference implementation (ThreatExchange, pdq/cpp), without any decoder.

import { readFileSync } from 'node:fs'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { wordsFrom } from './synthetic.js'

export interface Vector {
  readonly name: string
  readonly picture: Pixels
  readonly hash: string
  readonly quality: number
  readonly dihedral: readonly string[]
}

const FIRST_SEED = 12345

const file = new URL('../../../test/data/pdq-synthetic.json', import.meta.url)
const answers: readonly (Omit<Vector, 'picture'> & { readonly width: number; readonly height: number })[] = JSON.parse(
  readFileSync(file, 'utf8'),
)

export const vectors: readonly Vector[] = answers.map(({ width, height, ...answer }, k) => ({
  ...answer,
  picture: { data: pattern(FIRST_SEED + k, width, height), width, height, channels: 3 },
}))

function pattern(seed: number, width: number, height: number): Uint8Array {
  const word = wordsFrom(seed)
  const data = new Uint8Array(width * height * 3)
  for (let y = 0, k = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++, k++) {
        const slope = Math.floor((x * x * (channel + 1)) / width) + Math.floor((y * y * 3) / height)
        const base = (slope + Math.floor((x * y) / (width + height)) * (channel + 2)) % 224
        data[k] = base + (word() >>> 27)
      }
    }
  }
  return data
}

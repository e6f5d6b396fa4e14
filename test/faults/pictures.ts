// The pictures of the fault suite: each carries a unique text, so that its traces can be searched for.

import { canary, type Needle } from '../helpers/canary.js'
import { withJpegComment } from '../helpers/hostile-pictures.js'
import { type Picture, scene } from '../helpers/pictures.js'

export interface MarkedPictures {
  /** All files that show one picture: they match each other. */
  readonly pictures: readonly (readonly Picture[])[]
  readonly needles: readonly Needle[]
}

const CANARY_SEED = 4712
const SCENES = 7

export async function markedPictures(): Promise<MarkedPictures> {
  const { accepted, needles, pattern } = await canary(CANARY_SEED)
  const text = pattern.toString()
  const scenes = await Promise.all(
    Array.from({ length: SCENES }, async (_, i) => {
      const { bytes, ...rest } = await scene(9000 + i, { width: 320, height: 240 })
      const marked = Buffer.concat([withJpegComment(bytes, text), pattern])
      return [{ ...rest, name: `${text}.jpg`, bytes: marked }]
    }),
  )
  return { pictures: [accepted, ...scenes], needles }
}

// A long picture such as a scrolling screenshot: scenes on a plain background, too large to be hashed at full resolution.

import sharp from 'sharp'
import { fromPixels, type Pixels, scenePixels } from './pictures.js'

export const SCENE = { width: 320, height: 240 } as const

/** @param seeds of the scenes, nine or more. @param isTall whether the scenes are below each other or side by side. */
export async function longPicture(seeds: readonly number[], isTall = true): Promise<Pixels> {
  const layers = await Promise.all(
    seeds.map(async (seed, i) => {
      const input = await fromPixels(scenePixels(seed, SCENE)).png({ compressionLevel: 1 }).toBuffer()
      const along = 37 + 437 * i
      return isTall ? { input, left: 30, top: along } : { input, left: along, top: 30 }
    }),
  )
  const long = 67 + 437 * seeds.length
  const [width, height] = isTall ? [400, long] : [long, 400]
  const create = { width, height, channels: 3, background: '#efe7de' } as const
  const data = await sharp({ create }).composite(layers).removeAlpha().raw().toBuffer()
  return { data, width, height }
}

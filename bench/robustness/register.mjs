// Registers the pictures that must be found, and the distractors.

import { progress } from '../report.mjs'
import { decode, isTooPlain } from './hasher.mjs'
import { registeredOf } from './registered.mjs'

/**
 * @returns `images`, the number of each photograph by its name; `names`, the name by number, of distractors too; how many
 *   pictures could not be decoded, and how many the service refuses as too plain: these are left out; and how many rows a photograph has.
 */
export async function register({ references, baselines, details, cache }, photos, distractors) {
  const images = new Map()
  const names = []
  let [rows, unreadable, tooPlain] = [0, 0, 0]
  const add = async (picture) => {
    const found = await registeredOf(picture, { wantsDetails: details !== undefined, cache })
    if (found === undefined) {
      unreadable++
      return undefined
    }
    const { signals, looked } = found
    if (isTooPlain(signals)) {
      tooPlain++
      return undefined
    }
    const image = references.add(signals)
    await details?.add(image, signals, looked)
    if (baselines.length > 0) {
      const pixels = await decode(picture.read())
      for (const baseline of baselines) baseline.add(image, { signals, pixels })
    }
    return { image, signals }
  }

  const draw = progress('registering', photos.length + distractors.length)
  for (const [i, photo] of photos.entries()) {
    const added = await add(photo)
    draw(i + 1)
    if (added === undefined) continue
    images.set(photo.name, added.image)
    names[added.image] = photo.name
    rows += added.signals.length
  }
  for (const [i, distractor] of distractors.entries()) {
    const added = await add(distractor)
    draw(photos.length + i + 1)
    if (added !== undefined) names[added.image] = distractor.name
  }
  details?.settle()
  return { images, names, photos: images.size, unreadable, tooPlain, rowsPerImage: rows / Math.max(1, images.size) }
}

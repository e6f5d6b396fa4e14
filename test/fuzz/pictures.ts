// Pictures of every format with something changed: each is decoded or refused, with no other outcome.

import { Problem } from '../../src/domain/problem.js'
import { hashImage } from '../../workers/media/hashes-of-file.js'
import { HEIC_FILES, heic } from '../helpers/heic.js'
import { everyFormat } from '../helpers/pictures.js'
import { type Chance, mutatedBytes } from './chance.js'

/**
 * @returns how many pictures were tried, and which errors were no refusal. A decoder that crashes takes this process with it.
 */
export async function fuzzPictures(
  chance: Chance,
  budgetMs: number,
): Promise<{ readonly tried: number; readonly finds: readonly string[] }> {
  const pictures = [...(await everyFormat(chance.below(4))), ...HEIC_FILES.map((name) => ({ name, bytes: heic(name) }))]
  const finds: string[] = []
  let tried = 0
  const untilMs = performance.now() + budgetMs
  while (performance.now() < untilMs || tried === 0) {
    const { name, bytes } = chance.oneOf(pictures)
    // Most of a format's metadata is at its beginning.
    const headBytes = chance.happens(0.7) ? Math.min(bytes.length, 1024) : bytes.length
    const mutated = Buffer.concat([mutatedBytes(chance, bytes.subarray(0, headBytes)), bytes.subarray(headBytes)])
    try {
      await hashImage(mutated, 'query')
    } catch (error) {
      if (!(error instanceof Problem)) finds.push(`${name}: ${String(error)}`)
    }
    tried++
  }
  return { tried, finds }
}

// What the sandbox says about one picture.

import { createHash } from 'node:crypto'
import { Problem } from '../../src/domain/problem.js'
import type { HandoffAnswer } from '../../src/handoff/message.js'
import { hashFromBytes } from '../../src/hash/hash256.js'
import { hashImage } from './hash-image.js'

/** The hashes, or the code of the refusal; never the words of a decoder. `bytes` stay the caller's to wipe. */
export async function answerFor(bytes: Buffer): Promise<HandoffAnswer> {
  try {
    const { quality, pdq, blockhash } = await hashImage(bytes)
    const file = hashFromBytes(createHash('sha256').update(bytes).digest().reverse())
    return {
      image: {
        quality,
        signals: [
          { type: 'pdq', view: 'whole', quality, hashes: pdq },
          { type: 'blockhash', view: 'whole', quality, hashes: blockhash },
          { type: 'sha256', view: 'whole', quality: 100, hashes: [file] },
        ],
      },
    }
  } catch (error) {
    return { problem: error instanceof Problem ? error.code : 'image-undecodable' }
  }
}

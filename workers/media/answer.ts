// Computes a child's answer about one picture.

import type { Purpose } from '../../packages/hash/src/views.js'
import { pictureCost } from '../../src/domain/media/picture-cost.js'
import { Problem } from '../../src/domain/problem.js'
import { DECODING_PROBLEMS, type HandoffAnswer } from '../../src/handoff/message.js'
import type { DetailsWanted } from '../../src/jobs/hash-image-job.js'
import { detailsOf } from './details-of-file.js'
import { hashImage } from './hashes-of-file.js'
import { mayHaveLackedMemory, memoryRoomMb, ranOutOfMemory } from './out-of-memory.js'

/**
 * @param roomMb gives how much memory is left. Tests replace it.
 * @returns the hashes, or the code of a problem; never a decoder's message. Never throws. The caller overwrites `bytes`.
 */
export async function answerFor(
  bytes: Buffer,
  purpose: Purpose,
  details: DetailsWanted = 'none',
  roomMb: () => number = memoryRoomMb,
): Promise<HandoffAnswer> {
  try {
    const { quality, signals, blockhash, isSimple, isForm, isObject, mainFrame, animation } = await hashImage(bytes, purpose)
    const found = details === 'none' ? {} : await detailsOf(bytes, purpose, mainFrame)
    return {
      image: {
        quality,
        signals: [...signals, { type: 'blockhash', view: 'whole', quality, hashes: blockhash }],
        ...(isSimple && { isSimple }),
        ...(isForm && { isForm }),
        ...(isObject && { isObject }),
        ...(animation && { animation }),
        ...found,
      },
    }
  } catch (error) {
    const known = DECODING_PROBLEMS.find((code) => error instanceof Problem && error.code === code)
    const problem = known ?? (ranOutOfMemory(error, roomMb()) ? 'hashing-unavailable' : 'image-undecodable')
    const isDoubtful = problem === 'image-undecodable' && mayHaveLackedMemory(pictureCost(bytes).memoryMb, roomMb())
    return { problem: isDoubtful ? 'hashing-unavailable' : problem }
  }
}

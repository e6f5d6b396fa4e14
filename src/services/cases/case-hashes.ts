// The hashes of a case, for the person who registered them. A picture can be partly reconstructed from them, so a PIN is not enough.

import type { RegisteredImage } from '../../../packages/core/src/matching/signal.js'
import { writeRegistered } from '../../../packages/hash/src/details/written.js'
import type { Hash256 } from '../../../packages/hash/src/hash256.js'
import type { StoredImage } from '../../store/images/image-reads.js'
import type { Images } from '../../store/images/images.js'
import type { OwnCase } from './case-access.js'
import { whichImage } from './which-image.js'
import { requireCode } from './wishes.js'

export interface HeldImage extends Pick<RegisteredImage, 'signals' | 'video' | 'category'> {
  /** As clients register them (`writeRegistered`): in the plain order of bits, which tells nothing of the secret order. */
  readonly details: Uint8Array | undefined
}

export interface CaseHashes {
  /**
   * All images of a case with their hashes, some at a time, in no order. Memory: as `Images.ofCase`.
   * @throws {Problem} recovery-code-needed at once; store-unavailable
   */
  of(own: OwnCase): AsyncGenerator<readonly HeldImage[]>
  /** As `whichImage`. Needs no code: it reveals no hash. */
  which(own: OwnCase, hashes: readonly Hash256[]): Promise<string[]>
}

export interface CaseHashParts {
  readonly images: Pick<Images, 'ofCase' | 'points'>
  /** Undoes the secret order of the bits of details. */
  readonly plain: (permuted: Hash256) => Hash256
}

export function createCaseHashes({ images, plain }: CaseHashParts): CaseHashes {
  const detailsOf = ({ image: { details } }: StoredImage, points: Awaited<ReturnType<Images['points']>>[number]) => {
    if (details === undefined || points === undefined) return undefined
    const { width, height, rows } = details
    return writeRegistered({
      ranked: { width, height, rows: rows.map((row) => ({ ...row, hash: plain(row.hash) })) },
      points: { ...points, points: points.points.map((point) => ({ ...point, hash: plain(point.hash) })) },
    })
  }

  async function* held(caseId: string): AsyncGenerator<readonly HeldImage[]> {
    for await (const piece of images.ofCase(caseId)) {
      const detailed = piece.filter(({ image }) => image.details !== undefined).map(({ id }) => id)
      const found = detailed.length === 0 ? [] : await images.points(detailed)
      const points = new Map(detailed.map((id, i) => [id, found[i]]))
      yield piece.map((stored) => {
        const { signals, video, category } = stored.image
        return { signals, category, ...(video && { video }), details: detailsOf(stored, points.get(stored.id)) }
      })
    }
  }

  return {
    of(own) {
      requireCode(own)
      return held(own.caseId)
    },
    which: (own, hashes) => whichImage(images, own.caseId, hashes),
  }
}

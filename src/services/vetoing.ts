// Puts a picture that was judged harmless on the list of those that veto, so that nobody has to dispute it again.

import { createHmac } from 'node:crypto'
import { HARMLESS_BANK_NAME } from '../domain/bank.js'
import { formatUuid } from '../domain/ids.js'
import type { RegisteredImage } from '../domain/signal.js'
import type { Images } from '../store/images.js'
import type { Replica } from './replica.js'

export interface Vetoing {
  /** All its hashes and details, as one image; the same picture again changes nothing. Durable and known here when it returns. */
  add(imageId: string, image: RegisteredImage): Promise<void>
  /** Takes back what `add` put there for these very hashes, and nothing that an operator put there himself. */
  remove(image: RegisteredImage): Promise<void>
}

export interface VetoingParts {
  readonly images: Images
  readonly replica: Pick<Replica, 'reached'>
  readonly idSecret: Buffer
  readonly now: () => number
}

export function vetoing({ images, replica, idSecret, now }: VetoingParts): Vetoing {
  return {
    async add(imageId, { signals, category, details }) {
      const image: RegisteredImage = {
        bank: HARMLESS_BANK_NAME,
        tier: 'verified',
        category,
        ref: undefined,
        createdAtMs: now(),
        signals,
        ...(details !== undefined && { details }),
      }
      const [points] = details === undefined ? [] : await images.points([imageId])
      const revision = await images.put([{ id: idOf(idSecret, image), image, ...(points !== undefined && { points }) }])
      await replica.reached(revision)
    },
    async remove({ signals }) {
      const revision = await images.erase(idOf(idSecret, { signals }))
      if (revision !== undefined) await replica.reached(revision)
    },
  }
}

function idOf(secret: Buffer, { signals }: Pick<RegisteredImage, 'signals'>): string {
  const digest = createHmac('sha256', secret).update('harmless\0')
  for (const { type, view, hash } of signals) digest.update(`${type} ${view}\0`).update(hash)
  const bytes = digest.digest()
  bytes[6] = 0x80 | ((bytes[6] ?? 0) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  return formatUuid(bytes)
}

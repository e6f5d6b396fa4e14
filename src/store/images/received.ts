// Who was told of an image, as far as the store knows. Counts only: an organisation is kept as a keyed hash or an id.

import type { Store } from '../redis/client.js'
import { idBuffer, keys } from '../redis/keys.js'

export interface Received {
  /** Organisations that an answer to a query named the image to. */
  readonly told: number
  /** Organisations that learned of its registration, because they watch for it. */
  readonly watching: number
  /** Whether it still waits to be released to the feed. */
  readonly isWaiting: boolean
}

/** In the order of the ids. Cost: three commands an image, in one round trip. */
export function receivedOf(store: Store, imageIds: readonly string[]): Promise<Received[]> {
  const one = Buffer.from('c')
  return store.ask((redis) =>
    Promise.all(
      imageIds.map(async (imageId) => {
        const id = idBuffer(imageId)
        const hex = id.toString('hex')
        const [told, watching, waitsSince] = await Promise.all([
          redis.scard(keys.told(hex)),
          redis.scard(keys.watchToldOrgs(hex)),
          redis.zscore(keys.feedWaiting, Buffer.concat([one, id])),
        ])
        return { told, watching, isWaiting: waitsSince !== null }
      }),
    ),
  )
}

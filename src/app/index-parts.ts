// The index parts: the replica of the store in memory, its snapshots, and the key that is sealed with.

import { recentChanges } from '../services/index/recent-changes.js'
import { Replica } from '../services/index/replica.js'
import { snapshotsIn } from '../services/index/snapshot.js'
import { sealingAsAgreed } from '../services/records/key-rollover.js'
import { imageReader } from '../store/images/reader/image-reader.js'
import { connectForFollowing } from '../store/redis/client.js'
import { withdrawalLogIn } from '../store/upkeep/withdrawal-log.js'
import { savingEvery } from './saving.js'
import type { StoreParts } from './store-parts.js'

export type IndexParts = ReturnType<typeof createIndexParts>

export function createIndexParts(parts: StoreParts) {
  const { options, lifecycle, store, keyring, secrets, own, images, banks, apiKeys, trusts } = parts
  const { now, clock, onTrouble } = options
  const recent = recentChanges()
  const withdrawals =
    options.withdrawalsFolder === undefined ? undefined : withdrawalLogIn(options.withdrawalsFolder, now, onTrouble)
  const replica = lifecycle.keep(
    'replica',
    new Replica({
      store,
      images,
      own,
      reader: imageReader(options.redis, keyring),
      snapshots:
        options.snapshots === undefined
          ? undefined
          : snapshotsIn({ folder: options.snapshots.folder, store, keyring, secret: secrets.matchId, clock, onTrouble }),
      withdrawals,
      trusts,
      banks,
      apiKeys,
      follower: connectForFollowing(options.redis),
      onChanges: recent.note,
      onLoss(loss, isRepeated) {
        recent.clear()
        if (!isRepeated) onTrouble(new Error(WHY_READ_AGAIN[loss]))
      },
      ...(options.hearing !== undefined && { hearing: options.hearing }),
      now: clock,
      onTrouble,
    }),
  )
  const onSwitch = () => void replica.saveAgain().catch(onTrouble)
  // Stopped when the last snapshot is written: until then this process says which key it seals with.
  lifecycle.keep('sealing', sealingAsAgreed({ store, keyring, now, onTrouble, onSwitch }))
  // Stopped before the replica is: the last snapshot is of an index that still follows the store.
  lifecycle.keep('snapshots', savingEvery(options.snapshots?.everyMs, replica, onTrouble))
  return { replica, recent, withdrawals }
}

const WHY_READ_AGAIN = {
  gap: 'The stream of changes was trimmed behind this process: the index is read again.',
  'history-diverged':
    'The store lost changes that this process had, as after a failover or a restore: the index is read again.',
} as const

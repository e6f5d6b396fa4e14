// The index parts: the replica of the store in memory, its snapshots, and the active seal key.

import { createRecentChanges } from '../services/index/recent-changes.js'
import { Replica } from '../services/index/replica.js'
import { createSnapshots } from '../services/index/snapshot.js'
import { createKeyRollover } from '../services/records/key-rollover.js'
import { createImageReader } from '../store/images/reader/image-reader.js'
import { connectForFollowing } from '../store/redis/client.js'
import { createWithdrawalLog } from '../store/upkeep/withdrawal-log.js'
import { createSaving } from './saving.js'
import type { StoreParts } from './store-parts.js'

export type IndexParts = ReturnType<typeof createIndexParts>

export function createIndexParts(parts: StoreParts) {
  const { options, lifecycle, store, keyring, secrets, own, images, banks, apiKeys, trusts } = parts
  const { now, clock, onError } = options
  const recent = createRecentChanges()
  const withdrawals =
    options.withdrawalsFolder === undefined ? undefined : createWithdrawalLog(options.withdrawalsFolder, now, onError)
  const replica = lifecycle.keep(
    'replica',
    new Replica({
      store,
      images,
      own,
      reader: createImageReader(options.redis, keyring),
      snapshots:
        options.snapshots === undefined
          ? undefined
          : createSnapshots({
              ...{ folder: options.snapshots.folder, store, keyring, secret: secrets.matchId },
              ...{ clock, timeOfDay: now, onError },
            }),
      withdrawals,
      trusts,
      banks,
      apiKeys,
      follower: connectForFollowing(options.redis),
      onChanges: recent.note,
      onLoss(loss, isRepeated) {
        recent.clear()
        if (!isRepeated) onError(new Error(WHY_READ_AGAIN[loss]))
      },
      ...(options.freshness !== undefined && { freshness: options.freshness }),
      now: clock,
      timeOfDay: now,
      onError,
    }),
  )
  const onSwitch = () => void replica.saveAgain().catch(onError)
  // Stopped after the last snapshot: until then this process reports which key it seals with.
  lifecycle.keep('sealing', createKeyRollover({ store, keyring, onError, onSwitch }))
  // Stopped before the replica: the last snapshot is of an index that still follows the store.
  lifecycle.keep('snapshots', createSaving(options.snapshots?.intervalMs, replica, onError))
  return { replica, recent, withdrawals }
}

const WHY_READ_AGAIN = {
  gap: 'The stream of changes was trimmed behind this process: the index is read again.',
  'history-diverged':
    'The store lost changes that this process had, as after a failover or a restore: the index is read again.',
} as const

// Worlds are kept from one episode to the next, until one is spoiled.

import { type FeedFollowers, newFollowers } from './feed-followers.js'
import { makeKey } from './scene.js'
import { openSentinelWorld } from './sentinel-world.js'
import { openSingleWorld } from './single-world.js'
import type { World } from './world.js'

export interface KeptWorld {
  readonly world: World
  /** Its key lives as long as the world, so that its feed continues from page to page. */
  readonly watcher: string
  readonly followers: FeedFollowers
  /** Ends of processes that were reported already. */
  crashesTold: number
}

export interface Worlds {
  of(kind: World['kind']): Promise<KeptWorld>
  /** The next episode gets a new one. */
  forget(kind: World['kind']): Promise<void>
  close(): Promise<void>
}

const OPEN = { single: openSingleWorld, sentinel: openSentinelWorld }

/** @param other as for `startApi`. */
export function keepWorlds(other: string | undefined): Worlds {
  const open = new Map<World['kind'], KeptWorld>()
  const forget = async (kind: World['kind']) => {
    const kept = open.get(kind)
    open.delete(kind)
    await kept?.world.close()
  }
  return {
    async of(kind) {
      const known = open.get(kind)
      if (known !== undefined) return known
      const world = await OPEN[kind](other)
      const watcher = await makeKey(world, 'watcher', 'platform', ['match', 'feed'])
      const kept: KeptWorld = { world, watcher, followers: newFollowers(), crashesTold: 0 }
      open.set(kind, kept)
      return kept
    },
    forget,
    async close() {
      for (const kind of [...open.keys()]) await forget(kind)
    },
  }
}

// Counts uploads as the store does, for the flood guard.

import { FLOOD_WINDOW_MS, frameOfLook, LOOKS_WINDOW_MS, lookOf } from '../../../dist/src/domain/trust/flood.js'

const MINUTE_MS = 60_000

/** As the store counts: hits of this hour; uploads and sketches of this half of a day and the one before, of a video those of the frame with most. */
export function counted(platforms) {
  let hits = Array.from({ length: platforms }, () => 0)
  let uploads = [0, 0]
  let half = 0
  const lastSeen = new Map()
  const ofFrames = new Map()
  const count = (frame, by) => ofFrames.set(frame, (ofFrames.get(frame) ?? 0) + by)
  let byView = [new Map(), new Map()]
  const none = () => Array.from({ length: platforms }, () => 0)
  let byPlatform = [none(), none()]
  let newInHours = [new Set(), new Set()]
  let hour = 0
  return {
    note({ isNear, hash, frame = 0, view }, platform) {
      hits[platform]++
      uploads[0]++
      if (isNear) return
      const look = lookOf(hash, frame)
      if (!lastSeen.has(look)) {
        count(frame, 1)
        byPlatform[0][platform]++
        newInHours[0].add(hour)
        if (view !== undefined) byView[0].set(view, (byView[0].get(view) ?? 0) + 1)
      }
      lastSeen.set(look, half)
    },
    at(minute) {
      const looksByView = new Map(byView[1])
      for (const [view, count] of byView[0]) looksByView.set(view, (looksByView.get(view) ?? 0) + count)
      const looks = Math.max(0, ...ofFrames.values())
      const looksByPlatform = byPlatform[0].map((count, i) => count + byPlatform[1][i])
      const seen = {
        hits: hits.filter((count) => count > 0),
        uploads: uploads[0] + uploads[1],
        looks,
        looksByView,
        looksByPlatform,
        hours: newInHours[0].size + newInHours[1].size,
      }
      const nextMs = (minute + 1) * MINUTE_MS
      if (nextMs % FLOOD_WINDOW_MS === 0) {
        hits = hits.map(() => 0)
        hour++
      }
      if (nextMs % LOOKS_WINDOW_MS === 0) {
        uploads = [0, uploads[0]]
        byView = [new Map(), byView[0]]
        byPlatform = [none(), byPlatform[0]]
        newInHours = [new Set(), newInHours[0]]
        for (const [look, at] of lastSeen) if (at < half && lastSeen.delete(look)) count(frameOfLook(look), -1)
        half++
      }
      return seen
    },
  }
}

// The films of a folder.

import { readdirSync } from 'node:fs'
import { extname, join, parse } from 'node:path'
import { probe } from './ffmpeg.mjs'

const EXTENSIONS = new Set(['.mp4', '.m4v', '.mov', '.webm', '.mkv', '.avi', '.gif'])

/** The rest of a longer film is ignored. */
export const MAX_CLIP_MS = 60_000

/** @returns `{ name, camera, file, width, height, durationMs }` of each film, sorted by name; and the films that could not be read. */
export async function clipsOf(folder, limit = Number.POSITIVE_INFINITY) {
  const files = readdirSync(folder)
    .filter((name) => EXTENSIONS.has(extname(name).toLowerCase()))
    .sort()
  const clips = []
  const unreadable = []
  for (const file of files.slice(0, limit)) {
    const { name } = parse(file)
    try {
      const { width, height, durationMs } = await probe(join(folder, file))
      if (!(width > 0 && height > 0 && durationMs > 0)) throw new Error('it has no size or no duration')
      clips.push({
        name,
        camera: cameraOf(name),
        file: join(folder, file),
        width,
        height,
        durationMs: Math.min(MAX_CLIP_MS, durationMs),
      })
    } catch {
      unreadable.push(file)
    }
  }
  return { clips, unreadable }
}

/**
 * The camera of a film: films whose names have the same words before `_` are of one fixed camera, so they look alike.
 * @returns `undefined` for a name without `_`.
 */
export function cameraOf(name) {
  const end = name.indexOf('_')
  return end > 0 ? name.slice(0, end) : undefined
}

export function isSameCamera(one, other) {
  return one.camera !== undefined && one.camera === other.camera
}

// Synthetic clips: a camera pans over a few scenes. Hashed like videos.

import { CASES_BANK_NAME } from '../../packages/core/src/matching/bank.js'
import type { HashedSignal } from '../../packages/core/src/matching/hashed-image.js'
import type { RegisteredImage, Signal } from '../../packages/core/src/matching/signal.js'
import { loadImageHasherSync } from '../../packages/hash/src/image-hasher.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import type { AskedFrame } from '../../src/services/matching/video/near-frames.js'
import { randomFrom, scenePixels } from './pictures.js'

const SIDES = { width: 240, height: 180 } as const
const SCENE = { width: 300, height: 225 } as const
/** The time for which each scene is shown. */
export const SCENE_MS = 2000

/** An edit of a frame: the grey value at a position. */
export type Edit = (grey: (x: number, y: number) => number, x: number, y: number) => number

export const EDITS = {
  none: (grey, x, y) => grey(x, y),
  darker: (grey, x, y) => 20 + grey(x, y) * 0.7,
  mirrored: (grey, x, y) => grey(SIDES.width - 1 - x, y),
  letterbox: (grey, x, y) => {
    const [inX, inY] = [x, Math.round((y - 30) / ((SIDES.height - 60) / SIDES.height))]
    return y < 30 || y >= SIDES.height - 30 ? 8 : grey(inX, Math.min(SIDES.height - 1, inY))
  },
} as const satisfies Record<string, Edit>

/** The frame of a clip at a time [ms]. */
export function clipFrame(clip: number, atMs: number, edit: Edit = EDITS.none): Pixels {
  const scene = scenePixels(clip * 100 + Math.floor(atMs / SCENE_MS), SCENE)
  const channels = scene.data.length / (SCENE.width * SCENE.height)
  const into = (atMs % SCENE_MS) / SCENE_MS
  const [left, top] = [Math.round(into * (SCENE.width - SIDES.width)), Math.round(into * (SCENE.height - SIDES.height))]
  const grey = (x: number, y: number) => {
    const at = ((y + top) * SCENE.width + x + left) * channels
    return ((scene.data[at] ?? 0) + (scene.data[at + 1] ?? 0) + (scene.data[at + 2] ?? 0)) / 3
  }
  const noise = randomFrom(clip + atMs)
  const data = new Uint8Array(SIDES.width * SIDES.height)
  for (let y = 0; y < SIDES.height; y++)
    for (let x = 0; x < SIDES.width; x++) data[y * SIDES.width + x] = edit(grey, x, y) + (noise() - 0.5) * 8
  return { data, ...SIDES, channels: 1 }
}

const hasher = loadImageHasherSync()

/** A registered video: each second of a clip with all views. */
export function registeredClip(clip: number, seconds: number, bank = CASES_BANK_NAME): RegisteredImage {
  const framesAtMs = Array.from({ length: seconds }, (_, i) => i * 1000)
  const signals = framesAtMs.flatMap((atMs, frame) => registeredFrame(clip, atMs).map((signal) => ({ ...signal, frame })))
  const facts = { bank, tier: 'self-reported', category: undefined, ref: undefined, createdAtMs: 1 } as const
  return { ...facts, signals, video: { durationMs: seconds * 1000, framesAtMs } }
}

/** The signals of a still picture of a clip. */
export function registeredFrame(clip: number, atMs: number): Signal[] {
  return hasher
    .hash(clipFrame(clip, atMs), 'register')
    .signals.flatMap(({ type, view, quality, hashes: [hash] }) =>
      hash === undefined ? [] : [{ type, view, quality, hash }],
    )
}

export interface Excerpt {
  readonly clip: number
  readonly fromMs: number
  readonly seconds: number
  readonly edit?: Edit
  /** Clip time per query time; 1 if absent, −1 backwards. */
  readonly speed?: number
  /** When it begins in the query; 0 if absent. */
  readonly atMs?: number
  /** How often it is looked at; 500 ms if absent. */
  readonly intervalMs?: number
}

/** The frames of an excerpt in a query. */
export function askedClip({ clip, fromMs, seconds, edit, speed = 1, atMs = 0, intervalMs = 500 }: Excerpt): AskedFrame[] {
  return Array.from({ length: Math.floor((seconds * 1000) / intervalMs) }, (_, i) => ({
    atMs: atMs + i * intervalMs,
    signals: askedSignals(clip, fromMs + i * intervalMs * speed, edit),
  }))
}

export function askedSignals(clip: number, atMs: number, edit?: Edit): readonly HashedSignal[] {
  return hasher.hash(clipFrame(clip, atMs, edit), 'query', undefined, 'frame').signals
}

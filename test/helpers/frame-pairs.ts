// Near pairs of frames of two videos, and the segments that they give.

import type { FramePair } from '../../packages/core/src/matching/frame-pair.js'
import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { hashNamed } from './hashes.js'

const pictures = new Map<number | string, Hash256>()

export function picture(name: number | string): Hash256 {
  const hash = pictures.get(name) ?? hashNamed(`picture ${name}`)
  pictures.set(name, hash)
  return hash
}

export function pair(askedMs: number, registeredMs: number, rest: Partial<FramePair> = {}): FramePair {
  return {
    ...{
      askedMs,
      registeredMs,
      bits: 50,
      isPartial: false,
      tighterBits: 0,
      content: 'full',
      isForm: false,
      orientation: 0,
      rotated: false,
      grade: undefined,
    },
    ...{ asked: picture(askedMs), askedView: picture(`${askedMs} view`), registered: picture(`${registeredMs} there`) },
    ...rest,
  }
}

export function segment([fromMs, toMs]: [number, number], there: [number, number], rest = {}) {
  return {
    ...{ query: { fromMs, toMs }, registered: { fromMs: there[0], toMs: there[1] } },
    ...{ speed: 1, orientation: 0, frames: 1, bits: 50, grade: 'near' },
    ...rest,
  }
}

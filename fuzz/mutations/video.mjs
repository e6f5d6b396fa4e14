// Mutations of the choice of a video's frames.

import { inFile } from './in-file.mjs'

const inHash = (file, mutations) => inFile(`packages/hash/src/${file}.ts`, mutations)

const tests = [
  'hash/video/registered-frames',
  'hash/video/asked-frames',
  'hash/video/between',
  'hash/video/animation-frames',
  'hash/video-frames',
  'workers/media/moments',
]

const mutations = [
  inHash('video/registered-frames', [
    ['MIN_FULL_BITS = 24', 'MIN_FULL_BITS = 25'],
    ['MIN_THIN_BITS = 50', 'MIN_THIN_BITS = 51'],
    ['MIN_SPARSE_BITS = 36', 'MIN_SPARSE_BITS = 37'],
    ['MIN_BETWEEN_BITS = 72', 'MIN_BETWEEN_BITS = 73'],
    ['isApart && bits >= MIN_BETWEEN_BITS', 'bits >= MIN_BETWEEN_BITS'],
    ['isApart && bits >= MIN_BETWEEN_BITS', 'isApart'],
    ["look('sparse') : undefined", "look('thin') : undefined"],
    ['kept.splice(place, 0, ', 'kept.push('],
    ['FULL_INTERVAL_MS = 2000', 'FULL_INTERVAL_MS = 1000'],
    ['MAX_WIDENINGS = 2', 'MAX_WIDENINGS = 1'],
    ['nearestBits(hash, fulls) >= MIN_FULL_BITS', 'nearestBits(hash, kept) >= MIN_FULL_BITS'],
    ['isFirst(FULL_INTERVAL_MS) && ', ''],
    ['if (!isFirst(intervalMs)) makeThin(frame)', ''],
    ['fulls.push({ atMs, hash })', ''],
    ['.slice(MAX_THIN[kind])', '.slice(0)'],
    ['if (its === slot) makeThin(frame)', 'makeThin(frame)'],
    ['kept.findLastIndex((frame) => rank', 'kept.findIndex((frame) => rank'],
    ['isFull ? HASH_BITS + 1 : bits', 'bits'],
    ['if (signals === undefined) return false', 'if (signals === undefined) return true'],
    ['let least = HASH_BITS', 'let least = MIN_THIN_BITS'],
  ]),
  inHash('video/asked-frames', [
    ['MIN_ASKED_BITS = 10', 'MIN_ASKED_BITS = 11'],
    ['WIDER_INTERVAL_MS = 500', 'WIDER_INTERVAL_MS = 1000'],
    ["new Set<ViewKind>(['piece', 'tilted'])", "new Set<ViewKind>(['tilted'])"],
    ["new Set<ViewKind>(['piece', 'tilted'])", "new Set<ViewKind>(['piece'])"],
    ['!isThinned && isFirst(atMs, previous, MORE_INTERVAL_MS)', '!isThinned'],
    ['!isThinned && isFirst(atMs, previous, MORE_INTERVAL_MS)', 'isFirst(atMs, previous, MORE_INTERVAL_MS)'],
    ['slotOf(atMs, MORE_INTERVAL_MS) % MORE.length', '0'],
    ['if (intervalMs > 0 && !isFirst(atMs, previous, intervalMs)) return true', ''],
    ['kept.length > 1', 'false'],
    ['signalCount = countSignals(kept)', ''],
  ]),
  inHash('video-frames', [
    ['givenMs <= MAX_VIDEO_MS)) throw', 'givenMs < MAX_VIDEO_MS)) throw'],
    ['if (givenMs < nextMs) return', ''],
    ['MAX_FRAME_SPAN_MS = 2000', 'MAX_FRAME_SPAN_MS = 20000'],
    ['whole.quality < MIN_USABLE_QUALITY[purpose] || ', ''],
    ['Math.floor(atMs / FRAME_INTERVAL_MS) + 1', 'Math.floor(atMs / FRAME_INTERVAL_MS)'],
    ['>= MIN_FAST_BITS', '>= MIN_FAST_BITS + 1'],
    ['isNext && ', ''],
    ['atMs - last.atMs >= REGISTERED_INTERVAL_MS && ', ''],
    ['{ atMs: Math.round((last.atMs + atMs) / 2)', '{ atMs: last.atMs + REGISTERED_INTERVAL_MS'],
    ['const { atMs, around } = between\n      between = undefined', 'const { atMs, around } = between'],
    ['between = undefined\n    if (givenMs < nextMs) return', 'if (givenMs < nextMs) return'],
    ['Math.max(Math.round(givenMs), last?.atMs ?? 0)', 'Math.round(givenMs)'],
    ['isSimple ? undefined : [whole, ...signals]', '[whole, ...signals]'],
    ['atMs < FRAME_INTERVAL_MS ? atMs : spanMs(atMs)', 'false ? atMs : spanMs(atMs)'],
  ]),
  inHash('video/animation-frames', [
    ['MAX_LOOKED_FRAMES = 120', 'MAX_LOOKED_FRAMES = 10_000'],
    ['Math.min(startMs + durationMs, MAX_VIDEO_MS)', 'startMs + durationMs'],
    ['nextMs < endMs', 'nextMs <= endMs'],
    ['halfwayMs >= startMs && ', ''],
    ['if (looked.length < 2) break', ''],
  ]),
  inFile('workers/media/moments.ts', [
    ['for (const atMs of timesMs) video.add(atMs, pixels, pixels.aspect)', ''],
    ['else for (const atMs of timesMs) video.addAgain(atMs)', ''],
    ['timesMs.length > 0 && video.betweenMs !== undefined', 'false'],
    ['film !== undefined && film.frames.length >= 2', 'film !== undefined'],
  ]),
].flat()

export const video = { mutations, tests }

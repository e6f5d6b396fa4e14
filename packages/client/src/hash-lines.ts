// Writes long videos as NDJSON, which the service reads line by line without holding all of it.

import type { Operations } from './operations.generated.js'

type Hashes = Operations['addHashes']['args']['body']
type Video = NonNullable<Hashes['videos']>[number]

/** A video with more signals is sent as lines. That is about 300 kB of JSON. */
const LONG_VIDEO_SIGNALS = 2000
/** Maximum signals of a line: a line may have 32,768 characters. */
const LINE_SIGNALS = 200

/** @returns the body as NDJSON; `undefined` if it has no long video, or has images or a video without a whole `pdq`, which lines cannot carry. */
export function linesOf({ images = [], videos = [], ...declared }: Hashes): string | undefined {
  const isLong = videos.some((video) => countOf(video) > LONG_VIDEO_SIGNALS)
  if (!isLong || images.length > 0) return undefined
  const lines = videos.map((video) => linesOfVideo(declared, video))
  return lines.every((each) => each !== undefined) ? lines.join('') : undefined
}

function countOf({ frames }: Video): number {
  return frames.reduce((sum, { signals }) => sum + signals.length, 0)
}

function linesOfVideo(
  declared: Omit<Hashes, 'images' | 'videos'>,
  { durationMs, frames, sha256, md5, ...own }: Video,
): string | undefined {
  const timed = frames.flatMap(({ atMs, signals }) =>
    signals.map(({ view = 'whole', ...signal }) => ({ ...signal, view, atMs })),
  )
  const itself = timed.find(({ type, view }) => view === 'whole' && type === 'pdq')
  if (itself === undefined) return undefined
  const file = { view: 'whole', quality: 100 } as const
  const signals = [
    ...timed,
    ...(sha256 === undefined ? [] : [{ type: 'sha256', hash: sha256, ...file }]),
    ...(md5 === undefined ? [] : [{ type: 'video_md5', hash: md5, ...file }]),
  ]
  const lines = Math.ceil(signals.length / LINE_SIGNALS)
  const part = (line: number) => signals.slice((line - 1) * LINE_SIGNALS, line * LINE_SIGNALS)
  const { type, hash, quality } = itself
  const head = { ...declared, ...own, type, hash, quality, video: { durationMs }, signals: part(1) }
  const first = lines === 1 ? head : { ...head, lines }
  const rest = Array.from({ length: lines - 1 }, (_, i) => ({ line: i + 2, signals: part(i + 2) }))
  return [first, ...rest].map((line) => `${JSON.stringify(line)}\n`).join('')
}

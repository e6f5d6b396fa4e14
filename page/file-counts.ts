// What a sentence counts: pictures and videos.

import { type Said, say, sayCount } from './messages.js'

export type Kind = 'pictures' | 'videos'

export interface FileCounts {
  readonly pictures: number
  readonly videos: number
}

export function countKinds(kinds: readonly Kind[]): FileCounts {
  const videos = kinds.filter((kind) => kind === 'videos').length
  return { pictures: kinds.length - videos, videos }
}

/**
 * Says a sentence about pictures and videos. For pictures alone it is the message `key`, in the plural form for their number. With videos it is the
 * message `key.mixed`, where `{files}` is "2 pictures and 1 video".
 */
export function sayFiles(
  key: string,
  { pictures, videos }: FileCounts,
  values: Readonly<Record<string, string | number>> = {},
): Said {
  if (videos === 0) return sayCount(key, pictures, values)
  return say(`${key}.mixed`, { n: pictures + videos, files: sayCounted({ pictures, videos }), ...values })
}

/** "2 pictures and 1 video". */
export function sayCounted({ pictures, videos }: FileCounts): Said {
  const [own, other] = [sayCount('run.pictures', pictures), sayCount('run.videos', videos)]
  if (videos === 0) return own
  return pictures === 0 ? other : say('run.both', { pictures: own, videos: other })
}

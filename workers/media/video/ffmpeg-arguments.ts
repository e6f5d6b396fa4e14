// The command line of ffmpeg for one video.

import { FRAME_INTERVAL_MS, REGISTERED_INTERVAL_MS } from '../../../packages/hash/src/video-frames.js'
import { MAX_FRAME_PIXELS } from '../../../src/domain/media/video-frame-size.js'
import type { VideoPurpose } from '../../../src/jobs/hash-video-job.js'
import { STREAM_SHIFT_MS, VIDEO_DECODERS, type VideoFacts } from './video-facts.js'

/**
 * Keeps the frame that is shown at each multiple of an interval, from the beginning if the first one is late. It is the first filter, so that other
 * frames cost nothing but decoding.
 */
function shownEach(intervalMs: number, isLate: boolean): string {
  return `fps=${1000 / intervalMs}:round=up${isLate ? `:start_time=${STREAM_SHIFT_MS / 1000}` : ''}`
}

const TURNS: Readonly<Record<VideoFacts['rotation'], readonly string[]>> = {
  0: [],
  90: ['transpose=clock'],
  180: ['hflip', 'vflip'],
  270: ['transpose=cclock'],
}

/**
 * @returns arguments with which ffmpeg reads Matroska from standard input and writes grey frames of the hashed size as Matroska to standard output.
 *   It may open nothing else. Of `facts`, only numbers and words of our own tables are used.
 */
export function ffmpegArguments(
  { codec, width, height, rotation, isFlipped, isLate }: VideoFacts,
  purpose: VideoPurpose,
): string[] {
  const filters = [
    shownEach(purpose === 'submission' ? REGISTERED_INTERVAL_MS : FRAME_INTERVAL_MS, isLate),
    `scale=${width}:${height}:flags=bilinear`,
    'format=gray',
    ...TURNS[rotation],
    ...(isFlipped ? ['hflip'] : []),
  ]
  return [
    ...['-nostdin', '-hide_banner', '-loglevel', 'quiet'],
    ...['-filter_threads', '1', '-max_error_rate', '1', '-copyts'],
    // Of the input.
    ...['-protocol_whitelist', 'pipe', '-format_whitelist', 'matroska', '-codec_whitelist', VIDEO_DECODERS[codec]],
    ...['-threads', '1', '-max_pixels', `${MAX_FRAME_PIXELS}`, '-noautorotate', '-f', 'matroska', '-i', 'pipe:0'],
    // Of the output.
    ...['-map', '0:v:0', '-an', '-sn', '-dn', '-map_metadata', '-1', '-vf', filters.join(','), '-fps_mode', 'passthrough'],
    ...[
      '-c:v',
      'rawvideo',
      '-threads',
      '1',
      '-enc_time_base',
      '1/1000',
      '-avoid_negative_ts',
      'disabled',
      '-f',
      'matroska',
      'pipe:1',
    ],
  ]
}

// Runs the system's ffmpeg: one process per call, one thread each.

import { spawn } from 'node:child_process'

const QUIET = ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y']
const ONE_THREAD = ['-threads', '1', '-filter_threads', '1', '-filter_complex_threads', '1']
const TIMEOUT_MS = 300_000
const MAX_MESSAGE = 2000

/** @throws {Error} with the end of ffmpeg's output. */
export async function ffmpeg(words) {
  await ended('ffmpeg', [...QUIET, ...ONE_THREAD, ...words.map(String)])
}

/**
 * Decodes a file into grey frames at a constant rate: at each time, the frame that is shown then.
 * @param filter for each frame that is kept, for instance `,scale=600:450`
 * @param onBytes receives parts of a Y4M stream.
 * @returns ffmpeg's processor time [ms].
 */
export async function greyFrames(file, { framesPerSecond, seconds, filter }, onBytes) {
  const words = ['-t', seconds, '-i', file, '-an', '-sn', '-vf', `fps=${framesPerSecond}:round=up${filter},format=gray`]
  const output = ['-f', 'yuv4mpegpipe', '-strict', '-1', 'pipe:1']
  // ffmpeg reports processor time only at the level `info`.
  const report = [...QUIET, '-loglevel', 'info', '-nostats', '-benchmark', ...ONE_THREAD, ...words.map(String), ...output]
  const error = await ended('ffmpeg', report, onBytes)
  const [, user, system] = /bench: utime=([\d.]+)s stime=([\d.]+)s/.exec(error) ?? []
  return 1000 * (Number(user) + Number(system))
}

/** @returns `{ width, height, durationMs }` of the displayed picture. */
export async function probe(file) {
  const entries = 'stream=width,height:stream_side_data=rotation:format=duration'
  const words = ['-v', 'error', '-select_streams', 'v:0', '-show_entries', entries, '-of', 'json', file]
  let out = ''
  await ended('ffprobe', words, (bytes) => {
    out += bytes
  })
  const { streams: [stream] = [], format } = JSON.parse(out)
  if (stream === undefined) throw new Error('there is no video in it')
  const isTurned = stream.side_data_list?.some(({ rotation = 0 }) => rotation % 180 !== 0) ?? false
  const [width, height] = isTurned ? [stream.height, stream.width] : [stream.width, stream.height]
  return { width, height, durationMs: 1000 * Number(format.duration) }
}

/** @returns the standard error of a program. @throws {Error} with its end, unless the program succeeds. */
function ended(program, words, onBytes = (_bytes) => {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS, killSignal: 'SIGKILL' })
    let error = ''
    child.stdout.on('data', (bytes) => {
      try {
        onBytes(bytes)
      } catch (failure) {
        child.kill('SIGKILL')
        reject(failure)
      }
    })
    child.stderr.on('data', (bytes) => {
      error = (error + bytes).slice(-MAX_MESSAGE)
    })
    child.on('error', (/** @type {NodeJS.ErrnoException} */ { code, message }) =>
      reject(new Error(code === 'ENOENT' ? `there is no ${program}: apt-get install ffmpeg` : message)),
    )
    child.on('close', (status, signal) => {
      if (status === 0) resolve(error)
      else reject(new Error(`${program} ended with ${signal ?? status}: ${error}`))
    })
  })
}

// Small synthetic videos, made by the ffmpeg of this machine.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFfmpeg } from '../../workers/media/video/find-ffmpeg.js'
import { type MatroskaTrack, matroskaHeader, packetHead } from '../../workers/media/video/matroska-writer.js'
import { type Multipart, multipart } from './multipart.js'

export const ffmpeg = findFfmpeg({ searchPath: process.env['PATH'] ?? '' })?.binary

/** Small, moving, with structure everywhere: 12 frames. */
const SOURCE = 'testsrc2=s=192x144:r=12:d=1'
export const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '6', '-bf', '2']

export interface ClipOptions {
  /** The extension of the name decides the container. */
  readonly name?: string
  /** A source of lavfi. */
  readonly source?: string
  /** Options of the output. */
  readonly output?: readonly string[]
}

/** @returns `undefined` when this ffmpeg lacks an encoder. */
export function makeClip({ name = 'clip.mp4', source = SOURCE, output = H264 }: ClipOptions = {}): Buffer | undefined {
  return inFolder(name, (path) => run(['-f', 'lavfi', '-i', source, ...output, path]))
}

/** A clip as it is uploaded; no video where this machine has no ffmpeg. */
export function clipForm(options?: ClipOptions): FormData {
  const form = new FormData()
  form.append('video', new Blob([new Uint8Array(makeClip(options) ?? [])], { type: 'video/mp4' }), 'video.mp4')
  return form
}

/** A Matroska clip as `app.inject` and sockets send it; as `makeClip`. */
export function matroskaUpload(): Multipart | undefined {
  const bytes = makeClip({ name: 'a.mkv' })
  return bytes && multipart([{ name: 'video', fileName: 'a.mkv', contentType: 'video/x-matroska', bytes }])
}

/** A clip with the packets of another file. */
export function remuxed(
  clip: Buffer,
  name: string,
  { input = [] as readonly string[], output = [] as readonly string[] } = {},
) {
  return inFolder(name, (path, folder) => {
    const from = join(folder, 'from')
    writeFileSync(from, clip)
    return run([...input, '-i', from, '-c', 'copy', ...output, path])
  })
}

/** The same with a sound of one second, after whose start the first picture begins. Its name ends in `.mkv`. */
export function startingLate(clip: Buffer, lateS: number): Buffer | undefined {
  const input = ['-f', 'lavfi', '-i', 'sine=d=1', '-itsoffset', `${lateS}`]
  return remuxed(clip, 'a.mkv', { input, output: ['-map', '1:v', '-map', '0:a', '-c:a', 'pcm_s16le'] })
}

const KEY = ['-encryption_scheme', 'cenc-aes-ctr', '-encryption_key', '11'.repeat(16), '-encryption_kid', '22'.repeat(16)]

/** The same, encrypted. */
export function encrypted(clip: Buffer): Buffer {
  return remuxed(clip, 'a.mp4', { output: KEY }) ?? Buffer.alloc(0)
}

/** @param clip a Matroska file of ffmpeg, which declares for each track whether it uses lacing: that flag becomes the one for enabled tracks. */
export function withFirstTrackDisabled(clip: Buffer): Buffer {
  const at = clip.indexOf(Buffer.of(0x9c, 0x81, 0x00))
  const changed = Buffer.from(clip)
  if (at >= 0) changed[at] = 0xb9
  return changed
}

/** A Matroska file with packets at these times, which no decoder reads. */
export function fileOf(times: readonly number[], track: Partial<MatroskaTrack> = {}): Buffer {
  const header = matroskaHeader({ codec: 'vp8', width: 640, height: 480, ...track })
  const packets = times.map((atMs, index) => [packetHead(atMs, index === 0 ? 1 : undefined, 4), Buffer.of(1, 2, 3, 4)])
  return Buffer.concat([header, ...packets.flat()])
}

/** Its scenes change so fast that frames between two are registered. */
export const FAST_SOURCE = "testsrc2=s=192x144:r=24:d=1,rotate='2.2*PI*t'"

/** The grey frame at each quarter of a second, as ffmpeg itself reads the file. @param perSecond another number of frames. */
export function framesOf(clip: Buffer, name: string, width: number, height: number, perSecond = 4): Buffer[] {
  const filters = `fps=${perSecond}:round=up,scale=${width}:${height}:flags=bilinear,format=gray`
  const folder = mkdtempSync(join(tmpdir(), 'tabir-video-'))
  try {
    const path = join(folder, name)
    writeFileSync(path, clip)
    const args = ['-v', 'error', '-i', path, '-map', '0:v:0', '-vf', filters, '-f', 'rawvideo', 'pipe:1']
    const { stdout } = spawnSync(ffmpeg ?? '', args, { maxBuffer: 1 << 28 })
    const size = width * height
    return Array.from({ length: Math.floor(stdout.length / size) }, (_, i) => stdout.subarray(i * size, (i + 1) * size))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function inFolder(name: string, make: (path: string, folder: string) => boolean): Buffer | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'tabir-video-'))
  try {
    const path = join(folder, name)
    return make(path, folder) ? readFileSync(path) : undefined
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function run(args: readonly string[]): boolean {
  return ffmpeg !== undefined && spawnSync(ffmpeg, ['-v', 'error', ...args], { stdio: 'ignore' }).status === 0
}

// Finds the ffmpeg of this machine that decodes videos.

import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { END_LIMIT_MS, runToEnd } from '../../limits/run-to-end.js'

export interface FindFfmpegOptions {
  /** The operator's own choice. When it is given, nothing else is tried. */
  readonly ffmpegBin?: string | undefined
  /** Folders as in PATH. */
  readonly searchPath: string
  readonly usualFolders?: readonly string[]
  /** How long each candidate may take to say its version. */
  readonly limitMs?: number
}

export interface FoundFfmpeg {
  readonly binary: string
  /** Version of its decoders, libavcodec. */
  readonly version: string
}

const PROGRAM = 'ffmpeg'
const USUAL_FOLDERS = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin', '/home/linuxbrew/.linuxbrew/bin']
/**
 * libavcodec of ffmpeg 5.1, the oldest with the options that are used. ffmpeg's own version is not compared, because it may be the id of a commit.
 */
const OLDEST = { major: 59, minor: 37, name: '5.1' }

/**
 * Finds an ffmpeg that runs here: the operator's choice, else the first in PATH or the usual folders. Runs each candidate to get its version. Cost:
 * starts a process for each.
 *
 * @returns `undefined` when there is none.
 * @throws {Error} when the operator's choice does not run, when every one found is too old, or when one does not answer in time: on an overloaded
 *   machine that is no reason to go on without videos.
 */
export function findFfmpeg(options: FindFfmpegOptions): FoundFfmpeg | undefined {
  const { ffmpegBin, searchPath, usualFolders = USUAL_FOLDERS, limitMs = END_LIMIT_MS } = options
  if (ffmpegBin !== undefined) {
    const version = versionOf(ffmpegBin, limitMs)
    if (version === undefined) throw new Error('TABIR_FFMPEG does not name an ffmpeg that runs here.')
    if (isTooOld(version)) throw new Error(`The ffmpeg of TABIR_FFMPEG is too old. ${NEEDED}`)
    return { binary: ffmpegBin, version }
  }
  let isOldThere = false
  for (const folder of [...searchPath.split(delimiter).filter((each) => each !== ''), ...usualFolders]) {
    const binary = join(folder, PROGRAM)
    const version = versionOf(binary, limitMs)
    if (version === undefined) continue
    if (!isTooOld(version)) return { binary, version }
    isOldThere = true
  }
  if (isOldThere) throw new Error(`The ffmpeg found here is too old. ${NEEDED}`)
  return undefined
}

const NEEDED = `Version ${OLDEST.name} or later is needed.`

/** @returns the files that the sandbox must make visible so that ffmpeg runs. Debian links some of its libraries through /etc/alternatives. */
export function ffmpegFiles({ binary }: Pick<FoundFfmpeg, 'binary'>): string[] {
  return [binary, '/etc/alternatives']
}

function versionOf(binary: string, limitMs: number): string | undefined {
  if (!existsSync(binary)) return undefined
  const { status, stdout } = runToEnd(binary, ['-version'], { timeout: limitMs, env: { LC_ALL: 'C' } })
  const found = /^libavcodec +(\d+)\. *(\d+)\./m.exec(stdout)
  return status === 0 && found !== null ? `${found[1]}.${found[2]}` : undefined
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor)
}

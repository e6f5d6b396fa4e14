// Tells a video that cannot be decoded from programs that do not run here: then nothing is wrong with the video, and the operator is told.

import type { VideoCodecName } from '../src/domain/media/video-limits.js'
import { faultOfDecoder, reasonOfFailedStart } from './failed-starts.js'
import { VIDEO_DECODERS } from './media/video/video-facts.js'
import type { SandboxCommand } from './sandbox-command.js'
import { nodeCommand } from './sandboxed.js'

export interface VideoStartsOptions {
  readonly ffmpeg: string
  readonly entry: readonly string[]
  readonly memoryMb: { readonly reader: number; readonly decoder: number }
  readonly sandboxCommand: SandboxCommand
  /** Called once until `hashed` is called. */
  readonly tell: (reason: string) => void
}

export interface VideoStarts {
  /** Call when a video was hashed. */
  hashed(): void
  /** Call when the reader ended before it was ready. */
  readerFailed(): Promise<void>
  /** Call when the decoder failed. @returns whether ffmpeg runs and has a decoder for `codec`, so that the video is to blame. */
  canDecode(codec: VideoCodecName): Promise<boolean>
}

export function watchVideoStarts({ ffmpeg, entry, memoryMb, sandboxCommand, tell }: VideoStartsOptions): VideoStarts {
  let isTold = false
  const tellOnce = (reason: string) => {
    if (!isTold) tell(reason)
    isTold = true
  }
  return {
    hashed() {
      isTold = false
    },
    async readerFailed() {
      if (isTold) return
      const limits = { memoryMb: memoryMb.reader, sandboxCommand }
      const reason = await reasonOfFailedStart(nodeCommand(entry, sandboxCommand), limits)
      if (reason !== undefined) tellOnce(reason)
    },
    async canDecode(codec) {
      const names = VIDEO_DECODERS[codec].split(',')
      const faults = await Promise.all(
        names.map((name) => faultOfDecoder(ffmpeg, name, { memoryMb: memoryMb.decoder, sandboxCommand })),
      )
      if (faults.includes(undefined)) return true
      tellOnce(`ffmpeg does not decode ${codec} here (${faults[0]})`)
      return false
    },
  }
}

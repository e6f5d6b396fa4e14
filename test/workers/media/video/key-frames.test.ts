// Beyond its budget a video is decoded by key frames alone. Real child, real ffmpeg; the budget is used up from the start.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { readFrames, VIDEO_PURPOSE_BYTES, writeFrame } from '../../../../workers/frames.js'
import { ffmpegArguments } from '../../../../workers/media/video/ffmpeg-arguments.js'
import { READER_GREETING } from '../../../../workers/media/video/video-answer.js'
import { MAX_VIDEO_MESSAGE_BYTES, parseVideoMessage } from '../../../../workers/media/video/video-message.js'
import { ffmpeg, makeClip } from '../../../helpers/videos.js'

const READER = fileURLToPath(new URL('../../../../workers/media/video/video-child.js', import.meta.url))

/** Hashes a clip as `openVideoSandbox` does, without a sandbox, and says before that the decoder has used all of its time. */
async function hashedByKeyFrames(clip: Buffer, purpose: 'submission' | 'vpdq') {
  const reader = spawn(process.execPath, [READER], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] })
  const [, , , channel, link] = reader.stdio
  if (!(channel instanceof Duplex && link instanceof Duplex)) throw new Error('a child needs sockets')
  const usedMs = Buffer.alloc(4)
  usedMs.writeUInt32BE(2 ** 31)
  try {
    return await new Promise<ReturnType<typeof parseVideoMessage>>((resolve) => {
      readFrames(channel, MAX_VIDEO_MESSAGE_BYTES, (frame) => {
        if (frame.equals(READER_GREETING)) return
        const message = parseVideoMessage(frame.toString(), purpose)
        if (!('facts' in message)) return resolve(message)
        spawn(ffmpeg ?? '', ffmpegArguments(message.facts, purpose), { stdio: [link, link, 'ignore'] })
        link.destroy()
      })
      channel.cork() // so that the reader knows it before the first packet
      writeFrame(channel, Buffer.of(VIDEO_PURPOSE_BYTES[purpose]), clip)
      writeFrame(channel, usedMs)
      channel.uncork()
    })
  } finally {
    channel.destroy()
    if (reader.exitCode === null) await once(reader, 'exit')
  }
}

const skip = ffmpeg === undefined && 'there is no ffmpeg'

t.test('each decoded key frame is registered at its own time, the last one as well', { skip }, async (t) => {
  const source = "testsrc2=s=192x144:r=30000/1001:d=4.2,rotate='2.2*PI*t+0.3*t*t'"
  const output = ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '40', '-pix_fmt', 'yuv420p', '-bf', '2']
  const clip = makeClip({ source, output: [...output, '-g', '60', '-sc_threshold', '0'] }) ?? Buffer.alloc(0)
  for (const purpose of ['submission', 'vpdq'] as const) {
    const answer = await hashedByKeyFrames(clip, purpose)
    const video = 'video' in answer ? answer.video : undefined
    t.same(
      video?.frames.map(({ atMs }) => atMs),
      [0, 2002, 4004],
      purpose,
    )
    t.equal(video?.isKeyFramesOnly, true)
    t.ok((video?.protectedShare ?? 0) > 0.99, 'no moment is far from a registered one')
  }
})

import t from 'tap'
import { isCroppedLeftOrTop } from '../../src/domain/media/avc-cropping.js'
import { openVideo } from '../../workers/media/video/demux.js'
import { ffmpeg, makeClip, remuxed } from '../helpers/videos.js'

const skip = ffmpeg === undefined && 'there is no ffmpeg'

const descriptionOf = async (clip: Buffer | undefined) =>
  (await openVideo(Buffer.from(clip ?? []))).description ?? new Uint8Array()

t.test('H.264 that is cut off at the left or top is told from other cropping', { skip }, async (t) => {
  const profiles = {
    high: ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-x264-params', '8x8dct=1:cqm=jvt'],
    'high 4:4:4': ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv444p'],
  }
  for (const [profile, output] of Object.entries(profiles)) {
    const clip = makeClip({ source: 'testsrc2=s=192x136:r=4:d=0.5', output })
    if (clip === undefined) continue
    const cropped = (how: string) =>
      descriptionOf(remuxed(clip, 'a.mp4', { output: ['-bsf:v', `h264_metadata=crop_left=0:crop_top=0:${how}`] }))
    t.equal(isCroppedLeftOrTop(await descriptionOf(clip)), false, `${profile}: 8 lines are cut off at the bottom`)
    t.equal(isCroppedLeftOrTop(await cropped('crop_right=40:crop_bottom=20')), false, profile)
    t.equal(isCroppedLeftOrTop(await cropped('crop_left=40')), true, profile)
    t.equal(isCroppedLeftOrTop(await cropped('crop_top=20')), true, profile)
  }
})

t.test('parameters that cannot be read are not cropped', async (t) => {
  const bytes = Buffer.from('01640015ffe1000867640015ffffffff', 'hex')
  for (let length = 0; length <= bytes.length; length++) t.equal(isCroppedLeftOrTop(bytes.subarray(0, length)), false)
  t.equal(isCroppedLeftOrTop(Buffer.alloc(600, 0)), false)
})

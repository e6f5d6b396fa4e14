// Process entry for `tabir doctor`: checks that the image decoders of this installation are there and new enough, and looks for ffmpeg. Writes the
// path of ffmpeg, or why it cannot be used, as JSON. Exits with 0, or with 1 and the reason why images cannot be decoded. Arguments: `--heic=off`
// where HEIC is not read; PATH; the operator's choice of an ffmpeg, if there is one.

import { messageOf } from '../src/domain/message-of.js'
import { HEIC_OFF } from './frames.js'
import { checkHeifDecoder } from './media/libheif.js'
import { checkDecoderFloors } from './media/libvips.js'
import { findFfmpeg } from './media/video/find-ffmpeg.js'

const [heic, searchPath = '', ffmpegBin] = process.argv.slice(2)
process.stdout.write(JSON.stringify(ffmpegHere()))
try {
  checkDecoderFloors()
  if (heic !== HEIC_OFF) checkHeifDecoder()
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}

function ffmpegHere(): { readonly binary?: string | undefined; readonly error?: string } {
  try {
    return { binary: findFfmpeg({ ffmpegBin, searchPath })?.binary }
  } catch (error) {
    return { error: messageOf(error) }
  }
}

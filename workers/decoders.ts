// Process entry for `tabir doctor`: checks that the image decoders of this installation are there and new enough. Exits with 0, or with 1 and the
// reason. Argument: `--heic=off` where HEIC is not read.

import { messageOf } from '../src/domain/message-of.js'
import { HEIC_OFF } from './frames.js'
import { checkHeifDecoder } from './media/libheif.js'
import { checkDecoderFloors } from './media/libvips.js'

try {
  checkDecoderFloors()
  if (!process.argv.includes(HEIC_OFF)) checkHeifDecoder()
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}

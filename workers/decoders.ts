// Process entry for `tabir doctor`: are the image decoders of this installation new enough? Ends with 0, or with 1 and the reason.

import { checkDecoderFloors } from './media/libvips.js'

try {
  checkDecoderFloors()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

// Process entry for `tabir doctor`: checks that the image decoders of this installation are new enough. Exits with 0, or with 1 and the reason.

import { checkDecoderFloors } from './media/libvips.js'

try {
  checkDecoderFloors()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

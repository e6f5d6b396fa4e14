// Hashes of a whole video file as signals, to register it and to look for it.

import type { HashedVideoFile } from './hashed-image.js'
import type { Signal } from './signal.js'

export function fileSignals({ sha256 }: HashedVideoFile['file']): Signal[] {
  return [{ type: 'sha256', view: 'whole', quality: 100, hash: sha256 }]
}

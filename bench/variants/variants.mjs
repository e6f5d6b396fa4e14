// Seventy edits of a photograph, as people make them who share pictures. The same seed gives the same bytes, as long as sharp, libvips and the fonts are
// the same.

import { collages } from './edits/collages.mjs'
import { encodings } from './edits/encoding.mjs'
import { frames } from './edits/frames.mjs'
import { geometry } from './edits/geometry.mjs'
import { overlays } from './edits/overlays.mjs'
import { photographed } from './edits/photographed.mjs'
import { screenshots } from './edits/screenshots.mjs'
import { tones } from './edits/tones.mjs'
import { catalogueOf, variantsOf } from './generate.mjs'

const edits = [encodings, tones, overlays, frames, geometry, screenshots, photographed, collages].flat()

/** `{ id, group, usesOthers }` of each. */
export const CATALOG = catalogueOf(edits)

export const variants = variantsOf(edits)

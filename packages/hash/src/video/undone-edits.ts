// Views of a query's frame that undo three edits of videos: cropping, filling a story, and filming a screen.

import type { MeasuredRaster } from '../measured.js'
import type { Rectangle } from '../rectangle.js'
import { LIKELY_PARTS, type View } from '../views.js'

/**
 * Side of these views, relative to the frame. A registered frame has a centre crop of 0.8 of its sides, and a copy that was cropped by a tenth shows
 * 0.9 of them, so that the view shows the same part as the centre crop.
 */
const SHARE = 0.8 / 0.9
/** The crop may be anywhere, so this many steps are tried in each direction. */
const STEPS = 4
const PLACES = Array.from({ length: STEPS + 1 }, (_, i) => i / STEPS)

const TURNED_DEG = [2, -2] as const
/** Side of a rotated screen, relative to the upright rectangle around it. */
const TURNED_SHARE = 0.96

/** Maximum parts marked `isCore`: those of the likeliest deframed view come last, if there is one. */
const MAX_CORES = 3

export interface Parts {
  /** The deframed views, the likeliest first, and those of them that registrations cut in the same way. */
  readonly inside: readonly View[]
  readonly cores: readonly View[]
  /** Which places of a crop, see `centresIn`. */
  readonly half: 'first' | 'second'
}

/** @returns views of kind `tilted`: they decide alone or in line, and confirm no other view. */
export function undoneEdits(raster: MeasuredRaster, aspect: number, { inside, cores, half }: Parts): View[] {
  const screens = inside
    .slice(0, LIKELY_PARTS)
    .flatMap(({ kind, part, isSign }) => (kind === 'deframed' && isSign !== true ? [part] : []))
  return [...centresIn(raster, half), ...turned(screens, raster, aspect), ...cores.slice(-MAX_CORES).map(asTilted)]
}

function asTilted({ part, isBackground }: View): View {
  return { kind: 'tilted', part, isCore: true, ...(isBackground !== undefined && { isBackground }) }
}

/** @param half `first` for nine places: the corners, the middles of the sides and the middle; `second` for the sixteen between these. */
export function centresIn({ width, height }: MeasuredRaster, half: 'first' | 'second'): View[] {
  const isFirst = (i: number) => i % 2 === 0
  return PLACES.flatMap((across, i) =>
    PLACES.flatMap((down, j): View[] => {
      if ((isFirst(i) && isFirst(j)) !== (half === 'first')) return []
      const [left, top] = [across * (1 - SHARE) * width, down * (1 - SHARE) * height]
      const part = { left, top, right: left + SHARE * width, bottom: top + SHARE * height }
      return [{ kind: 'tilted', part, isCore: true }]
    }),
  )
}

/** @param screens parts that may be a screen. @returns each, rotated by 2° in both directions. */
export function turned(screens: readonly Rectangle[], { width, height }: MeasuredRaster, aspect: number): View[] {
  return screens.flatMap(({ left, top, right, bottom }) =>
    TURNED_DEG.map((angleDeg): View => {
      const part = {
        centre: { x: (left + right) / 2 / width, y: (top + bottom) / 2 / height },
        width: (TURNED_SHARE * aspect * (right - left)) / width,
        height: (TURNED_SHARE * (bottom - top)) / height,
        angleDeg,
      }
      return { kind: 'tilted', part, isCore: true }
    }),
  )
}

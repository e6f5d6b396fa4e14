// A picture's raster with the measures for frame removal and for averaging parts.

import { type AreaTable, areaTableOf } from './area-table.js'
import { type Lines, linesOf } from './deframe/lines.js'
import { type Texture, textureOf } from './deframe/texture.js'
import type { Pixels } from './pixels.js'
import { type Raster, rasterOf } from './raster.js'

export interface MeasuredRaster extends Pick<Raster, 'width' | 'height' | 'rgb'> {
  readonly areas: AreaTable
  readonly lines: Lines
  readonly texture: Texture
}

/** The reference implementation. `FrameKernel` computes the same bits in a twentieth of the time. */
export function measuredOf(pixels: Pixels): MeasuredRaster {
  const raster = rasterOf(pixels)
  const { width, height, rgb } = raster
  return { width, height, rgb, areas: areaTableOf(raster), lines: linesOf(raster), texture: textureOf(raster) }
}

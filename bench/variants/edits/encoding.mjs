// The same picture in another file: coarser, smaller.

import { edit } from '../generate.mjs'
import { jpegOf, pipeline } from '../picture.mjs'

export const encodings = [
  ...[75, 50, 30].map((quality) => edit(`jpeg_q${quality}`, 'light', ({ photo }) => jpegOf(pipeline(photo), quality))),
  edit('jpeg_q10', 'medium', ({ photo }) => jpegOf(pipeline(photo), 10)),
  edit('resize_50', 'light', ({ photo }) => jpegOf(pipeline(photo).resize(Math.round(photo.width * 0.5)))),
  edit('resize_25', 'light', ({ photo }) => jpegOf(pipeline(photo).resize(Math.round(photo.width * 0.25)))),
  edit('resize_240', 'light', ({ photo }) => jpegOf(pipeline(photo).resize(240, 240, { fit: 'inside' }))),
  edit('webp_q60', 'light', ({ photo }) => pipeline(photo).webp({ quality: 60, effort: 2 }).toBuffer()),
]

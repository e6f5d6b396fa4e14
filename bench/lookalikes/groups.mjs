// What is drawn, in the order in which it is told.

import { avatars } from './avatars.mjs'
import { cards } from './cards.mjs'
import { controls } from './controls.mjs'
import { documents } from './documents.mjs'
import { elements } from './elements.mjs'
import { masks } from './masks.mjs'
import { products } from './products.mjs'
import { rooms } from './rooms.mjs'
import { templates } from './templates.mjs'

/**
 * `name`, and `draw({ photos, size, set, seed })` → `registered`, `asked` where that is something else, and `copies` that must be found:
 * `{ original, copy }`. A picture has a `name`, its file's `bytes`, and an `origin` where the same photograph may stand in another one, which makes no
 * false match.
 */
export const GROUPS = [masks, avatars, documents, elements, templates, rooms, products, cards, controls].flat()

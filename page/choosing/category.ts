// The category of the pictures that the submitter chose.

import { CATEGORY_NAMES, type Category } from '../../packages/core/src/matching/signal.js'

export function chosenCategory(): Category | undefined {
  const checked = document.querySelector<HTMLInputElement>('input[name="category"]:checked')
  return CATEGORY_NAMES.find((name) => name === checked?.value)
}

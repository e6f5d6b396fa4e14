// Contrast of all that is shown, from computed styles (WCAG 2.2: 1.4.3, 1.4.11, 2.4.13).

import type { Page } from 'playwright-core'

/**
 * Texts with less than 4.5 to 1 (large ones: 3), and borders of controls, bars and rings of focus with less than 3 to 1. axe leaves out placeholders,
 * borders and rings.
 */
export async function faint(page: Page): Promise<string[]> {
  await page.keyboard.press('Shift') // rings are shown to the keyboard
  return page.evaluate(faintHere)
}

/** Runs in the page. */
function faintHere(): string[] {
  type Colour = readonly [red: number, green: number, blue: number, alpha: number]
  const TEXT = 4.5
  const REST = 3
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
  const found = new Set<string>()
  const shown = [...document.body.querySelectorAll<HTMLElement | SVGElement>('*')].filter(isSeen)
  for (const element of shown) {
    const style = getComputedStyle(element)
    if (hasText(element))
      note(element, 'text', contrastOf(style.color, backOf(element), opacityOf(element)), leastFor(style))
    if (element instanceof HTMLInputElement && element.placeholder !== '') {
      const { color, opacity } = getComputedStyle(element, '::placeholder')
      note(element, 'placeholder', contrastOf(color, backOf(element), Number(opacity)), TEXT)
    }
    if (element.matches('rect') && style.fill !== 'none') note(element, 'bar', contrastOf(style.fill, backOf(element)), REST)
    if (element.matches('button, .button, input:not([type=radio], [type=checkbox], [type=file]), select, textarea'))
      noteEdge(element, style)
  }
  const before = document.activeElement
  for (const element of shown) if (isUsed(element)) noteRing(element)
  if (before instanceof HTMLElement) before.focus({ preventScroll: true })
  return [...found]

  function isSeen(element: Element): boolean {
    const { width, height } = element.getBoundingClientRect()
    return element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && width > 1 && height > 1
  }

  function isUsed(element: Element): element is HTMLElement {
    return (
      element instanceof HTMLElement && element.matches('a[href], button:enabled, input:enabled, select:enabled, summary')
    )
  }

  function hasText(element: Element): boolean {
    return [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim() !== '')
  }

  function leastFor({ fontSize, fontWeight }: CSSStyleDeclaration): number {
    const px = Number.parseFloat(fontSize)
    return px >= 24 || (px >= 18.66 && Number(fontWeight) >= 700) ? REST : TEXT
  }

  /** A border, or a surface, that stands out from what is around. A control that looks like text has neither. */
  function noteEdge(element: Element, style: CSSStyleDeclaration): void {
    const around = backOf(element.parentElement)
    const edges = [
      backOf(element),
      ...(style.borderTopWidth === '0px' ? [] : [over(colourOf(style.borderTopColor), around)]),
    ]
    const best = Math.max(...edges.map((edge) => ratio(edge, around)))
    const isLikeText = best < 1.01 && element.matches('button')
    if (!isLikeText) note(element, 'border', best, REST)
  }

  function noteRing(element: HTMLElement): void {
    element.focus({ preventScroll: true })
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element)
    const isDrawn = outlineStyle !== 'none' && outlineStyle !== 'auto' && Number.parseFloat(outlineWidth) >= 2
    note(element, 'ring', isDrawn ? contrastOf(outlineColor, backOf(element.parentElement)) : 0, REST)
  }

  function note(element: Element, what: string, is: number, least: number): void {
    if (is >= least) return
    const name = `${element.localName}${element.id === '' ? '' : `#${element.id}`}.${element.getAttribute('class') ?? ''}`
    found.add(`${what} of ${name} “${(element.textContent ?? '').trim().slice(0, 30)}”: ${is.toFixed(2)}`)
  }

  function contrastOf(colour: string, back: Colour, opacity = 1): number {
    const [red, green, blue, alpha] = colourOf(colour)
    return ratio(over([red, green, blue, alpha * opacity], back), back)
  }

  function opacityOf(element: Element | null): number {
    return element === null ? 1 : Number(getComputedStyle(element).opacity) * opacityOf(element.parentElement)
  }

  /** What is behind the text of an element. */
  function backOf(element: Element | null): Colour {
    if (element === null) return colourOf('Canvas')
    const own = colourOf(getComputedStyle(element).backgroundColor)
    return own[3] === 1 ? own : over(own, backOf(element.parentElement))
  }

  function over([red, green, blue, alpha]: Colour, back: Colour): Colour {
    const mix = (front: number, behind: number) => front * alpha + behind * (1 - alpha)
    return [mix(red, back[0]), mix(green, back[1]), mix(blue, back[2]), 1]
  }

  function colourOf(css: string): Colour {
    if (canvas === null) throw new Error('there is no canvas')
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = css
    canvas.fillRect(0, 0, 1, 1)
    const [red = 0, green = 0, blue = 0, alpha = 0] = canvas.getImageData(0, 0, 1, 1).data
    return [red, green, blue, alpha / 255]
  }

  function ratio(one: Colour, other: Colour): number {
    const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
    return (light + 0.05) / (dark + 0.05)
  }

  function luminance(colour: Colour): number {
    const [red = 0, green = 0, blue = 0] = colour.slice(0, 3).map((level) => {
      const part = level / 255
      return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
}

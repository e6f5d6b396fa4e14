// Fills the templates of the page. Values are inserted as text unless the template asks for markup.

import { ownValue } from '../../packages/core/src/own-value.js'

/**
 * Replaces `{{name}}` by the value as text, and `{{{name}}}` by the value as markup that we made.
 * @throws {Error} with the names that have no value: the start fails rather than serve half a page
 */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{\{([\w.-]+)\}\}\}|\{\{([\w.-]+)\}\}/g, (_, markup: string | undefined, text: string) => {
    const value = ownValue(values, markup ?? text)
    if (value === undefined) throw new Error(`the page asks for ${markup ?? text}, which nobody gives`)
    return markup === undefined ? escaped(value) : value
  })
}

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** JSON for a script element: no text in it can end the element or begin a comment. */
export function jsonBlock(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}

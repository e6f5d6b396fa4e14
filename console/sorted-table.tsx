// A table that sorts by any of its columns and can be saved for a spreadsheet.

import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { saveText } from './save-file.js'
import { csvOf, type Field } from './spreadsheet.js'

export interface Column<Row> {
  readonly title: string
  /** What it is sorted by and saved as. */
  readonly value: (row: Row) => Field
  /** How it looks, where that differs. */
  readonly cell?: (row: Row) => ComponentChildren
}

export interface TableProps<Row> {
  readonly caption: string
  /** Of the file, without its ending. */
  readonly name: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  /** Buttons of a row. */
  readonly actions?: (row: Row) => ComponentChildren
  readonly empty?: string
}

interface Order {
  readonly column: number
  readonly isDescending: boolean
}

export function Table<Row>({ caption, name, columns, rows, keyOf, actions, empty = 'Nothing.' }: TableProps<Row>) {
  const [order, setOrder] = useState<Order>()
  if (rows.length === 0) return <p class="hint">{empty}</p>
  const by = order === undefined ? undefined : columns[order.column]
  const sorted = by === undefined ? rows : rows.toSorted((a, b) => compare(by.value(a), by.value(b)))
  const shown = order?.isDescending === true ? sorted.toReversed() : sorted

  const press = (column: number) => setOrder({ column, isDescending: order?.column === column && !order.isDescending })
  const save = () =>
    saveText(
      `${name}.csv`,
      'text/csv',
      csvOf(
        columns.map(({ title }) => title),
        shown.map((row) => columns.map(({ value }) => value(row))),
      ),
    )

  return (
    <div class="table">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <section class="scroll" aria-label={caption} tabIndex={0}>
        <table>
          <caption>{caption}</caption>
          <thead>
            <tr>
              {columns.map(({ title, value }, k) => (
                <th key={title} scope="col" class={classOf(value, shown)} aria-sort={sortOf(order, k)}>
                  <button type="button" class="sort" onClick={() => press(k)}>
                    {title}
                  </button>
                </th>
              ))}
              {actions !== undefined && <th scope="col">What to do</th>}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={keyOf(row)}>
                {columns.map(({ title, value, cell }) => (
                  <td key={title} class={classOf(value, [row])}>
                    {cell === undefined ? value(row) : cell(row)}
                  </td>
                ))}
                {actions !== undefined && <td class="actions">{actions(row)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <button type="button" class="small quiet" onClick={save}>
        Save as CSV<span class="unseen">: {caption}</span>
      </button>
    </div>
  )
}

/** Aligns numbers and their heading. */
function classOf<Row>(value: (row: Row) => Field, rows: readonly Row[]): string {
  return rows.some((row) => typeof value(row) === 'number') ? 'number' : ''
}

function sortOf(order: Order | undefined, column: number): 'ascending' | 'descending' | 'none' {
  if (order?.column !== column) return 'none'
  return order.isDescending ? 'descending' : 'ascending'
}

/** Compares numbers by value and texts in reading order; missing values come last. */
function compare(a: Field, b: Field): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined)
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a).localeCompare(String(b), 'en', { numeric: true })
}

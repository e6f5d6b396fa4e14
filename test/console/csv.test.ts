import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { csvOf, type Field } from '../../console/spreadsheet.js'

t.test('a table becomes lines of quoted fields', async (t) => {
  t.equal(
    csvOf(
      ['a', 'b "c"'],
      [
        ['x, y', 1],
        [undefined, 'two\nlines'],
      ],
    ),
    '"a","b ""c"""\r\n"x, y","1"\r\n"","two\nlines"\r\n',
  )
})

t.test('a text that starts like a formula is escaped in the CSV', async (t) => {
  for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '  =1', '＝1', '|cmd', '%x', '\n=1'])
    t.match(csvOf(['a'], [[text]]), /\r\n"'/, JSON.stringify(text))
  t.equal(csvOf(['a'], [[-5]]), '"a"\r\n"-5"\r\n', 'a negative number is not escaped')
})

t.test('any table can be read back from its CSV', async () => {
  const field = fc.oneof(fc.string(), fc.integer(), fc.constant(undefined))
  fc.assert(
    fc.property(fc.array(fc.tuple(field, field), { maxLength: 5 }), (rows) => {
      const read = fieldsOf(csvOf(['a', 'b'], rows)).slice(1)
      assert.deepEqual(
        read.map((row) => row.map((text) => text.replace(/^'/, ''))),
        rows.map((row) => row.map((each: Field) => String(each ?? '').replace(/^'/, ''))),
      )
    }),
  )
})

/** A separate reader of RFC 4180. */
function fieldsOf(text: string): string[][] {
  const rows: string[][] = [[]]
  for (const [, field, end] of text.matchAll(/"((?:[^"]|"")*)"(,|\r\n)/g)) {
    rows.at(-1)?.push((field ?? '').replaceAll('""', '"'))
    if (end !== ',') rows.push([])
  }
  return rows.slice(0, -1)
}

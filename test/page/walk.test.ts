import { spawnSync } from 'node:child_process'
import t from 'tap'

t.test('the helper of the screenshots runs without a test runner', async (t) => {
  const walk = new URL('../helpers/walk.js', import.meta.url).href
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', `const { walk } = await import('${walk}'); console.log(typeof walk)`],
    { encoding: 'utf8', timeout: 200_000 },
  )
  t.same({ status, stdout, stderr }, { status: 0, stdout: 'function\n', stderr: '' })
})

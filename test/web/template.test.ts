import t from 'tap'
import { fill, jsonBlock } from '../../src/web/template.js'

t.test('what is put in is text, unless the template says that it is markup', async (t) => {
  t.equal(
    fill('<a title="{{x}}">{{x}}</a>', { x: `"><script>'&` }),
    '<a title="&#34;&#62;&#60;script&#62;&#39;&#38;">&#34;&#62;&#60;script&#62;&#39;&#38;</a>',
  )
  t.equal(fill('{{{x}}}', { x: '<b>{{y}}</b>' }), '<b>{{y}}</b>', 'and is not filled again')
})

t.test('a page that asks for what nobody gives is refused', async (t) => {
  t.throws(() => fill('{{missing.message}}', {}), /missing\.message/)
})

t.test('no text in a block of JSON ends the block', async (t) => {
  const text = jsonBlock({ x: '</script><!--' })
  t.notMatch(text, /</)
  t.same(JSON.parse(text), { x: '</script><!--' })
})

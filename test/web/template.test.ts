import t from 'tap'
import { fill, jsonBlock } from '../../src/web/template.js'

t.test('inserted values are escaped unless the template marks them as markup', async (t) => {
  t.equal(
    fill('<a title="{{x}}">{{x}}</a>', { x: `"><script>'&` }),
    '<a title="&#34;&#62;&#60;script&#62;&#39;&#38;">&#34;&#62;&#60;script&#62;&#39;&#38;</a>',
  )
  t.equal(fill('{{{x}}}', { x: '<b>{{y}}</b>' }), '<b>{{y}}</b>', 'an inserted value is not filled again')
})

t.test('a template with an unknown placeholder is refused', async (t) => {
  t.throws(() => fill('{{missing.message}}', {}), /missing\.message/)
})

t.test('a text in a JSON block cannot end the block', async (t) => {
  const text = jsonBlock({ x: '</script><!--' })
  t.notMatch(text, /</)
  t.same(JSON.parse(text), { x: '</script><!--' })
})

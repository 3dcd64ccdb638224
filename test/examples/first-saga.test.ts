import test from 'ava'
import { endOf, guideOf } from './guide.ts'

test('the first saga runs by the commands of its page', async (t) => {
  const guide = await guideOf(t, { path: 'examples/first-saga/README.md', ports: ['8080', '7100'] })
  await guide.run('mkdir -p my/sagas/participants')
  t.regex(await guide.run('cat > my/sagas/join.yaml'), /saga 'join' is valid/)
  await guide.run('cat > my/gym.mjs')
  await guide.begin('node my/gym.mjs', 'the gym is open')
  await guide.begin('PARCOMOLO_APP=none', 'Parcomolo is ready')
  await guide.run('curl -s localhost:8080/participants/gym/events')
  t.is((await endOf(guide.url, 'join', 'ada', 'completed')).failure, null)
  const { failure, timeline } = await endOf(guide.url, 'join', 'bob', 'compensated')
  t.is(failure?.type, 'TooPoor')
  t.true(timeline.some(({ detail }) => detail === 'BurnCard'))
  t.regex(await guide.run('curl -s localhost:8080/sagas/join/ada'), /"completed".*"compensated"/)
})

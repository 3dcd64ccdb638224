import test from 'ava'
import { contractSet, readContract } from '../../src/contract/index.ts'
import { Stage } from './stage.ts'

const participant = (name: string): string => `
apiVersion: parcomolo.io/v1alpha1
kind: Participant
metadata: { name: ${name} }
spec:
  inbox: ${name}-commands
  events: ${name}-events
  contract: |
    @namespace("test.${name}")
    protocol P {
      record Asked { string orderId; }
      void asked(Asked event) oneway;
      record Do { string orderId; }
      record Done { string orderId; }
      Done do(Do command);
      record Thanked { string orderId; string ${name}; }
      void thanked(Thanked event) oneway;
      record SagaCompensated { string orderId; string ${name}; }
      void ended(SagaCompensated event) oneway;
    }
`

const contracts = contractSet(
  ['loyalty', 'partner'].map((name) => readContract({ path: `${name}.yaml`, text: participant(name) }))
)

const saga = (event: string): string => `
apiVersion: parcomolo.io/v1alpha1
kind: Saga
metadata: { name: thanks }
spec:
  start: { on: loyalty.Asked, key: event.orderId }
  steps:
    - { name: do, command: loyalty.Do, with: { orderId: start.orderId }, compensate: none }
  complete: { emit: ${event}, with: { orderId: start.orderId, partner: "'yes'" } }
`

const emitted = test.macro({
  title: (_, event: string) => `a saga may emit ${event}, although others have a record of that short name`,
  exec: async (t, event: string) => {
    const [, type] = event.split('.')
    const stage = await Stage.open(t, 1, contracts)
    const first = await stage.run()
    await stage.publish(first, saga(event))
    await stage.say(0, stage.encode('Asked', { orderId: 'o' }), { orderId: 'o' })
    const command = await stage.command('Do', 'o')
    await stage.say(0, stage.encode('Done', { orderId: 'o' }), { orderId: 'o', answers: command })
    await stage.event('SagaCompleted', 'o')
    const said = (await stage.said('saga-events')).find(({ value }) => value['partner'] !== undefined)
    t.deepEqual([said?.type, { ...said?.value }], [type, { orderId: 'o', partner: 'yes' }])
    await first.stop()

    const second = await stage.run()
    await stage.say(0, stage.encode('Asked', { orderId: 'p' }), { orderId: 'p' })
    await stage.command('Do', 'p')
    await second.stop()
    t.deepEqual(stage.errors, [])
  }
})

test(emitted, 'partner.Thanked')
test(emitted, 'partner.SagaCompensated')

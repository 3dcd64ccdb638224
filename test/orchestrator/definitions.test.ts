import test from 'ava'
import { ParcomoloError } from '../../src/base/index.ts'
import { learnSchemas, makeCodec, registerContracts } from '../../src/contract/index.ts'
import { ownRecords } from '../helpers/shop-parts.ts'
import { definitionProtocol, Definitions, definitionsTopic } from '../../src/orchestrator/index.ts'
import { contracts, saga, Stage } from './stage.ts'

const { fullName, schema } = definitionProtocol.records.get('DefinitionPublished')!

/** Publishes as a version of tomorrow does, in a schema that is registered only now. */
const publishTomorrows = async (stage: Stage): Promise<void> => {
  const fields = [...(schema['fields'] as object[]), { name: 'author', type: 'string', default: '' }]
  const tomorrows = { ...schema, fields }
  const id = await stage.registry.register(`${definitionsTopic}-${fullName}`, tomorrows)
  const definition = {
    saga: 'loyalty',
    revision: 'r',
    source: 'loyalty.yaml',
    yaml: saga,
    retired: false,
    author: 'me'
  }
  const value = makeCodec([{ fullName, schema: tomorrows, id }]).encode(fullName, definition)
  const writer = await stage.log.claim({ topic: definitionsTopic, partition: 0 })
  await writer.append([{ key: 'loyalty@r', value, timestamp: 0, headers: {} }])
}

/** Follows the definitions in a process that was there before tomorrow's schema; its registry is away at first. */
const follower = async (stage: Stage) => {
  await stage.log.ensureTopics([{ topic: definitionsTopic, partitions: 1, cleanup: 'compact' }])
  const codec = await registerContracts(stage.registry, contracts.all, ownRecords)
  const state = { isAway: true, asked: 0 }
  const held: [string, unknown][] = []
  const schemaOf = (id: number) => {
    state.asked++
    if (!state.isAway) return stage.registry.schema(id)
    throw new ParcomoloError('PARCOMOLO_REGISTRY_UNAVAILABLE', 'nobody answers', { retryable: true })
  }
  const follow = (): Promise<Definitions> =>
    Definitions.follow({
      ...{ log: stage.log, codec, contracts, clock: stage.clock },
      learn: (values) => learnSchemas(codec, { schema: async (id) => schemaOf(id) }, values),
      onHeldUp: (what, error) => held.push([what, error]),
      onError: (error) => stage.errors.push(error)
    })
  return { state, held, follow }
}

test('a definition that a newer version has published is followed once its schema is learnt', async (t) => {
  const stage = await Stage.open(t)
  const { state, held, follow } = await follower(stage)
  const definitions = await follow()
  await publishTomorrows(stage)
  await stage.until(() => state.asked > 3)
  t.like(held, [['saga-definitions/0', { code: 'PARCOMOLO_REGISTRY_UNAVAILABLE' }]])
  t.is(definitions.current('loyalty'), undefined)
  state.isAway = false
  await stage.until(() => held.length > 1)
  await definitions.caughtUp()
  t.is(definitions.current('loyalty')?.revision, 'r')
  t.deepEqual(held.slice(1), [['saga-definitions/0', undefined]])
  t.deepEqual(stage.errors, [])
  definitions.close()
})

test('a start waits for the registry where a published definition needs it', async (t) => {
  const stage = await Stage.open(t)
  const { state, follow } = await follower(stage)
  await publishTomorrows(stage)
  const following = follow()
  await stage.until(() => state.asked > 3)
  state.isAway = false
  let definitions: Definitions | undefined
  void following.then((it) => (definitions = it))
  await stage.until(() => definitions !== undefined)
  t.is(definitions!.current('loyalty')?.revision, 'r')
  t.deepEqual(stage.errors, [])
  definitions!.close()
})
